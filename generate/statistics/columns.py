"""Columns as atoms: the values that many people share, and ranges of the others, so that nobody's own value is kept.

A number or date that at least two people share is an atom of its own. The others, between two such values, are joined
in their order to ranges of a few people each; a value is drawn uniformly from the grid of its range. A range that is too
narrow, or holds too few people, is counted to the nearest shared value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from paracosm.generate.constraints.allowed_values import AllowedValues
from paracosm.generate.statistics.value_grid import Grid, grid_of
from paracosm.records.schema.schema import Field, Value

MISSING = -1
"""Code of a missing cell."""
OUTSIDE = -2
"""Code of a value between the atoms; it has the probability that the fallback gives it."""
SHARED = 2
"""Fewest people who share a value that is kept as it is."""
PEOPLE = 3
"""Fewest people of a range of values that are not shared."""
MOST_ATOMS = 2048
"""In a column with more shared values or ranges than about so many, those of few people are joined."""


@dataclass(frozen=True)
class Column:
    """A field with its atoms. A code is the index of an atom, or `MISSING`.

    Attributes:
        field: not a text.
        low: (atoms,) number on the grid of the smallest value of each atom; ascending.
        high: (atoms,) likewise of the largest value.
        counts: (atoms,) training records of each atom.
        missing: training records without a value.
    """

    field: Field
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    missing: int

    @cached_property
    def grid(self) -> Grid:
        """The numbered values of the field."""
        return grid_of(self.field)

    @cached_property
    def sizes(self) -> np.ndarray:
        """(atoms,) values of each atom."""
        return (self.high - self.low + 1).astype(np.float64)

    @cached_property
    def middles(self) -> np.ndarray:
        """(atoms,) position of each atom in the ordered training values: the share below it and half of its own."""
        counts = self.counts + 1e-9
        return (np.cumsum(counts) - counts / 2) / counts.sum()

    @cached_property
    def groups(self) -> np.ndarray:
        """(atoms,) group of each atom: neighbours with about n / (2 n^(1/3)) of n training records together; of a list, each alone.

        A method that finds few records with the same known fields draws a group from them, and an atom of it from all records,
        so that what a few people have in common is not tied to single values of theirs.
        """
        if not self.field.ordered:
            return np.arange(len(self.low))
        size = max(self.counts.sum() ** (2 / 3) / 2, 1.0)
        groups = np.zeros(len(self.low), dtype=np.int64)
        group, held = 0, 0
        for atom, count in enumerate(self.counts.tolist()):
            if held and held + count / 2 > size:
                group, held = group + 1, 0
            groups[atom] = group
            held += count
        return groups

    @cached_property
    def within_group(self) -> np.ndarray:
        """(atoms,) share of each atom among the training records of its group."""
        totals = np.bincount(self.groups, self.counts)
        return self.counts / np.maximum(totals[self.groups], 1)

    def atoms_of_groups(self, groups: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Return an atom of each group, drawn by `within_group` with one random number each."""
        sums = np.cumsum(self.counts)
        totals = np.bincount(self.groups, self.counts)
        before = np.cumsum(totals) - totals
        return np.searchsorted(sums, before[groups] + uniforms * totals[groups], side="right")

    @cached_property
    def _breaks(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers on the grid, ascending, and their positions; between them positions are interpolated."""
        counts = self.counts + 1e-9
        above = np.cumsum(counts) / counts.sum()
        wide = self.high > self.low
        numbers = np.concatenate([self.low, self.high[wide]]).astype(np.float64)
        at = np.concatenate([np.where(wide, above - counts / counts.sum(), self.middles), above[wide]])
        order = np.argsort(numbers, kind="stable")
        return numbers[order], at[order]

    def numbers(self, values: Sequence[Value]) -> np.ndarray:
        """Return the numbers on the grid of some values, 0 for missing ones: int64."""
        index = self.grid.index
        return np.array([0 if value is None else index(value) for value in values], dtype=np.int64)

    def codes(self, values: Sequence[Value]) -> np.ndarray:
        """Return the code of each value: the atom that holds it, `MISSING`, or `OUTSIDE` between the atoms."""
        absent = np.array([value is None for value in values], dtype=bool)
        numbers = self.numbers(values)
        if not len(self.low):
            return np.where(absent, MISSING, OUTSIDE)
        at = np.clip(np.searchsorted(self.low, numbers, side="right") - 1, 0, None)
        inside = (numbers >= self.low[at]) & (numbers <= self.high[at])
        return np.where(absent, MISSING, np.where(inside, at, OUTSIDE))

    def nearest_codes(self, values: Sequence[Value]) -> np.ndarray:
        """Return the code of each value, of the nearest atom where none holds it."""
        codes = self.codes(values)
        outside = codes == OUTSIDE
        if outside.any():
            numbers = self.numbers(values)[outside]
            above = np.clip(np.searchsorted(self.low, numbers), 0, len(self.low) - 1)
            below = np.clip(above - 1, 0, None)
            lower = numbers - self.high[below] < self.low[above] - numbers
            codes[outside] = np.where(lower & (self.high[below] < numbers), below, above)
        return codes

    def positions(self, numbers: np.ndarray, absent: np.ndarray) -> np.ndarray:
        """Return values as what later fields depend on: of an ordered field its position in [0, 1], else its number; NaN for missing.

        Args:
            numbers: on the grid.
            absent: booleans, whether the cell is missing.
        """
        if self.field.ordered and len(self.low):
            found = np.interp(numbers.astype(np.float64), *self._breaks)
        else:
            found = numbers.astype(np.float64)
        return np.where(absent, np.nan, found)

    def shares(self, allowed: AllowedValues) -> tuple[np.ndarray, float]:
        """Return which share of each atom's values is allowed, and which share of the domain's."""
        if allowed.all_present:
            return np.ones(len(self.low)), 1.0
        points = self.points(allowed)
        if points is not None:
            inside = np.searchsorted(points, self.high, "right") - np.searchsorted(points, self.low, "left")
            return inside / self.sizes, len(points) / len(self.grid)
        first, last = self.interval(allowed)
        inside = np.minimum(self.high, last) - np.maximum(self.low, first) + 1
        return np.maximum(inside, 0) / self.sizes, max(last - first + 1, 0) / len(self.grid)

    def points(self, allowed: AllowedValues) -> np.ndarray | None:
        """Return the numbers on the grid of listed allowed values, ascending; None for an interval."""
        if allowed.values is None:
            return None
        return np.unique(np.array([self.grid.index(value) for value in allowed.values], dtype=np.int64))

    def interval(self, allowed: AllowedValues) -> tuple[int, int]:
        """Return the first and the last number on the grid of an interval of allowed values."""
        first = self.grid.first if allowed.low is None else max(self.grid.index(allowed.low), self.grid.first)
        last = self.grid.last if allowed.high is None else min(self.grid.index(allowed.high), self.grid.last)
        return first, last

    def pick(self, allowed: AllowedValues, low: int, high: int, uniform: float) -> int:
        """Return a number on the grid, uniform over the allowed values between two numbers."""
        points = self.points(allowed)
        if points is not None:
            inside = points[np.searchsorted(points, low, "left") : np.searchsorted(points, high, "right")]
            return int(inside[int(uniform * len(inside))])
        first, last = self.interval(allowed)
        low, high = max(low, first), min(high, last)
        return low + int(uniform * (high - low + 1))

    def to_plain(self) -> dict[str, Any]:
        """Return what `from_arrays` needs besides the arrays, as JSON values."""
        return {"missing": self.missing}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the column."""
        return {"low": self.low, "high": self.high, "counts": self.counts}

    @classmethod
    def from_arrays(
        cls, field: Field, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> "Column":
        """Return the column that `to_plain` and `arrays` describe."""
        return cls(field, arrays["low"], arrays["high"], arrays["counts"], plain["missing"])


def fit_column(field: Field, values: Sequence[Value], people: np.ndarray) -> Column:
    """Return the column of some training values.

    Args:
        field: not a text.
        values: one per training record.
        people: (records,) number of the person whom each record is about.
    """
    grid = grid_of(field)
    present = np.array([value is not None for value in values], dtype=bool)
    numbers = np.array([grid.index(value) for value in values if value is not None], dtype=np.int64)
    absent = int((~present).sum())
    if not field.ordered:
        every = np.arange(grid.first, grid.last + 1)
        return Column(field, every, every, np.bincount(numbers, minlength=len(every)), absent)
    low, high = _atoms(numbers, people[present], grid)
    empty = Column(field, low, high, np.ones(len(low), dtype=np.int64), absent)
    codes = empty.nearest_codes([value for value in values if value is not None])
    return Column(field, low, high, np.bincount(codes, minlength=len(low)).astype(np.int64), absent)


def _atoms(numbers: np.ndarray, people: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return smallest and largest number on the grid of each atom."""
    if not len(numbers):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    values, of_record = np.unique(numbers, return_inverse=True)
    pairs = np.unique(np.stack([of_record, people], axis=1), axis=0)
    holders = np.bincount(pairs[:, 0], minlength=len(values))
    least = -(-len(numbers) // MOST_ATOMS)
    shared = holders >= max(SHARED, least)
    low, high = [], []
    for begin, end in _runs(shared):
        if shared[begin]:
            low += values[begin:end].tolist()
            high += values[begin:end].tolist()
            continue
        first = values[begin - 1] + 1 if begin else max(grid.first, values[0] - _gap(values[:end]))
        last = (
            values[end] - 1 if end < len(values) else min(grid.last, values[-1] + _gap(values[begin:][::-1]))
        )
        cuts = _cuts(values[begin:end], holders[begin:end], int(first), int(last), max(PEOPLE, least))
        low += [cut[0] for cut in cuts]
        high += [cut[1] for cut in cuts]
    if not low:
        return np.array([grid.first]), np.array([grid.last])
    return np.array(low, dtype=np.int64), np.array(high, dtype=np.int64)


def _gap(values: np.ndarray) -> int:
    """Return the mean distance of the first few values, by which a range reaches beyond them."""
    few = values[:PEOPLE]
    return int(abs(few[-1] - few[0])) // max(len(few) - 1, 1)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return first and end of each run of equal flags."""
    ends = [*(np.flatnonzero(np.diff(flags)) + 1).tolist(), len(flags)]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _cuts(
    values: np.ndarray, holders: np.ndarray, first: int, last: int, people: int
) -> list[tuple[int, int]]:
    """Cut the grid from `first` to `last`, whose values few people share, into ranges of enough people each.

    No range ends at a value of one person; where the values of a range are too few, there is no range.
    """
    cuts, begin, held = [], first, 0
    left = int(holders.sum())
    for at in range(len(values)):
        held += int(holders[at])
        left -= int(holders[at])
        if held < people or left < people:
            continue
        # Between two neighbouring values, so that the bound is nobody's value where there is room.
        end = int(values[at] + (values[at + 1] - values[at]) // 2)
        cuts.append((begin, end))
        begin, held = end + 1, 0
    if held >= people and last > begin:
        cuts.append((begin, last))
    return cuts
