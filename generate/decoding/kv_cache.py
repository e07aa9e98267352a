"""The key-value cache of a batch whose rows are records at different points of their way.

Every row is a slot: a finished record's slot is given to the next one at once. A token stands at its own position of
its row, so there are no holes, and what padding wrote is overwritten before anything can attend to it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

if TYPE_CHECKING:
    from transformers import PreTrainedModel

STEP = 16
"""Positions by which the cache, and the part of it that is read, grow."""


class CacheView:
    """Which rows a forward pass reads and where their new tokens go; all layers share it.

    Attributes:
        rows: slot numbers; None for the first `count` slots, which are then read without a copy.
        count: how many rows.
        positions: (rows, new tokens), where each new token stands.
        length: cached positions that are read.
    """

    def __init__(self) -> None:
        self.rows: Tensor | None = None
        self.count = 0
        self.positions = torch.zeros(0, 0, dtype=torch.long)
        self.length = 0


class SlotLayer(CacheLayerMixin):
    """Keys and values of one layer: (slots, heads, positions, dimension)."""

    is_sliding = False

    def __init__(self, slots: int, reading: CacheView) -> None:
        super().__init__()
        self.slots = slots
        self.reading = reading

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        shape = (self.slots, key_states.shape[1], 0)
        self.keys = key_states.new_zeros(*shape, key_states.shape[3])
        self.values = value_states.new_zeros(*shape, value_states.shape[3])
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write the new tokens of the reading's rows and return all that these rows hold."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        now = self.reading
        self.keys = _with_room(self.keys, now.length)
        self.values = _with_room(self.values, now.length)
        rows = torch.arange(now.count, device=key_states.device) if now.rows is None else now.rows
        where = (rows[:, None], slice(None), now.positions)
        self.keys[where] = key_states.transpose(1, 2)
        self.values[where] = value_states.transpose(1, 2)
        if now.rows is None:
            return self.keys[: now.count, :, : now.length], self.values[: now.count, :, : now.length]
        return self.keys[rows, :, : now.length], self.values[rows, :, : now.length]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.reading.length, 0

    def get_seq_length(self) -> int:
        return self.reading.length

    def get_max_length(self) -> int:
        return -1


class SlotCache(Cache):
    """One `SlotLayer` per layer of the model."""

    def __init__(self, layers: int, slots: int) -> None:
        self.reading = CacheView()
        self.slot_layers = [SlotLayer(slots, self.reading) for _ in range(layers)]
        super().__init__(layers=list(self.slot_layers))

    def copy(self, source: int, targets: Sequence[int], length: int) -> None:
        """Give the slots `targets` the first `length` positions of the slot `source`."""
        for layer in self.slot_layers:
            assert layer.keys is not None
            assert layer.values is not None
            index = torch.as_tensor(targets, device=layer.keys.device)
            layer.keys[index, :, :length] = layer.keys[source, :, :length]
            layer.values[index, :, :length] = layer.values[source, :, :length]

    def move(self, sources: Sequence[int], targets: Sequence[int]) -> None:
        """Give each slot of `targets` what the slot of `sources` beside it holds; the two share no slot."""
        for layer in self.slot_layers:
            assert layer.keys is not None
            assert layer.values is not None
            layer.keys[list(targets)] = layer.keys[list(sources)]
            layer.values[list(targets)] = layer.values[list(sources)]


def _with_room(held: Tensor, length: int) -> Tensor:
    if held.shape[2] >= length:
        return held
    # By half as much again, so that long texts are not copied at every step of their growth.
    grown = held.new_zeros(*held.shape[:2], max(length, held.shape[2] * 3 // 2), held.shape[3])
    grown[:, :, : held.shape[2]] = held
    return grown


def rounded(length: int) -> int:
    """Return `length` rounded up to whole steps, so that few shapes occur."""
    return -(-length // STEP) * STEP


def attention_masks(model: "PreTrainedModel", positions: Tensor, length: int) -> Any:
    """Return what each new token may attend to, as the model takes it.

    Args:
        model: its configuration says whether layers look back through a window only.
        positions: (rows, new tokens).
        length: cached positions that are read.
    """
    held = torch.arange(length, device=positions.device)
    causal = (held <= positions[..., None])[:, None]
    window = getattr(model.config, "sliding_window", None)
    kinds = set(getattr(model.config, "layer_types", None) or ())
    if window is None or "sliding_attention" not in kinds | ({"sliding_attention"} if not kinds else set()):
        return _additive(causal, model)
    near = causal & (held > positions[..., None] - window)[:, None]
    if "full_attention" in kinds:
        return {"full_attention": _additive(causal, model), "sliding_attention": _additive(near, model)}
    return _additive(near, model)


def _additive(allowed: Tensor, model: "PreTrainedModel") -> Tensor:
    # Added, not boolean, because plain attention adds its mask.
    dtype = model.dtype
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill_(
        ~allowed, torch.finfo(dtype).min
    )
