"""How many records are decoded at once, from what the key-value cache may take."""

from typing import TYPE_CHECKING

from paracosm.generate.decoding.causal_state import GrammarCache
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MOST = 256
"""Beyond this, a forward pass is bound by arithmetic and a wider batch gains nothing on CPU."""
MOST_ON_ACCELERATOR = 2048
CHARACTERS_PER_TOKEN = 2.0
"""Of a text: few texts use their whole length, and fewer with shorter tokens."""


def batch_size(model: "PreTrainedModel", book: GrammarCache, memory_gb: float) -> int:
    """Return how many of the longest records fit in the cache; the same on every machine of one kind."""
    config = model.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    dimension = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    per_token = 2 * config.num_hidden_layers * heads * dimension * model.dtype.itemsize
    most = MOST if model.device.type == "cpu" else MOST_ON_ACCELERATOR
    return max(1, min(most, int(memory_gb * 1e9 / (per_token * longest(book)))))


def longest(book: GrammarCache) -> int:
    """Return about how many tokens the longest record has, start token or prompt included."""
    tokens = float(len(book.codec.opening))
    for place, each in enumerate(book.codec.fields):
        closed = book.longest(place)
        tokens += each.max_length / CHARACTERS_PER_TOKEN if closed is None else closed
    return int(tokens if book.limit is None else min(tokens, book.limit))


def rows_at_once(model: "PreTrainedModel", codec: Codec, memory_gb: float) -> int:
    """Return how many of the longest rows a masked model reads at once: it keeps no cache, so what counts is one layer."""
    config = model.config
    tokens = MaskedLayout(codec).longest
    # Hidden states and the four times wider inner layer; attention's scores before and after the softmax.
    per_row = 4 * tokens * (12 * config.hidden_size + 2 * tokens * config.num_attention_heads)
    most = MOST if model.device.type == "cpu" else MOST_ON_ACCELERATOR
    return max(1, min(most, int(memory_gb * 1e9 / per_row)))
