"""The decoder that fits an adapter: token after token for a causal model, slot by slot for a masked one."""

from collections.abc import Sequence
from typing import Protocol

from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.batch_size import batch_size, rows_at_once
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.causal_state import GrammarCache
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.masked import MaskedDecoder
from paracosm.generate.decoding.sampling import Sampling
from paracosm.recipes.sections.generate import Generate
from paracosm.records.schema.schema import Record


class RecordDecoder(Protocol):
    """Draws records from an adapted model under its grammar.

    Attributes:
        slots: records that are decoded at once.
        tally: of all records so far.
    """

    slots: int
    tally: Tally

    def records(self, requests: Sequence[Request], *, seed: int) -> list[list[Record]]:
        """Return the records of some requests, in their order; of a sequence, all records of its subject.

        Args:
            requests: which records to make.
            seed: of the sequence of records.

        Raises:
            DataError: conditions and rules refuse nearly everything; names them and the share that each refuses.
        """
        ...


def decoder_of(adapted: AdaptedModel, settings: Generate) -> RecordDecoder:
    """Return the decoder that an adapter's codec asks for."""
    return {"causal": _causal, "masked": _masked}[adapted.codec.objective](adapted, settings)


def _causal(adapted: AdaptedModel, settings: Generate) -> RecordDecoder:
    limit = getattr(adapted.model.config, "max_position_embeddings", None)
    slots = settings.batch_size or batch_size(
        adapted.model, GrammarCache(adapted.masks, limit), settings.memory_gb
    )
    return Decoder(adapted, sampling(settings), slots, settings.attempts)


def _masked(adapted: AdaptedModel, settings: Generate) -> RecordDecoder:
    slots = settings.batch_size or rows_at_once(adapted.model, adapted.codec, settings.memory_gb)
    return MaskedDecoder(
        adapted,
        sampling(settings),
        slots,
        settings.attempts,
        text_passes=settings.text_passes,
        refinements=settings.refinements,
    )


def sampling(settings: Generate) -> Sampling:
    """Translate the recipe's section."""
    return Sampling(
        settings.temperature,
        tuple(settings.temperatures.items()),
        settings.top_k,
        settings.top_p,
        settings.min_p,
    )
