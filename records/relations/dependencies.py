"""Functional dependencies between closed columns: a value of one determines that of another, as a city its state."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paracosm.records.relations.columns import (
    SAMPLE,
    CodeColumn,
    IsCommon,
    code_column,
    every_value,
    is_ordered,
)
from paracosm.records.relations.evidence import ENOUGH
from paracosm.records.relations.relation import Narrowing, Spans, quoted
from paracosm.records.schema.schema import Schema, Value

FEWEST_RECORDS_EACH = 2
"""Fewest training records of a value whose dependent value is stored. A value that one record has would tell that record's."""
MOST_VALUES = 20_000
"""Most values of a column that takes part."""
LEAST_REPEATED = 0.5
"""Least share of the records whose value of the determinant another record has too."""
LEAST_MEAN = 5
"""Least mean number of records per value of a whole number that determines another whole number."""


@dataclass(frozen=True)
class Dependency:
    """Each value of `determinant` has one value of `dependent`.

    A value of the determinant that one training record or fewer than five subjects have (`data.rare`) is not stored, because
    what belongs to it would be theirs. It is drawn only where a condition asks for it.

    Attributes:
        determinant: a field of closed values, or of whole numbers.
        dependent: a field.
        entries: values of the determinant with the value that belongs to each; None for a missing one.
        lacking: values of the determinant that some records have without a value of the dependent.
        closed: whether the determinant is a closed list; else values between two entries take the value of either.
        both_ways: whether the dependent determines the determinant too.
        whole: whether every value of the determinant is stored.
    """

    kind: ClassVar[str] = "dependency"

    determinant: str
    dependent: str
    entries: tuple[tuple[Value, Value], ...]
    lacking: tuple[Value, ...] = ()
    closed: bool = True
    both_ways: bool = False
    whole: bool = True

    @property
    def text(self) -> str:
        first, second = quoted(self.determinant), quoted(self.dependent)
        return (
            f"{first} and {second} determine each other" if self.both_ways else f"{first} determines {second}"
        )

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((self.determinant, self.dependent))

    def of(self, value: Value) -> frozenset[Value] | None:
        """Return the values of the dependent, missing one included, that belong to a value of the determinant; None for any."""
        if value is None:
            return None
        if value in self._sets or self.closed:
            return self._sets.get(value)
        at = bisect_left(self._sorted, value)
        beside = self._sorted[max(at - 1, 0) : at + 1]
        return frozenset().union(*(self._sets[key] for key in beside)) if beside else None

    @cached_property
    def _sets(self) -> dict[Value, frozenset[Value]]:
        lacking = set(self.lacking)
        return {key: frozenset({value, None} if key in lacking else {value}) for key, value in self.entries}

    @cached_property
    def _sorted(self) -> list[Any]:
        return sorted(key for key, _ in self.entries)  # type: ignore[type-var]  # one type a field

    @cached_property
    def _with(self) -> dict[Value, frozenset[Value]]:
        groups: dict[Value, set[Value]] = {}
        for key, values in self._sets.items():
            for value in values:
                groups.setdefault(value, set()).add(key)
        return {value: frozenset(keys) for value, keys in groups.items()}

    @cached_property
    def _keys(self) -> frozenset[Value]:
        return frozenset(self._sets)

    @cached_property
    def _images(self) -> frozenset[Value]:
        return frozenset(value for _, value in self.entries if value is not None)

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        if self.determinant not in values or self.dependent not in values:
            return None
        allowed = self.of(values[self.determinant])
        return None if allowed is None else values[self.dependent] in allowed

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        if name == self.determinant:
            if self.dependent in values:
                return Narrowing(values=self._with.get(values[self.dependent], frozenset()))
            return Narrowing(values=self._keys) if self.closed and not self.whole else None
        if self.determinant not in values:
            return Narrowing(values=self._images) if self.determinant in spans else None
        return allowed_values(self.of(values[self.determinant]))


def allowed_values(allowed: frozenset[Value] | None) -> Narrowing | None:
    """Return the narrowing to some values, of which None is the missing one."""
    if allowed is None:
        return None
    if None not in allowed:
        return Narrowing(values=allowed, missing=False)
    return Narrowing(values=allowed - {None}, missing=True if len(allowed) == 1 else None)


def find_dependencies(
    train: pd.DataFrame, schema: Schema, functions: Set[frozenset[str]], is_common: IsCommon = every_value
) -> Iterator[Dependency]:
    """Yield the dependencies between closed columns and whole numbers, and those of decimal numbers on closed columns.

    Numbers with decimals are determined only, because a measurement is not a code.

    Args:
        train: typed table of the training records.
        schema: its fields.
        functions: pairs of columns of which one is a linear function of the other, which says more.
        is_common: tells which values of a determinant may be stored.
    """
    columns = [
        code_column(train[field.name], field)
        for field in schema.modelled
        if field.discrete or (is_ordered(field) and not field.is_moment and not field.scientific)
    ]
    columns = [column for column in columns if 1 < len(column.values) <= MOST_VALUES]
    pairs = {
        (one.field.name, other.field.name): other
        for one in columns
        for other in columns
        if one is not other
        and _can_determine(one, other)
        and frozenset((one.field.name, other.field.name)) not in functions
        and _determines(one, other)
    }
    for one in columns:
        for other in columns:
            if (one.field.name, other.field.name) not in pairs:
                continue
            back = (other.field.name, one.field.name) in pairs
            # Of two columns that determine each other, the closed list is the better determinant.
            if back and _rank(other, columns) < _rank(one, columns):
                continue
            yield _dependency(one, other, is_common, both_ways=back)


def _rank(column: CodeColumn, columns: Sequence[CodeColumn]) -> tuple[bool, int]:
    return not column.field.discrete, columns.index(column)


def _can_determine(one: CodeColumn, other: CodeColumn) -> bool:
    if not one.field.discrete and not one.field.is_whole:
        return False
    if len(other.values) > len(one.values):
        return False
    if one.field.discrete or other.field.discrete:
        return True
    # Of two whole numbers, both have to look like codes, which many records share.
    return other.field.is_whole and int(one.counts.sum()) >= LEAST_MEAN * len(one.values)


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


def _dependency(one: CodeColumn, other: CodeColumn, is_common: IsCommon, *, both_ways: bool) -> Dependency:
    counts = one.counts
    belongs = np.full(len(one.values), -1)
    both = (one.codes >= 0) & (other.codes >= 0)
    belongs[one.codes[both]] = other.codes[both]
    lacks = np.zeros(len(one.values), dtype=bool)
    lacks[one.codes[(one.codes >= 0) & (other.codes < 0)]] = True
    common = np.array([is_common(one.field.name, value) for value in one.values], dtype=bool)
    stored = np.flatnonzero((counts >= FEWEST_RECORDS_EACH) & common)
    entries: list[tuple[Value, Value]] = [
        (one.values[code], None if belongs[code] < 0 else other.values[belongs[code]]) for code in stored
    ]
    lacking = tuple(one.values[code] for code in stored if lacks[code])
    entries.sort(key=lambda entry: str(entry[0]))
    return Dependency(
        one.field.name,
        other.field.name,
        tuple(entries),
        lacking,
        closed=one.field.discrete,
        both_ways=both_ways,
        whole=len(stored) == len(one.values),
    )
