"""Fitting of bins to training values: frequent values are bins of their own, and the others are divided into bins of equal size.

What is stored is a histogram of groups, not of persons: a bin and a part of it hold the values of at least `fewest` subjects, and
limits lie between neighbouring values where numbers lie there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from paracosm.records.codec.bins.histogram import Bin, Histogram, Part

MOST_BINS = 32
"""Bins into which a column of different values is divided."""
MOST_CELLS = 8
"""Parts of equal size of the values in a bin, beside its frequent values."""
FREQUENT = 2
"""How many times as often as the mean of the other values of its bin a value occurs which is a part of its own."""

STEPS = (
    1,
    *sorted({factor * 10**digits for digits in range(16) for factor in (1, 2, 5)} - {1} | {15, 30, 60}),
)
"""Steps to whose multiples people round numbers, dates and times."""
LEAST_SHARE = 0.05
"""Share of the numbers of a column that are rounded to a step, from which the step counts."""
ROUNDS = 30
"""Rounds of expectation maximisation."""
TINY = 1e-6
"""Share of numbers that are not rounded where all are, so that no cell is left without any number."""


@dataclass(frozen=True)
class Occurrence:
    """A number of the training records.

    Attributes:
        number: the value as a whole number.
        records: number of records that have it.
        subjects: number of subjects that have it.
    """

    number: int
    records: int
    subjects: int


def fit_histogram(found: Sequence[Occurrence], low: int, high: int, fewest: int) -> Histogram:
    """Return the bins of a column.

    Args:
        found: the numbers of the training records, ascending.
        low: smallest number of the domain.
        high: largest number of the domain.
        fewest: subjects that a bin or a part of it holds at least.
    """
    size = max(sum(each.records for each in found) / MOST_BINS, 2.0 * fewest)
    if len(found) <= MOST_BINS:
        size = float(fewest)
    groups = _merged(_groups(found, size, fewest), fewest)
    ranges = _ranges(groups, fewest)
    lows = [low, *(_begin_of(before, after) for before, after in pairwise(ranges))]
    highs = [*(begin - 1 for begin in lows[1:]), high]
    frequent = [
        _frequent(group, begin, end, fewest) for group, (begin, end) in zip(groups, ranges, strict=True)
    ]
    cells = []
    for group, often, (begin, end) in zip(groups, frequent, ranges, strict=True):
        rest = [each for each in group if each not in often]
        cells.append(_cells(rest, begin, end, fewest) if rest else [])
    roundness = fit_roundness([cell for of_bin in cells for cell in of_bin], fewest)
    parts = [
        _parts(group, often, of_bin, roundness)
        for group, often, of_bin in zip(groups, frequent, cells, strict=True)
    ]
    return Histogram(
        tuple(Bin(first, last, of_bin) for first, last, of_bin in zip(lows, highs, parts, strict=True))
    )


Group = list[Occurrence]


def _records(group: Sequence[Occurrence]) -> int:
    return sum(each.records for each in group)


def _subjects(group: Sequence[Occurrence]) -> int:
    # A subject with several values in a group counts for each; so a group never counts as more than its records.
    return sum(each.subjects for each in group)


def _groups(found: Sequence[Occurrence], size: float, fewest: int) -> list[Group]:
    """Divide the numbers: each frequent one alone, the runs between them into groups of about `size` records."""
    groups: list[Group] = []
    run: Group = []
    for each in found:
        if each.records >= size and each.subjects >= fewest:
            groups += [*_divided(run, size), [each]]
            run = []
        else:
            run.append(each)
    return groups + _divided(run, size)


def _divided(run: Group, size: float) -> list[Group]:
    """Divide a run of numbers into groups of equal size."""
    if not run:
        return []
    total = _records(run)
    pieces = max(1, round(total / size))
    groups: list[Group] = [[] for _ in range(pieces)]
    before = 0
    for each in run:
        # By the middle of its records, so that a frequent number is not divided.
        middle = before + each.records / 2
        groups[min(pieces - 1, int(middle * pieces / total))].append(each)
        before += each.records
    return [group for group in groups if group]


def _merged(groups: list[Group], fewest: int) -> list[Group]:
    """Join a group of too few subjects to the smaller one of its neighbours."""
    groups = [list(group) for group in groups]
    while len(groups) > 1:
        few = next((at for at, group in enumerate(groups) if _subjects(group) < fewest), None)
        if few is None:
            break
        beside = [at for at in (few - 1, few + 1) if 0 <= at < len(groups)]
        at = min(beside, key=lambda at: _records(groups[at]))
        first = min(few, at)
        groups[first : first + 2] = [groups[first] + groups[first + 1]]
    return groups


def _ranges(groups: Sequence[Group], fewest: int) -> list[tuple[int, int]]:
    """Return from where to where the values of each group are spread; the ranges do not overlap."""
    ranges = []
    begin = _inward([each for group in groups for each in group], fewest)
    for before, after in pairwise(groups):
        end, following = _limits(before, after)
        ranges.append((min(begin, end), end))
        begin = following
    last = -_inward([_mirrored(each) for group in reversed(groups) for each in reversed(group)], fewest)
    ranges.append((min(begin, last), max(begin, last)))
    return ranges


def _mirrored(each: Occurrence) -> Occurrence:
    return Occurrence(-each.number, each.records, each.subjects)


def _inward(found: Sequence[Occurrence], fewest: int) -> int:
    """Return the smallest number that is drawn: the first one, or a rounder one above it where few subjects have that."""
    first = found[0]
    if first.subjects >= fewest:
        return first.number
    count, reached = 0, first.number
    for each in found:
        count, reached = count + each.subjects, each.number
        if count >= fewest:
            break
    step = 10 ** max(0, len(str(reached - first.number)) - 1)
    rounded = -(-first.number // step) * step
    return min(rounded + step if rounded == first.number else rounded, max(first.number, reached))


def _limits(before: Group, after: Group) -> tuple[int, int]:
    """Return the last number over which one group is spread, and the first one of the next."""
    last, first = before[-1].number, after[0].number
    below, above = (0 if len(group) == 1 else _spacing(group) for group in (before, after))
    gap = first - last - 1
    if gap <= 0:
        return last, first
    if below and above and gap <= below + above:
        cut = roundest(last + 1, first)
        return cut - 1, cut
    return (
        roundest(last + 1, min(first - 1, last + below)) if below else last,
        roundest(max(last + 1, first - above), first - 1) if above else first,
    )


def _spacing(group: Group) -> int:
    """Return the mean difference between neighbouring numbers of a group."""
    return max(1, round((group[-1].number - group[0].number) / (len(group) - 1)))


def _begin_of(before: tuple[int, int], after: tuple[int, int]) -> int:
    """Return the first number of the bin with the range `after`: that range, and half of the gap before it."""
    return after[0] if after[0] - before[1] <= 1 else roundest(before[1] + 1, after[0])


def roundest(low: int, high: int) -> int:
    """Return the number in [low, high] that is divisible by the largest power of ten, the one next to the middle."""
    middle = (low + high) // 2
    for digits in range(len(str(max(abs(low), abs(high)))), 0, -1):
        step = 10**digits
        for rounded in ((middle // step) * step, -(-middle // step) * step):
            if low <= rounded <= high:
                return rounded
    return middle


@dataclass(frozen=True)
class Cell:
    """Numbers of a bin that are neither frequent nor told apart, beside how round they are.

    Attributes:
        low: smallest number.
        high: largest number.
        group: the numbers of the training records in it, or near it where its limits are rounded.
    """

    low: int
    high: int
    group: tuple[Occurrence, ...]


def _frequent(group: Group, begin: int, end: int, fewest: int) -> Group:
    """Return the numbers of a group that are parts of their own."""
    total = _records(group)
    return [
        each
        for each in group
        if each.subjects >= fewest
        and each.records * (len(group) - 1) >= FREQUENT * (total - each.records)
        and begin <= each.number <= end
    ]


def _cells(rest: Group, begin: int, end: int, fewest: int) -> list[Cell]:
    """Divide [begin, end], over which some numbers are spread, into cells of equal size."""
    divided = _merged(_divided(rest, max(float(fewest), _records(rest) / MOST_CELLS)), fewest)
    cuts = [roundest(before[-1].number + 1, after[0].number) for before, after in pairwise(divided)]
    limits = [begin, *(min(max(cut, begin), end) for cut in cuts), end + 1]
    return [
        Cell(min(first, end), max(first, after - 1), tuple(piece))
        for piece, (first, after) in zip(divided, pairwise(limits), strict=True)
    ]


def _parts(
    group: Group, frequent: Group, cells: Sequence[Cell], roundness: Mapping[int, float]
) -> tuple[Part, ...]:
    """Return the distribution of a group: frequent values, and cells whose multiples of a step are equally probable."""
    total = _records(group)
    parts = [Part(each.number, each.number, each.records / total) for each in frequent]
    for cell in cells:
        steps = [
            (inside, share)
            for step, share in roundness.items()
            if (inside := _multiples(cell, step)) is not None
        ]
        of_steps = sum(share for _, share in steps)
        for inside, share in steps:
            parts.append(replace(inside, share=_records(cell.group) / total * share / of_steps))
    return tuple(parts)


def _multiples(cell: Cell, step: int) -> Part | None:
    return Part(cell.low // step * step, -(-cell.high // step) * step, 1.0, step).within(cell.low, cell.high)


def fit_roundness(cells: Sequence[Cell], fewest: int) -> dict[int, float]:
    """Return how round the numbers of a column are: step -> share of the numbers that are any multiple of it.

    People round what they write: blood pressures are even, incomes are multiples of 100. Fitted by expectation maximisation to all
    cells together; a share of few numbers counts as none.
    """
    widest = max((cell.high - cell.low for cell in cells), default=0)
    steps = [step for step in STEPS if step <= max(1, widest)]
    rows = [(cell, each) for cell in cells for each in cell.group]
    records = np.array([each.records for _, each in rows], dtype=float)
    counts = np.array([[_count(cell, step) for step in steps] for cell, _ in rows], dtype=float)
    divides = np.array([[each.number % step == 0 for step in steps] for _, each in rows], dtype=float)
    shares = np.full(len(steps), 1 / len(steps))
    for _ in range(ROUNDS if rows else 0):
        possible = (shares * (counts > 0)).sum(1, keepdims=True)
        likelihood = (
            shares / possible * np.divide(divides, counts, where=counts > 0, out=np.zeros_like(divides))
        )
        likelihood[:, 0] += TINY
        of_steps = (records[:, None] * likelihood / likelihood.sum(1, keepdims=True)).sum(0)
        shares = of_steps / of_steps.sum()
    least = max(LEAST_SHARE, fewest / max(1.0, records.sum()))
    kept = {
        step: float(share) for step, share in zip(steps, shares, strict=True) if step == 1 or share >= least
    }
    total = sum(kept.values())
    return {step: max(share / total, TINY) for step, share in kept.items()}


def _count(cell: Cell, step: int) -> int:
    inside = _multiples(cell, step)
    return 0 if inside is None else inside.count
