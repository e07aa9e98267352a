"""Search of functional dependencies between closed columns, such as city and state, product and price."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paracosm.records.relations.columns import SAMPLE, CodeColumn, code_column
from paracosm.records.relations.dependency import Dependency
from paracosm.records.relations.evidence import ENOUGH
from paracosm.records.schema.schema import Schema, Value

FEWEST_RECORDS_EACH = 2
"""Fewest training records of a value whose dependent value is stored. A value that one record has would tell that record's."""
MOST_VALUES = 20_000
"""Most values of a column that takes part."""
LEAST_REPEATED = 0.5
"""Least share of the records whose value of the determinant another record has too."""


def find_dependencies(train: pd.DataFrame, schema: Schema) -> Iterator[Dependency]:
    """Yield the dependencies between the closed columns, and of whole or decimal numbers on closed columns.

    Categories, booleans and whole numbers determine; numbers with decimals are determined only, because a measurement
    is not a code. A whole number that determines another number says nothing that a linear function would not.
    """
    columns = [
        code_column(train[field.name], field)
        for field in schema.modelled
        if field.type in ("category", "boolean", "integer")
        or (field.type == "number" and not field.scientific)
    ]
    columns = [column for column in columns if 1 < len(column.values) <= MOST_VALUES]
    pairs = {
        (one.field.name, other.field.name): other
        for one in columns
        for other in columns
        if one is not other and _can_determine(one, other) and _determines(one, other)
    }
    for one in columns:
        for other in columns:
            if (one.field.name, other.field.name) not in pairs:
                continue
            back = (other.field.name, one.field.name) in pairs
            # Of two columns that determine each other, the closed list is the better determinant.
            if back and _rank(other, columns) < _rank(one, columns):
                continue
            yield _dependency(one, other, both_ways=back)


def _rank(column: CodeColumn, columns: Sequence[CodeColumn]) -> tuple[bool, int]:
    return not _is_closed(column), columns.index(column)


def _is_closed(column: CodeColumn) -> bool:
    return column.field.type in ("category", "boolean")


def _can_determine(one: CodeColumn, other: CodeColumn) -> bool:
    if one.field.type == "number":
        return False
    return len(other.values) <= len(one.values) and (_is_closed(one) or _is_closed(other))


def _determines(one: CodeColumn, other: CodeColumn) -> bool:
    """Return whether each value of the first column has one value of the second, by more than chance."""
    both = (one.codes >= 0) & (other.codes >= 0)
    first, second = one.codes[both], other.codes[both]
    if not _one_value_each(first[: 4 * SAMPLE], second[: 4 * SAMPLE], len(other.values)):
        return False
    if not _one_value_each(first, second, len(other.values)):
        return False
    counts = np.bincount(first, minlength=len(one.values))
    repeated = counts[first] > 1
    if not len(first) or repeated.mean() < LEAST_REPEATED:
        return False
    # The first record of a value may have any value of the other column; each further one agrees with it by chance.
    shares = np.bincount(second, minlength=len(other.values)) / len(second)
    surprise = -np.log(shares[second])
    _, firsts = np.unique(first, return_index=True)
    return float(surprise.sum() - surprise[firsts].sum()) >= ENOUGH


def _one_value_each(first: NDArray[np.int64], second: NDArray[np.int64], width: int) -> bool:
    return len(np.unique(first * width + second)) == len(np.unique(first))


def _dependency(one: CodeColumn, other: CodeColumn, *, both_ways: bool) -> Dependency:
    counts = one.counts
    belongs = np.full(len(one.values), -1)
    both = (one.codes >= 0) & (other.codes >= 0)
    belongs[one.codes[both]] = other.codes[both]
    lacks = np.zeros(len(one.values), dtype=bool)
    lacks[one.codes[(one.codes >= 0) & (other.codes < 0)]] = True
    stored = np.flatnonzero(counts >= FEWEST_RECORDS_EACH)
    entries: list[tuple[Value, Value]] = [
        (one.values[code], None if belongs[code] < 0 else other.values[belongs[code]]) for code in stored
    ]
    lacking = tuple(one.values[code] for code in stored if lacks[code])
    entries.sort(key=lambda entry: str(entry[0]))
    return Dependency(one.field.name, other.field.name, tuple(entries), lacking, _is_closed(one), both_ways)
