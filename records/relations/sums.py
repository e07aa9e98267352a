"""Search of sums and differences: a column that is the sum of others, and days or hours between two moments."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from paracosm.records.relations.columns import SAMPLE, NumberColumn, fullest
from paracosm.records.relations.evidence import FEWEST_RECORDS, has_evidence, holds_throughout
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.relation import ABSOLUTE, RELATIVE, quoted, slack

UNITS = ((1.0, ""), (24.0, "24 * "), (1440.0, "1440 * "), (86400.0, "86400 * "))
"""Days, hours, minutes and seconds per day, and how a rule writes the factor."""
MOST_REGRESSED = 60
"""Columns of a table beyond which sums of more than two columns are not searched."""


def find_sums(columns: Sequence[NumberColumn], equal: set[frozenset[str]]) -> Iterator[Linear]:
    """Yield sums of two columns, then sums of more, then differences of moments.

    Args:
        columns: numbers and moments.
        equal: pairs of equal columns, of which only the first takes part.
    """
    doubles = {
        other.name for one, other in combinations(columns, 2) if frozenset((one.name, other.name)) in equal
    }
    numbers = [
        column for column in columns if not column.is_moment and column.unit and column.name not in doubles
    ]
    results: set[str] = set()
    for relation in _sums_of_two(numbers):
        results.add(relation.terms[-1][0])
        yield relation
    if len(numbers) <= MOST_REGRESSED:
        yield from _longer_sums([column for column in numbers if column.name not in results], numbers)
    yield from _durations([column for column in columns if column.is_moment], numbers)


def _sums_of_two(columns: list[NumberColumn]) -> Iterator[Linear]:
    if len(columns) < 3:
        return
    table = np.stack([column.values for column in columns])
    scale = slack(float(np.nanmax(np.abs(table))) * 3) * 10
    sample = fullest(table)
    for one, other in combinations(range(len(columns)), 2):
        with np.errstate(invalid="ignore"):
            differs = np.abs(sample[one] + sample[other] - sample) > scale
        for result in np.flatnonzero(~differs.any(axis=1)):
            if result in (one, other):
                continue
            relation = _checked([columns[one], columns[other]], columns[result])
            if relation is not None:
                yield relation


def _longer_sums(columns: list[NumberColumn], among: list[NumberColumn]) -> Iterator[Linear]:
    """Yield sums of three or more columns, found by least squares with the coefficients 1 and -1."""
    for result in columns:
        parts = [column for column in columns if column.name != result.name]
        if len(parts) < 3:
            return
        present = ~np.isnan(np.stack([result.values, *(column.values for column in parts)])).any(axis=0)
        rows = np.flatnonzero(present)[: 4 * SAMPLE]
        if len(rows) < 2 * len(parts) + FEWEST_RECORDS:
            continue
        matrix = np.stack([column.values[rows] for column in parts], axis=1)
        factors, *_ = np.linalg.lstsq(matrix, result.values[rows], rcond=None)
        whole = np.round(factors)
        if np.abs(factors - whole).max() > 1e-4 or np.abs(whole).max() > 1 or np.abs(whole).sum() < 3:
            continue
        added = [column for column, factor in zip(parts, whole, strict=True) if factor == 1]
        taken = [column for column, factor in zip(parts, whole, strict=True) if factor == -1]
        if len(taken) < len(added):
            relation = _checked(added, result, taken)
            if relation is not None:
                yield relation
                return


def _checked(
    added: list[NumberColumn], result: NumberColumn, taken: Sequence[NumberColumn] = ()
) -> Linear | None:
    """Return the relation that the sum of columns is the result, if it holds in all records and by more than chance."""
    columns = [*added, *taken, result]
    factors = [1.0] * len(added) + [-1.0] * (len(taken) + 1)

    def differs(parts: tuple[NDArray[np.float64], ...]) -> NDArray[np.bool_]:
        total = sum(factor * part for factor, part in zip(factors, parts, strict=True))
        size = sum(np.abs(part) for part in parts)
        return np.abs(total) > ABSOLUTE + RELATIVE * size  # type: ignore[no-any-return]

    if not holds_throughout(columns, differs):
        return None
    text = " + ".join(quoted(column.name) for column in added)
    text += "".join(f" - {quoted(column.name)}" for column in taken)
    terms = tuple((column.name, factor) for column, factor in zip(columns, factors, strict=True))
    return Linear(terms, 0.0, 0.0, f"{text} == {quoted(result.name)}")


def _durations(moments: list[NumberColumn], numbers: list[NumberColumn]) -> Iterator[Linear]:
    for start, end in combinations(moments, 2):
        for number in numbers:
            relation = _duration(start, end, number) or _duration(end, start, number)
            if relation is not None:
                yield relation


def _duration(start: NumberColumn, end: NumberColumn, number: NumberColumn) -> Linear | None:
    present = ~(np.isnan(start.values) | np.isnan(end.values) | np.isnan(number.values))
    if int(present.sum()) < FEWEST_RECORDS:
        return None
    begins, ends, numbers = start.values[present], end.values[present], number.values[present]
    for factor, shown in UNITS:
        rest = numbers - factor * (ends - begins)
        error = slack(factor * float(np.abs(ends).max() + np.abs(begins).max()))
        low, high = float(rest.min()), float(rest.max())
        if high - low > number.unit + 2 * error or max(-low, high) > number.unit + error:
            continue
        exact = max(-low, high) <= error

        def holds(
            parts: tuple[NDArray[np.float64], ...],
            factor: float = factor,
            low: float = low,
            high: float = high,
        ) -> NDArray[np.bool_]:
            values = parts[2] - factor * (parts[1] - parts[0])
            return (values >= low - error) & (values <= high + error)  # noqa: B023  # called at once

        if not has_evidence((begins, ends, numbers), holds):
            continue
        difference = f"{shown}({quoted(end.name)} - {quoted(start.name)})"
        terms = ((start.name, factor), (end.name, -factor), (number.name, 1.0))
        if exact:
            return Linear(terms, 0.0, 0.0, f"{quoted(number.name)} == {difference}")
        half = number.unit / 2
        if -half - error <= low and high <= half + error:
            low, high = -half, half
        else:
            low, high = (-number.unit, 0.0) if high <= error else (0.0, number.unit)
        text = f"abs({quoted(number.name)} - {difference}) <= {max(-low, high):g}"
        return Linear(terms, low, high, text)
    return None
