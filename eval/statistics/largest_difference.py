"""Which of many differences are beyond chance: a permutation test of the largest one (Westfall & Young 1993)."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

FALSE_ALARMS = 0.01
"""How often at least one of all differences of two samples of the same distribution counts as beyond chance."""

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class LargestDifference(Generic[Name]):
    """Scores of many differences on one scale, and the probability that chance makes the largest of them."""

    scores: dict[Name, float]
    threshold: float
    p_value: float

    @property
    def beyond_chance(self) -> list[Name]:
        """The differences that chance would exceed anywhere in at most 1% of samples, the clearest first."""
        names = [name for name, score in self.scores.items() if score > self.threshold]
        return sorted(names, key=lambda name: -self.scores[name])


def largest_difference(statistics: Mapping[Name, np.ndarray]) -> LargestDifference[Name]:
    """Return which statistics are beyond chance.

    Every statistic is brought to a normal scale by its mean and variance over the permutations and the cube root of Wilson &
    Hilferty (1931), so that differences of few and of many moments compete alike.

    Args:
        statistics: non-negative values by name: the observed one, then those under permutations.
    """
    scores = {name: _normal_scores(values) for name, values in statistics.items()}
    largest = np.max(list(scores.values()), axis=0)
    permuted = np.sort(largest[1:])
    rank = int(np.ceil((1 - FALSE_ALARMS) * (len(permuted) + 1))) - 1
    return LargestDifference(
        {name: float(values[0]) for name, values in scores.items()},
        float(permuted[min(rank, len(permuted) - 1)]),
        float((1 + (permuted >= largest[0]).sum()) / (1 + len(permuted))),
    )


def _normal_scores(values: np.ndarray) -> np.ndarray:
    """Return values on a normal scale; the mean and variance for one of them come from the other permuted ones alone.

    With its own value among them, an extreme one would look less extreme than the observed one does.
    """
    permuted, count = values[1:], len(values) - 1
    others = np.append(count, np.full(count, count - 1))
    mean = (permuted.sum() - np.append(0.0, permuted)) / others
    squares = (permuted**2).sum() - np.append(0.0, permuted**2)
    variance = np.maximum(squares - others * mean**2, 0.0) / (others - 1)
    spread = variance / (9 * np.maximum(mean, 1e-150) ** 2)
    scores = (np.cbrt(np.maximum(values, 0.0) / np.maximum(mean, 1e-300)) - (1 - spread)) / np.sqrt(
        np.maximum(spread, 1e-300)
    )
    return np.where((mean > 0) & (variance > 0), scores, np.where(values > mean, np.inf, 0.0))
