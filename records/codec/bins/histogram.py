"""The bins of a column, over whole numbers: a partition of its domain, and a smooth distribution inside each bin."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

FLOOR = 1e-4
"""Share of a bin's probability that is spread evenly over it, so that no number of the domain is impossible."""
ROUNDING = 1e-6
"""Largest difference between 1 and the sum of the shares of a bin."""
Interval = tuple[int, int]
"""Smallest and largest of some whole numbers without gaps."""
ENUMERATED = 20_000
"""Numbers of a bin up to which its moments are exact; those of a wider bin are estimated from as many draws."""


@dataclass(frozen=True)
class Part:
    """Numbers that are equally probable: the multiples of a step between two of them.

    Attributes:
        low: smallest number.
        high: largest number.
        share: probability of all of them together.
        step: difference between neighbours, which divides each of them.
    """

    low: int
    high: int
    share: float
    step: int = 1

    @property
    def count(self) -> int:
        """How many numbers they are."""
        return (self.high - self.low) // self.step + 1

    def within(self, low: int, high: int) -> "Part | None":
        """Return the numbers of the part in [low, high] with their probability; None if there are none."""
        begin = -(-max(low, self.low) // self.step) * self.step
        end = min(high, self.high) // self.step * self.step
        if begin > end:
            return None
        inside = Part(begin, end, 1.0, self.step)
        return Part(begin, end, self.share * (inside.count / self.count), self.step)


@dataclass(frozen=True)
class Bin:
    """Some neighbouring numbers and their distribution, a mixture of parts.

    Attributes:
        low: smallest number.
        high: largest number.
        parts: parts inside the bin, whose shares sum to 1; they may overlap.
    """

    low: int
    high: int
    parts: tuple[Part, ...]

    @cached_property
    def mixture(self) -> tuple[Part, ...]:
        """The parts together with the floor over the whole bin."""
        scaled = [Part(part.low, part.high, part.share * (1 - FLOOR), part.step) for part in self.parts]
        return (*scaled, Part(self.low, self.high, FLOOR))

    def probability(self, number: int) -> float:
        """Return the probability of a number, given that it lies in the bin."""
        return math.fsum(
            part.share / part.count
            for part in self.mixture
            if part.low <= number <= part.high and number % part.step == 0
        )

    def within(self, intervals: Sequence[Interval]) -> list[Part]:
        """Return the parts of the mixture inside disjoint intervals."""
        inside = [part.within(*interval) for part in self.mixture for interval in intervals]
        return [part for part in inside if part is not None]

    def mass(self, intervals: Sequence[Interval]) -> float:
        """Return the probability of some disjoint intervals, given that the number lies in the bin."""
        if any(low <= self.low and self.high <= high for low, high in intervals):
            return 1.0
        return math.fsum(part.share for part in self.within(intervals))

    def draw(self, random: np.random.Generator, intervals: Sequence[Interval] | None = None) -> int:
        """Draw a number; where there are intervals, one inside them. They need a number in common with the bin."""
        parts = self.mixture if intervals is None else self.within(intervals)
        shares = np.cumsum([part.share for part in parts])
        chosen = int(np.searchsorted(shares, random.random() * shares[-1], side="right"))
        # Rounding can place a draw past the last part, or past the last number of a wide one.
        part = parts[min(chosen, len(parts) - 1)]
        return part.low + part.step * min(part.count - 1, int(random.random() * part.count))

    @cached_property
    def moments(self) -> tuple[float, float, float]:
        """Mean and standard deviation of the log probability of a drawn number, and the largest one, in nats."""
        if self.high - self.low < ENUMERATED:
            weights = np.array([self.probability(number) for number in range(self.low, self.high + 1)])
            logs = np.log(weights)
        else:
            random = np.random.default_rng(0)
            drawn = [self.probability(self.draw(random)) for _ in range(ENUMERATED)]
            weights, logs = np.full(ENUMERATED, 1 / ENUMERATED), np.log(drawn)
        mean = float((weights * logs).sum())
        return mean, math.sqrt(float((weights * (logs - mean) ** 2).sum())), float(logs.max())

    def to_plain(self) -> list[Any]:
        """Return the bin as JSON values: its smallest number, and its parts."""
        return [self.low, [[part.low, part.high, part.share, part.step] for part in self.parts]]


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
            Bin(low, high, tuple(Part(*part) for part in parts))
            for (low, parts), high in zip(plain["bins"], highs, strict=False)
        ]
        if not bins or not all(map(_is_sound, bins)):
            raise ValueError("these are not the bins of a column")
        return cls(tuple(bins))


def _is_sound(each: Bin) -> bool:
    """Return whether all limits are whole numbers in order that the steps divide, and the shares sum to 1."""
    return (
        type(each.low) is int
        and type(each.high) is int
        and each.low <= each.high
        and all(_fits(part, each) for part in each.parts)
        and abs(math.fsum(part.share for part in each.parts) - 1) < ROUNDING
    )


def _fits(part: Part, each: Bin) -> bool:
    return (
        all(type(number) is int for number in (part.low, part.high, part.step))
        and part.step > 0
        and each.low <= part.low <= part.high <= each.high
        and part.low % part.step == 0
        and part.high % part.step == 0
        and part.share > 0
    )
