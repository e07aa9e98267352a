"""The kind `integer`: whole numbers with a unit or padding."""

import math
import operator
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.automata.number_automata import whole_number_code
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.fields.bases import OrderedKind, declared_format, span_step
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import Numbering, Value
from paracosm.records.formats.numbers.detection import integer_format
from paracosm.records.formats.numbers.written import (
    INT64,
    notation_error,
    read_integer,
    unit_words,
    write_integer,
)

NARROW = 10
"""Span below which a range is not rounded."""


class Integer(OrderedKind):
    """Whole numbers of at most 64 bits."""

    name = "integer"
    dtype: ClassVar[str] = "Int64"
    arrow: ClassVar[pa.DataType] = pa.int64()
    croissant: ClassVar[str] = "sc:Integer"
    widened_by: ClassVar[tuple[str, ...]] = ("number",)
    declared_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "format")
    json_value: ClassVar[bool] = True

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        if override.format is not None and (error := notation_error(override.format)):
            raise ValueError(error)
        return integer_format(cells, override.format)

    def declaration(self, field: Field) -> dict[str, Any]:
        return super().declaration(field) | declared_format(field.format)

    def bound(self, field: Field, where: str, bound: int | float | str) -> int:
        exact = Decimal(str(bound))
        if not exact.is_finite() or exact != exact.to_integral_value():
            raise DataError(f"{where}: {exact} is not an integer")
        if not -INT64 <= exact < INT64:
            raise DataError(f"{where}: {exact} needs more than 64 bits; allowed: {-INT64} to {INT64 - 1}")
        return int(exact)

    def outward(self, field: Field, low: int, high: int) -> tuple[int, int]:
        if high - low < NARROW:
            return low, high
        bottom, top = Decimal(low), Decimal(high)
        step = span_step(bottom, top)
        first = int((bottom / step).to_integral_value(ROUND_FLOOR) * step)
        last = int((top / step).to_integral_value(ROUND_CEILING) * step)
        minimum, maximum = -_without_extra_digit(-first, -low), _without_extra_digit(last, high)
        # A typed table holds 64 bits.
        return max(minimum, -INT64), min(maximum, INT64 - 1)

    def read(self, field: Field, text: str) -> int:
        return read_integer(field, text)

    def write(self, field: Field, value: Any) -> str:
        return write_integer(field, value)

    def allows(self, field: Field, value: Any) -> bool:
        return type(value) is int and super().allows(field, value)

    def plain(self, cell: Any) -> int:
        return int(cell)

    def column(self, values: Sequence[Any]) -> pd.Series:
        # pandas converts integers with None among them to floats and loses digits above 2**53.
        is_missing = np.array([value is None for value in values], dtype=bool)
        whole = [0 if value is None else operator.index(value) for value in values]
        return pd.Series(pd.arrays.IntegerArray(np.array(whole, dtype="int64"), is_missing))

    def code(self, field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        assert isinstance(field.minimum, int)
        assert isinstance(field.maximum, int)
        root, path, value = whole_number_code(field.minimum, field.maximum, alphabet)
        return FieldCode(root, path, value, None)

    def values(self, field: Field, at_most: int) -> list[Value] | None:
        assert isinstance(field.minimum, int)
        assert isinstance(field.maximum, int)
        count = field.maximum - field.minimum + 1
        return None if count > at_most else list(range(field.minimum, field.maximum + 1))

    def draw(self, field: Field, rng: np.random.Generator) -> int:
        return int(rng.integers(field.minimum, field.maximum, endpoint=True))  # type: ignore[arg-type]

    def summary(self, field: Field) -> str:
        count = int(field.maximum) - int(field.minimum) + 1  # type: ignore[arg-type]
        return f"{count:,} possible values{unit_words(field)}"

    def computed(self, field: Field, value: Any) -> int:
        return round(value)

    def round_inward(self, field: Field, bound: Any, *, up: bool) -> int:
        return math.ceil(bound) if up else math.floor(bound)

    def exactly(self, number: float) -> int | None:
        return int(number) if number == int(number) else None

    def numbering(self, field: Field) -> Numbering:
        return int, int

    def between(self, field: Field, low: int, high: int, fraction: float) -> int:
        return round(low + (high - low) * fraction)


def _without_extra_digit(rounded: int, extreme: int) -> int:
    """Return `rounded`, or the largest number with as many digits as `extreme` if rounding added a digit."""
    return min(rounded, 10 ** len(str(extreme)) - 1) if extreme > 0 else rounded
