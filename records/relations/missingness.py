"""Relations of missing cells: fields that are missing together, or wherever another field has certain values.

Categories and small whole numbers decide by each value. Of a column of many numbers only 0, all other numbers and the
missing cell decide, because a single measurement is not a reason for a cell to be missing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paracosm.records.relations.columns import (
    CodeColumn,
    IsCommon,
    code_column,
    every_value,
    is_ordered,
)
from paracosm.records.relations.evidence import ENOUGH
from paracosm.records.relations.relation import Narrowing, Spans, quoted
from paracosm.records.schema.schema import Schema, Value

SHOWN = 4
"""Values that a text lists."""
FEWEST_RECORDS_EACH = 10
"""Fewest training records of a value that says whether another field is missing."""
MOST_VALUES = 200
"""Most values of a closed column that decides."""
MOST_NUMBERS = 20
"""Most values of a column of whole numbers that decides by each of them."""


@dataclass(frozen=True)
class MissingTogether:
    """Two fields are missing in the same records.

    Attributes:
        first: a field.
        second: a field.
    """

    kind: ClassVar[str] = "missing_together"

    first: str
    second: str

    @property
    def text(self) -> str:
        return f"missing({quoted(self.first)}) == missing({quoted(self.second)})"

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((self.first, self.second))

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        if self.first not in values or self.second not in values:
            return None
        return (values[self.first] is None) == (values[self.second] is None)

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        other = self.second if name == self.first else self.first
        return Narrowing(missing=values[other] is None) if other in values else None


@dataclass(frozen=True)
class MissingWhere:
    """A field is missing wherever another one has certain values, and present wherever it has certain others.

    Attributes:
        field: the field with missing cells.
        by: a field of closed values.
        absent: values of `by` with which the field is always missing; None for the missing one.
        present: values of `by` with which it never is.
        otherwise: whether it is missing with all other values but the missing one; None if that is open.
    """

    kind: ClassVar[str] = "missing_where"

    field: str
    by: str
    absent: tuple[Value, ...]
    present: tuple[Value, ...]
    otherwise: bool | None = None

    @property
    def text(self) -> str:
        by, parts = quoted(self.by), []
        for values, is_missing in ((self.absent, True), (self.present, False)):
            listed = [*map(_shown, values[:SHOWN]), *(["..."] if len(values) > SHOWN else [])]
            if self.otherwise is is_missing:
                listed.append("another number")
            if listed:
                parts.append(f"{'' if is_missing else 'not '}missing where {by} is {', '.join(listed)}")
        return f"{quoted(self.field)} is {' and '.join(parts)}"

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((self.field, self.by))

    @cached_property
    def _missing(self) -> dict[Value, bool]:
        return dict.fromkeys(self.absent, True) | dict.fromkeys(self.present, False)

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        if self.field not in values or self.by not in values:
            return None
        missing = self._decides(values[self.by])
        return None if missing is None else missing is (values[self.field] is None)

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        if name == self.field:
            missing = self._decides(values[self.by]) if self.by in values else None
            return None if missing is None else Narrowing(missing=missing)
        if self.field not in values:
            return None
        is_missing = values[self.field] is None
        if self.otherwise is (not is_missing):
            named, against = (self.absent, self.present) if is_missing else (self.present, self.absent)
            return Narrowing(values=frozenset(named) - {None}, missing=False if None in against else None)
        excluded = frozenset(self.present if is_missing else self.absent)
        return Narrowing(excluded=excluded) if excluded else None

    def _decides(self, value: Value) -> bool | None:
        if value in self._missing or value is None:
            return self._missing.get(value)
        return self.otherwise


def _shown(value: Value) -> str:
    return "missing" if value is None else repr(value)


def find_missing(
    train: pd.DataFrame, schema: Schema, is_common: IsCommon = every_value
) -> Iterator[MissingTogether | MissingWhere]:
    """Yield the relations between missing cells.

    Args:
        train: typed table of the training records only.
        schema: its fields.
        is_common: tells which values may be stored.
    """
    absent = {field.name: train[field.name].isna().to_numpy() for field in schema.modelled if field.nullable}
    absent = {name: cells for name, cells in absent.items() if 0 < cells.sum() < len(cells)}
    names = list(absent)
    with_first: dict[str, str] = {}
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            if second not in with_first and _together(absent[first], absent[second]):
                with_first[second] = first
                yield MissingTogether(first, second)
    deciding = [_deciding(train, schema, name) for name in schema.names if schema[name].modelled]
    for name in names:
        if name in with_first:
            continue
        for column in deciding:
            if column is None:
                continue
            told = column.field.name not in with_first
            if name not in (column.field.name, with_first.get(column.field.name)):
                found = _where(name, absent[name], column, is_common, with_missing=told)
                if found is not None:
                    yield found


def _together(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    if not (one == other).all():
        return False
    share = float(one.mean())
    return len(one) * -(share * math.log(share) + (1 - share) * math.log(1 - share)) >= ENOUGH


def _deciding(train: pd.DataFrame, schema: Schema, name: str) -> CodeColumn | None:
    """Return a column whose values can decide whether another field is missing, None if it has too many values.

    Codes beyond the named values stand for all other numbers.
    """
    field = schema[name]
    if not field.discrete and (not is_ordered(field) or field.is_moment):
        return None
    column = code_column(train[name], field)
    if field.discrete:
        return column if len(column.values) <= MOST_VALUES else None
    if field.is_whole and len(column.values) <= MOST_NUMBERS:
        return column
    named: list[Value] = [value for value in column.values if value == 0]
    renumbered = np.array([0 if value == 0 else len(named) for value in column.values] + [-1])
    return CodeColumn(field, renumbered[column.codes], named)


def _where(
    name: str, absent: NDArray[np.bool_], column: CodeColumn, is_common: IsCommon, *, with_missing: bool
) -> MissingWhere | None:
    size = len(column.values)
    # Codes: named values, all other numbers, the missing cell.
    codes = np.where(column.codes < 0, size + 1, column.codes)
    counts = np.bincount(codes, minlength=size + 2)
    missing = np.bincount(codes, weights=absent, minlength=size + 2)
    pure = (missing == 0) | (missing == counts)
    share = float(absent.mean())
    chance = {True: -math.log(share), False: -math.log(1 - share)}
    decided: dict[bool, list[int]] = {True: [], False: []}
    evidence = {True: 0.0, False: 0.0}
    for code in range(size + 1 + with_missing):
        count, is_missing = int(counts[code]), bool(missing[code])
        own = count * chance[is_missing]
        if code < size and not is_common(column.field.name, column.values[code]):
            continue
        # Where every value decides, the rarer ones follow the rule of the others.
        if pure[code] and count >= FEWEST_RECORDS_EACH and (pure.all() or own >= ENOUGH):
            decided[is_missing].append(code)
            evidence[is_missing] += own
    sides = {side: decided[side] if evidence[side] >= ENOUGH else [] for side in (True, False)}
    if not any(sides.values()):
        return None
    rest = next((side for side in (True, False) if size in sides[side]), None)
    names: list[Value] = [*column.values, None, None]
    values = {side: tuple(names[code] for code in codes if code != size) for side, codes in sides.items()}
    return MissingWhere(name, column.field.name, values[True], values[False], rest)
