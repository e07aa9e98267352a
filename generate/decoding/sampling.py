"""Token sampling: temperature, top-k, min-p and top-p over the allowed tokens, drawn by inverse transform sampling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BLOCK = 256
"""Entries whose weights are summed first in a draw among many."""


@dataclass(frozen=True)
class Sampling:
    """How the model's distribution is modified before a draw; the defaults leave it unchanged.

    Attributes:
        temperature: divides the scores.
        temperatures: per field, in place of `temperature`.
        top_k: keeps the k likeliest tokens.
        top_p: keeps the likeliest tokens that together reach this probability.
        min_p: keeps tokens with at least this fraction of the likeliest token's probability.
    """

    temperature: float = 1.0
    temperatures: tuple[tuple[str, float], ...] = ()
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def temperature_of(self, name: str) -> float:
        """Return the temperature of one field."""
        return dict(self.temperatures).get(name, self.temperature)


def draw(
    scores: Tensor,
    uniforms: NDArray[np.float64],
    temperatures: Sequence[float],
    sampling: Sampling,
    weights: Tensor | None = None,
) -> list[int]:
    """Draw one entry per row at a temperature per row; see `choose`.

    Args:
        scores: (rows, entries); -inf for entries that are not allowed; overwritten.
        uniforms: (rows,) in [0, 1).
        temperatures: of each row.
        sampling: truncation.
        weights: (rows, entries), log weights by which probabilities are multiplied; a temperature does not change them.

    Returns:
        The index of each row's drawn entry.
    """
    if any(temperature != 1.0 for temperature in temperatures):
        scores = scores / torch.tensor(temperatures, device=scores.device)[:, None]
    if weights is not None:
        scores = scores + weights
    # MPS has no float64, so the draw runs on the CPU there.
    if scores.device.type == "mps":
        scores = scores.cpu()
    return choose(scores, torch.from_numpy(uniforms).to(scores.device), sampling).tolist()


def choose(scores: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
    """Draw one entry per row, determined by one uniform random number per row.

    Args:
        scores: (rows, entries), divided by the temperature; -inf for entries that are not allowed. They are overwritten: as many as a
            vocabulary has entries take longer to allocate than to compute.
        uniforms: (rows,) in [0, 1).
        sampling: truncation.

    Returns:
        (rows,), indices of the drawn entries.
    """
    scores = truncated(scores, sampling)
    weights = scores.sub_(scores.amax(1, keepdim=True)).exp_()
    if weights.shape[1] <= 4 * BLOCK:
        return _draw(weights.double(), uniforms)
    # First a block, then an entry in it: a cumulative sum over the whole vocabulary is slow.
    padding = -weights.shape[1] % BLOCK
    padded = torch.nn.functional.pad(weights, (0, padding)) if padding else weights
    blocks = padded.view(len(weights), -1, BLOCK)
    sums = blocks.sum(2, dtype=torch.float64)
    targets = uniforms * sums.sum(1)
    block = _draw(sums, uniforms)
    rows = torch.arange(len(weights), device=weights.device)
    before = sums.cumsum(1)[rows, block] - sums[rows, block]
    inside = blocks[rows, block].double()
    within = ((targets - before) / inside.sum(1)).clamp(0, 1)
    return block * BLOCK + _draw(inside, within)


def _draw(weights: Tensor, uniforms: Tensor) -> Tensor:
    cumulative = weights.cumsum(1)
    drawn = torch.searchsorted(cumulative, (uniforms * cumulative[:, -1])[:, None], right=True)[:, 0]
    # Rounding can place a draw past the last entry with a positive weight.
    last = weights.shape[1] - 1 - (weights > 0).flip(1).int().argmax(1)
    return torch.minimum(drawn, last)


def truncated(scores: Tensor, sampling: Sampling) -> Tensor:
    """Return `scores` with -inf for the entries that top-k, min-p and top-p remove.

    Not the warpers of transformers: their top-p sums float32 probabilities over an unstable sort, so which of several
    tokens with equal scores it keeps depends on the shape of the batch. Here the order of the tokens decides.

    Args:
        scores: (rows, entries).
        sampling: which entries are kept.
    """
    if sampling.top_k is not None and sampling.top_k < scores.shape[1]:
        least = scores.topk(sampling.top_k, dim=1).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if sampling.min_p is not None:
        least = scores.amax(1, keepdim=True) + torch.log(
            torch.tensor(sampling.min_p, dtype=scores.dtype, device=scores.device)
        )
        scores = scores.masked_fill(scores < least, -torch.inf)
    if sampling.top_p is not None:
        ordered, entries = scores.sort(dim=1, descending=True, stable=True)
        probabilities = torch.softmax(ordered.double(), dim=1)
        # Kept while the entries before it have not reached top_p; so the likeliest entry is always kept.
        removed = probabilities.cumsum(1) - probabilities >= sampling.top_p
        scores = scores.masked_fill(torch.zeros_like(removed).scatter(1, entries, removed), -torch.inf)
    return scores
