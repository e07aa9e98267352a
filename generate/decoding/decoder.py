"""Protocol of a record decoder, and the choice of the causal or the masked one for an adapter."""

from collections.abc import Sequence
from typing import Protocol

from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.batch_size import causal_batch_size, masked_batch_size
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.causal_state import GrammarCache
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.masked import MaskedDecoder
from paracosm.generate.decoding.sampling import Sampling
from paracosm.recipes.sections.generate import Generate
from paracosm.records.schema.schema import Record


class RecordDecoder(Protocol):
    """Samples records from an adapted model under its codec's grammar.

    Attributes:
        batch_size: records that are decoded at once.
        tally: of all records so far.
    """

    batch_size: int
    tally: Tally

    def records(self, requests: Sequence[Request], *, seed: int) -> list[list[Record]]:
        """Return one record per request, in order; for sequences, all records of a subject per request.

        Args:
            requests: for the records.
            seed: of the random streams.

        Raises:
            DataError: conditions and rules refuse nearly every attempt; the message gives the share that each refuses.
        """
        ...


def decoder_of(adapted: AdaptedModel, settings: Generate) -> RecordDecoder:
    """Return the decoder for an adapter's training objective, with the settings of the recipe's `generate` section."""
    return {"causal": _causal, "masked": _masked}[adapted.codec.objective](adapted, settings)


def _causal(adapted: AdaptedModel, settings: Generate) -> RecordDecoder:
    limit = getattr(adapted.model.config, "max_position_embeddings", None)
    batch_size = settings.batch_size or causal_batch_size(
        adapted.model, GrammarCache(adapted.masks, limit), settings.memory_gb
    )
    return Decoder(adapted, sampling(settings), batch_size, settings.attempts)


def _masked(adapted: AdaptedModel, settings: Generate) -> RecordDecoder:
    batch_size = settings.batch_size or masked_batch_size(adapted.model, adapted.codec, settings.memory_gb)
    return MaskedDecoder(
        adapted,
        sampling(settings),
        batch_size,
        settings.attempts,
        text_passes=settings.text_passes,
        refinements=settings.refinements,
    )


def sampling(settings: Generate) -> Sampling:
    """Return the sampling parameters of a recipe's `generate` section."""
    return Sampling(
        settings.temperature,
        tuple(settings.temperatures.items()),
        settings.top_k,
        settings.top_p,
        settings.min_p,
    )
