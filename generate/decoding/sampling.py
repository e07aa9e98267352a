"""Drawing the next token: temperature, top-k, min-p and top-p over what the grammar allows, by inverse distribution."""

from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 256
"""Entries that are summed together before a draw among many."""


@dataclass(frozen=True)
class Sampling:
    """How the model's distribution is bent; the defaults leave it as it is.

    Attributes:
        temperature: divides the scores.
        temperatures: per field, over `temperature`.
        top_k: only the k likeliest tokens.
        top_p: only the likeliest tokens that together reach this probability.
        min_p: only tokens with at least this share of the likeliest token's probability.
    """

    temperature: float = 1.0
    temperatures: tuple[tuple[str, float], ...] = ()
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def of_field(self, name: str) -> float:
        """Return the temperature of one field."""
        return dict(self.temperatures).get(name, self.temperature)


def choose(scores: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
    """Return the entry that each row draws.

    Args:
        scores: (rows, entries), divided by the temperature; -inf where nothing is allowed.
        uniforms: (rows,) in [0, 1), one random number each.
        sampling: which entries stay.
    """
    scores = truncated(scores, sampling)
    weights = torch.exp(scores - scores.amax(1, keepdim=True))
    if weights.shape[1] <= 4 * BLOCK:
        return _draw(weights.double(), uniforms)
    blocks = torch.nn.functional.pad(weights, (0, -weights.shape[1] % BLOCK)).view(len(weights), -1, BLOCK)
    sums = blocks.double().sum(2)
    targets = uniforms * sums.sum(1)
    block = _draw(sums, uniforms)
    rows = torch.arange(len(weights), device=weights.device)
    before = sums.cumsum(1)[rows, block] - sums[rows, block]
    inside = blocks[rows, block].double()
    within = ((targets - before) / inside.sum(1)).clamp(0, 1)
    return block * BLOCK + _draw(inside, within)


def _draw(weights: Tensor, uniforms: Tensor) -> Tensor:
    total = weights.cumsum(1)
    chosen = torch.searchsorted(total, (uniforms * total[:, -1])[:, None], right=True)[:, 0]
    # Rounding can carry a draw past the end, or onto an entry of no weight there.
    last = weights.shape[1] - 1 - (weights > 0).flip(1).int().argmax(1)
    return torch.minimum(chosen, last)


def truncated(scores: Tensor, sampling: Sampling) -> Tensor:
    """Return `scores` with -inf for the entries that top-k, min-p and top-p leave out."""
    if sampling.top_k is not None and sampling.top_k < scores.shape[1]:
        least = scores.topk(sampling.top_k, dim=1).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if sampling.min_p is not None:
        bar = scores.amax(1, keepdim=True) + torch.log(
            torch.tensor(sampling.min_p, dtype=scores.dtype, device=scores.device)
        )
        scores = scores.masked_fill(scores < bar, -torch.inf)
    if sampling.top_p is not None:
        ordered, places = scores.sort(dim=1, descending=True, stable=True)
        shares = torch.softmax(ordered.double(), dim=1)
        # An entry stays while those before it have not reached the share: the likeliest one always does.
        late = shares.cumsum(1) - shares >= sampling.top_p
        scores = scores.masked_fill(torch.zeros_like(late).scatter(1, places, late), -torch.inf)
    return scores
