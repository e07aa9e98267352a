"""The columns among which relations are searched, as arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paracosm.records.relations.relation import DAY, EPOCH, Span, position
from paracosm.records.schema.schema import Field, Schema, Value

IsCommon = Callable[[str, Value], bool]
"""Tells of the name of a field and one of its values whether enough subjects have it to store it."""
SAMPLE = 512
"""Records on which most candidates fail, before the others are tested on all."""


def every_value(name: str, value: Value) -> bool:
    """Return that a value may be stored."""
    return True


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers or moments.

    Attributes:
        name: of the field.
        values: positions; NaN where missing.
        unit: difference of two neighbouring numbers as the source writes them; 0 where it varies and for moments.
        is_moment: whether the values are days since 1970.
    """

    name: str
    values: NDArray[np.float64]
    unit: float
    is_moment: bool

    @property
    def is_constant(self) -> bool:
        present = self.values[~np.isnan(self.values)]
        return not len(present) or bool((present == present[0]).all())


def number_columns(train: pd.DataFrame, schema: Schema) -> list[NumberColumn]:
    """Return the columns of numbers and moments that have more than one value."""
    columns = []
    for field in schema.modelled:
        if not is_ordered(field) or field.width:
            continue
        if field.is_moment:
            moments = train[field.name].astype("datetime64[us]")
            days = ((moments - EPOCH) / DAY).to_numpy(np.float64, na_value=np.nan)
            values = np.asarray(days, np.float64)
            column = NumberColumn(field.name, values, 0.0, True)
        else:
            values = np.asarray(train[field.name].to_numpy(np.float64, na_value=np.nan))
            unit = 0.0 if field.scientific else 10.0**-field.decimals
            column = NumberColumn(field.name, values, unit, False)
        if not column.is_constant:
            columns.append(column)
    return columns


def fullest(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the records with the fewest missing cells, as many as a sample has; shape (columns, records)."""
    return table[:, np.argsort(np.isnan(table).sum(axis=0), kind="stable")[:SAMPLE]]


def is_ordered(field: Field) -> bool:
    """Return whether sums and orders are searched in a field: numbers and moments."""
    return field.ordered and field.kind.dtype in ("Int64", "Float64", "datetime64[us]")


def span_of(field: Field) -> Span | None:
    """Return the smallest and the largest position of a field's domain; None for a field without an order."""
    if not is_ordered(field) or field.minimum is None or field.maximum is None:
        return None
    return position(field.minimum), position(field.maximum)


@dataclass(frozen=True)
class CodeColumn:
    """A column as codes of its values.

    Attributes:
        field: the field.
        codes: number of the value of each record; -1 where missing.
        values: value of each code.
    """

    field: Field
    codes: NDArray[np.int64]
    values: list[Value]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of records of each value."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))


def code_column(column: pd.Series, field: Field) -> CodeColumn:
    """Return a column as codes."""
    codes, values = pd.factorize(column, sort=False)
    return CodeColumn(field, codes.astype(np.int64), [_plain(value) for value in values])


def _plain(value: Any) -> Value:
    if isinstance(value, pd.Timestamp | datetime):
        return pd.Timestamp(value).to_pydatetime()
    return value.item() if isinstance(value, np.generic) else value
