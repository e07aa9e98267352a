"""Search of relations between missing cells: missing together, and missing where another field has certain values.

Categories and small whole numbers decide by each value. Of a column of many numbers only 0, all other numbers and the
missing cell decide, because a single measurement is not a reason for a cell to be missing.
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paracosm.records.relations.columns import CodeColumn, code_column
from paracosm.records.relations.evidence import ENOUGH
from paracosm.records.relations.missingness import MissingTogether, MissingWhere
from paracosm.records.schema.schema import Schema, Value

FEWEST_RECORDS_EACH = 10
"""Fewest training records of a value that says whether another field is missing."""
MOST_VALUES = 200
"""Most values of a closed column that decides."""
MOST_NUMBERS = 20
"""Most values of a column of whole numbers that decides by each of them."""


def find_missing(train: pd.DataFrame, schema: Schema) -> Iterator[MissingTogether | MissingWhere]:
    """Yield the relations between missing cells."""
    absent = {field.name: train[field.name].isna().to_numpy() for field in schema.modelled if field.nullable}
    absent = {name: cells for name, cells in absent.items() if 0 < cells.sum() < len(cells)}
    names = list(absent)
    with_first: set[str] = set()
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            if second not in with_first and _together(absent[first], absent[second]):
                with_first.add(second)
                yield MissingTogether(first, second)
    deciding = [_deciding(train, schema, name) for name in schema.names if schema[name].modelled]
    for name in names:
        if name in with_first:
            continue
        for column in deciding:
            if column is not None and column.field.name != name:
                told = column.field.name not in with_first
                found = _where(name, absent[name], column, with_missing=told)
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
    if field.type not in ("category", "boolean", "integer", "number"):
        return None
    column = code_column(train[name], field)
    if field.type in ("category", "boolean"):
        return column if len(column.values) <= MOST_VALUES else None
    if field.type == "integer" and len(column.values) <= MOST_NUMBERS:
        return column
    named: list[Value] = [value for value in column.values if value == 0]
    renumbered = np.array([0 if value == 0 else len(named) for value in column.values] + [-1])
    return CodeColumn(field, renumbered[column.codes], named)


def _where(
    name: str, absent: NDArray[np.bool_], column: CodeColumn, *, with_missing: bool
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
