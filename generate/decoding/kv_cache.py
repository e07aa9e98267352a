"""Slotted key-value cache: each row (slot) of the cache belongs to one sequence and is reused when that one is finished.

Sequences in a batch have different lengths. A token is stored at its own position in its row, so rows have no gaps, and
what padding wrote is overwritten before anything can attend to it.
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
    """The rows that a forward pass reads and the positions of its new tokens; shared by all layers.

    Attributes:
        rows: slot numbers; None for the first `count` slots, which are read without a copy.
        count: number of rows.
        positions: (rows, new tokens), position of each new token.
        length: cached positions that are read.
    """

    def __init__(self) -> None:
        self.rows: Tensor | None = None
        self.count = 0
        self.positions = torch.zeros(0, 0, dtype=torch.long)
        self.length = 0


class SlotLayer(CacheLayerMixin):
    """Keys and values of one layer, (slots, heads, positions, head dimension)."""

    is_sliding = False

    def __init__(self, slots: int, view: CacheView) -> None:
        super().__init__()
        self.slots = slots
        self.view = view

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        shape = (self.slots, key_states.shape[1], 0)
        self.keys = key_states.new_zeros(*shape, key_states.shape[3])
        self.values = value_states.new_zeros(*shape, value_states.shape[3])
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Store the keys and values of the new tokens; return all keys and values of the view's rows."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        view = self.view
        self.keys = _extended(self.keys, view.length)
        self.values = _extended(self.values, view.length)
        rows = torch.arange(view.count, device=key_states.device) if view.rows is None else view.rows
        new = (rows[:, None], slice(None), view.positions)
        self.keys[new] = key_states.transpose(1, 2)
        self.values[new] = value_states.transpose(1, 2)
        if view.rows is None:
            return self.keys[: view.count, :, : view.length], self.values[: view.count, :, : view.length]
        return self.keys[rows, :, : view.length], self.values[rows, :, : view.length]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.view.length, 0

    def get_seq_length(self) -> int:
        return self.view.length

    def get_max_length(self) -> int:
        return -1


class SlotCache(Cache):
    """Key-value cache with one `SlotLayer` per layer of the model."""

    def __init__(self, layers: int, slots: int) -> None:
        self.view = CacheView()
        self.slot_layers = [SlotLayer(slots, self.view) for _ in range(layers)]
        super().__init__(layers=list(self.slot_layers))

    def copy(self, source: int, targets: Sequence[int], length: int) -> None:
        """Copy the first `length` positions of the slot `source` to the slots `targets`."""
        for layer in self.slot_layers:
            assert layer.keys is not None
            assert layer.values is not None
            index = torch.as_tensor(targets, device=layer.keys.device)
            layer.keys[index, :, :length] = layer.keys[source, :, :length]
            layer.values[index, :, :length] = layer.values[source, :, :length]

    def move(self, sources: Sequence[int], targets: Sequence[int]) -> None:
        """Copy each slot of `sources` to the slot of `targets` at the same index; the two lists share no slot."""
        for layer in self.slot_layers:
            assert layer.keys is not None
            assert layer.values is not None
            layer.keys[list(targets)] = layer.keys[list(sources)]
            layer.values[list(targets)] = layer.values[list(sources)]


class PrefixSlots:
    """Which slots of the cache hold which prefix, and the scores after it, so that common prefixes are encoded once."""

    def __init__(self) -> None:
        self._slots: dict[tuple[int, ...], set[int]] = {}
        self._scores: dict[tuple[int, ...], Tensor] = {}
        self._prefix_of: dict[int, tuple[int, ...]] = {}

    def __contains__(self, prefix: tuple[int, ...]) -> bool:
        return prefix in self._slots

    def scores(self, prefix: tuple[int, ...]) -> Tensor:
        """Return the scores after the last token of a prefix, (columns,)."""
        return self._scores[prefix]

    def add(self, prefix: tuple[int, ...], slot: int, scores: Tensor) -> None:
        """Note that the model has read a prefix into a slot."""
        self._slots[prefix], self._scores[prefix] = {slot}, scores
        self._prefix_of[slot] = prefix

    def share(self, prefix: tuple[int, ...], slots: Sequence[int]) -> tuple[int, list[int]]:
        """Note that slots begin with a prefix; return a slot that holds it, and the slots to which it has to be copied."""
        holders = self._slots[prefix]
        targets = [slot for slot in slots if slot not in holders]
        source = next(iter(holders))
        holders.update(slots)
        self._prefix_of |= dict.fromkeys(slots, prefix)
        return source, targets

    def release(self, slot: int) -> None:
        """Note that a slot is free; a prefix that no slot holds is forgotten."""
        prefix = self._prefix_of.pop(slot)
        self._slots[prefix].discard(slot)
        if not self._slots[prefix]:
            del self._slots[prefix], self._scores[prefix]

    def move(self, source: int, target: int) -> None:
        """Note that the content of a slot was moved to a free one."""
        prefix = self._prefix_of.pop(source)
        self._prefix_of[target] = prefix
        self._slots[prefix].discard(source)
        self._slots[prefix].add(target)


def _extended(cached: Tensor, length: int) -> Tensor:
    """Return the cache with room for at least `length` positions."""
    if cached.shape[2] >= length:
        return cached
    # Grown by half, so that long texts are not copied at every step.
    grown = cached.new_zeros(*cached.shape[:2], max(length, cached.shape[2] * 3 // 2), cached.shape[3])
    grown[:, :, : cached.shape[2]] = cached
    return grown


def round_up(length: int) -> int:
    """Return `length` rounded up to a multiple of `STEP`, so that few tensor shapes occur."""
    return -(-length // STEP) * STEP


def attention_masks(model: "PreTrainedModel", positions: Tensor, length: int) -> Any:
    """Return the causal attention mask of the new tokens, in the form that the model takes.

    Args:
        model: its configuration says which layers use sliding-window attention.
        positions: (rows, new tokens), position of each new token.
        length: cached positions that are read.

    Returns:
        An additive mask of shape (rows, 1, new tokens, length), or one per layer type by name.
    """
    cached = torch.arange(length, device=positions.device)
    causal = (cached <= positions[..., None])[:, None]
    window = getattr(model.config, "sliding_window", None)
    layer_types = set(getattr(model.config, "layer_types", None) or ())
    if window is None or (layer_types and "sliding_attention" not in layer_types):
        return _additive(causal, model)
    sliding = causal & (cached > positions[..., None] - window)[:, None]
    if "full_attention" in layer_types:
        return {"full_attention": _additive(causal, model), "sliding_attention": _additive(sliding, model)}
    return _additive(sliding, model)


def _additive(allowed: Tensor, model: "PreTrainedModel") -> Tensor:
    # Additive, not boolean, because eager attention adds its mask to the scores.
    dtype = model.dtype
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill_(
        ~allowed, torch.finfo(dtype).min
    )
