"""Fitting of bins to training values: frequent values are bins of their own, and the others are divided into bins of equal size.

What is stored is a histogram of groups, not of persons: a bin and a part of it hold the values of at least `fewest` subjects, and
limits lie between neighbouring values where numbers lie there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from paracosm.records.codec.bins.histogram import Bin, Histogram, Part

MOST_BINS = 32
"""Bins into which a column of different values is divided."""
MOST_PARTS = 8
"""Parts of equal size of the values in a bin, beside its frequent values."""
FREQUENT = 2
"""How many times as often as the mean of the other values of its bin a value occurs which is a part of its own."""


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
    bins = [
        Bin(first, last, _parts(group, begin, end, fewest))
        for group, (begin, end), first, last in zip(groups, ranges, lows, highs, strict=True)
    ]
    return Histogram(tuple(bins))


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


def _parts(group: Group, begin: int, end: int, fewest: int) -> tuple[Part, ...]:
    """Return the distribution of a group that is spread over [begin, end]: frequent values, and parts of equal size."""
    total = _records(group)
    frequent = [
        each
        for each in group
        if each.subjects >= fewest
        and each.records * (len(group) - 1) >= FREQUENT * (total - each.records)
        and begin <= each.number <= end
    ]
    alone = {each.number for each in frequent}
    rest = [each for each in group if each.number not in alone]
    parts = [(each.number, each.number, each.records / total) for each in frequent]
    if not rest:
        return tuple(parts)
    divided = _merged(_divided(rest, max(float(fewest), _records(rest) / MOST_PARTS)), fewest)
    cuts = [roundest(before[-1].number + 1, after[0].number) for before, after in pairwise(divided)]
    limits = [begin, *(min(max(cut, begin), end) for cut in cuts), end + 1]
    for piece, (first, after) in zip(divided, pairwise(limits), strict=True):
        parts.append((min(first, end), max(first, after - 1), _records(piece) / total))
    return tuple(parts)
