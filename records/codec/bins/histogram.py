"""The bins of a column, over whole numbers: a partition of its domain, and a smooth distribution inside each bin."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

FLOOR = 1e-4
"""Share of a bin's probability that is spread evenly over it, so that no number of the domain is impossible."""
ROUNDING = 1e-6
"""Largest difference between 1 and the sum of the shares of a bin."""
Interval = tuple[int, int]
"""Smallest and largest of some whole numbers without gaps."""
Part = tuple[int, int, float]
"""An interval, and the probability that is spread evenly over it."""


@dataclass(frozen=True)
class Bin:
    """Some neighbouring numbers and their distribution, a mixture of even distributions over intervals.

    Attributes:
        low: smallest number.
        high: largest number.
        parts: intervals inside the bin with their probabilities, which sum to 1; they may overlap.
    """

    low: int
    high: int
    parts: tuple[Part, ...]

    @cached_property
    def mixture(self) -> tuple[Part, ...]:
        """The parts together with the floor over the whole bin."""
        scaled = [(low, high, share * (1 - FLOOR)) for low, high, share in self.parts]
        return (*scaled, (self.low, self.high, FLOOR))

    def probability(self, number: int) -> float:
        """Return the probability of a number, given that it lies in the bin."""
        return math.fsum(
            share / (high - low + 1) for low, high, share in self.mixture if low <= number <= high
        )

    def within(self, intervals: Sequence[Interval]) -> list[Part]:
        """Return the parts of the mixture inside disjoint intervals, with the probability of each."""
        inside = []
        for low, high, share in self.mixture:
            for first, last in intervals:
                begin, end = max(low, first), min(high, last)
                if begin <= end:
                    inside.append((begin, end, share * ((end - begin + 1) / (high - low + 1))))
        return inside

    def mass(self, intervals: Sequence[Interval]) -> float:
        """Return the probability of some disjoint intervals, given that the number lies in the bin."""
        if any(low <= self.low and self.high <= high for low, high in intervals):
            return 1.0
        return math.fsum(share for _, _, share in self.within(intervals))

    def draw(self, random: np.random.Generator, intervals: Sequence[Interval] | None = None) -> int:
        """Draw a number; where there are intervals, one inside them. They need a number in common with the bin."""
        parts = self.mixture if intervals is None else self.within(intervals)
        shares = np.cumsum([share for _, _, share in parts])
        chosen = int(np.searchsorted(shares, random.random() * shares[-1], side="right"))
        # Rounding can place a draw past the last part, or past the last number of a wide one.
        low, high, _ = parts[min(chosen, len(parts) - 1)]
        return min(high, low + int(random.random() * (high - low + 1)))

    @cached_property
    def moments(self) -> tuple[float, float, float]:
        """Mean and standard deviation of the log probability of a drawn number, and the largest one, in nats."""
        edges = sorted({edge for low, high, _ in self.mixture for edge in (low, high + 1)})
        mean = square = 0.0
        largest = -math.inf
        for begin, end in pairwise(edges):
            at = self.probability(begin)
            log, weight = math.log(at), at * (end - begin)
            mean, square, largest = mean + weight * log, square + weight * log**2, max(largest, log)
        return mean, math.sqrt(max(0.0, square - mean**2)), largest

    def to_plain(self) -> list[Any]:
        """Return the bin as JSON values: its smallest number, and its parts."""
        return [self.low, [list(part) for part in self.parts]]


@dataclass(frozen=True)
class Histogram:
    """The bins of one column, in ascending order and without gaps: every number of the domain lies in one of them."""

    bins: tuple[Bin, ...]

    @cached_property
    def _lows(self) -> list[int]:
        return [each.low for each in self.bins]

    def index(self, number: int) -> int:
        """Return the index of the bin of a number of the domain."""
        return bisect_right(self._lows, number) - 1

    def to_plain(self) -> dict[str, Any]:
        """Return the histogram as JSON values that `from_plain` reads back."""
        return {"last": self.bins[-1].high, "bins": [each.to_plain() for each in self.bins]}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Histogram":
        """Return the histogram that `to_plain` wrote.

        Raises:
            ValueError: it is not a partition with a distribution in each bin.
        """
        lows = [low for low, _ in plain["bins"]]
        highs = [*(low - 1 for low in lows[1:]), plain["last"]]
        bins = [
            Bin(low, high, tuple((first, last, share) for first, last, share in parts))
            for (low, parts), high in zip(plain["bins"], highs, strict=False)
        ]
        if not bins or not all(map(_is_sound, bins)):
            raise ValueError("these are not the bins of a column")
        return cls(tuple(bins))


def _is_sound(each: Bin) -> bool:
    """Return whether all limits are whole numbers in order, and the shares sum to 1."""
    limits = [each.low, each.high, *(limit for low, high, _ in each.parts for limit in (low, high))]
    return (
        all(type(limit) is int for limit in limits)
        and each.low <= each.high
        and all(each.low <= low <= high <= each.high and share > 0 for low, high, share in each.parts)
        and abs(math.fsum(share for _, _, share in each.parts) - 1) < ROUNDING
    )
