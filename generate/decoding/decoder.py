"""Protocol of a record decoder, and the causal or the masked one for an adapter, with the batch size that the memory allows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.grammar_cache import GrammarCache
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.masked import MaskedDecoder
from paracosm.generate.decoding.sampling import Sampling
from paracosm.recipes.sections.generate import Generate
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout
from paracosm.records.schema.schema import Record

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_ON_CPU = 256
"""Beyond this, a forward pass on a CPU is bound by arithmetic, and a larger batch is not faster per record."""
MAX_ON_ACCELERATOR = 2048
CHARACTERS_PER_TOKEN = 2.0
"""Estimate for texts at their length limit: few texts reach it, and fewer with shorter tokens."""


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


def causal_batch_size(model: "PreTrainedModel", grammar: GrammarCache, memory_gb: float) -> int:
    """Return how many of the longest records fit in the key-value cache; machines of one kind give the same number."""
    config = model.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    dimension = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    bytes_per_token = 2 * config.num_hidden_layers * heads * dimension * model.dtype.itemsize
    return _bounded(model, memory_gb * 1e9 / (bytes_per_token * longest_record(grammar)))


def longest_record(grammar: GrammarCache) -> int:
    """Estimate the tokens of the longest record, start token or prompt included; of documents in passages, those of a window."""
    if grammar.passages is not None:
        return grammar.passages.sizes.context
    tokens = float(len(grammar.codec.opening))
    for index, field in enumerate(grammar.codec.fields):
        most = grammar.max_tokens(index)
        tokens += field.max_length / CHARACTERS_PER_TOKEN if most is None else most
    return int(tokens if grammar.limit is None else min(tokens, grammar.limit))


def masked_batch_size(model: "PreTrainedModel", codec: Codec, memory_gb: float) -> int:
    """Return how many of the longest rows a masked model reads at once: the activations of one layer, as it has no cache."""
    config = model.config
    tokens = MaskedLayout(codec).longest
    # Hidden states and the four times wider inner layer; attention scores before and after the softmax.
    bytes_per_row = 4 * tokens * (12 * config.hidden_size + 2 * tokens * config.num_attention_heads)
    return _bounded(model, memory_gb * 1e9 / bytes_per_row)


def _bounded(model: "PreTrainedModel", fitting: float) -> int:
    most = MAX_ON_CPU if model.device.type == "cpu" else MAX_ON_ACCELERATOR
    return max(1, min(most, int(fitting)))
