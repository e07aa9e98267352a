"""The kind `duration`: lengths of time in one format, such as 1:23:45, 3 days 04:05:06, PT1H30M or 1h 30m."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.automata.mixed_automaton import mixed_code
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.fields.bases import OrderedKind, span_step
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import Numbering
from paracosm.records.formats.duration_format import (
    MICROSECOND,
    duration_format_error,
    duration_formats,
    finest_unit,
    read_duration,
    unit_sizes,
    write_duration,
)

DAY = timedelta(days=1)
NARROW = 10
"""Span in units of the last digit below which a range is not rounded."""


class Duration(OrderedKind):
    """Lengths of time to the microsecond. In rules they count in days, as the difference of two dates does."""

    name = "duration"
    dtype: ClassVar[str] = "timedelta64[us]"
    arrow: ClassVar[pa.DataType] = pa.duration("us")
    croissant: ClassVar[str] = "sc:Duration"
    declared_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "format")
    needed_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "format", "nullable")
    bound_words: ClassVar[str] = "a number of seconds, or a duration in quotes in the format {!r}"

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        if override.format is not None:
            if error := duration_format_error(override.format):
                raise ValueError(error)
            return {"format": override.format}
        formats = duration_formats(cells)
        return {"format": formats[0]} if formats else None

    def declaration(self, field: Field) -> dict[str, Any]:
        return super().declaration(field) | {"format": field.format}

    def declared_bound(self, field: Field, bound: timedelta) -> str:
        return self.write(field, bound)

    def bound(self, field: Field, where: str, bound: int | float | str) -> timedelta:
        if isinstance(bound, str):
            return self.read(field, bound)
        try:
            return timedelta(seconds=bound)
        except OverflowError as error:
            raise ValueError("too long") from error

    def outward(self, field: Field, low: timedelta, high: timedelta) -> tuple[timedelta, timedelta]:
        step = finest_unit(field.format)
        first, last = Decimal(low // MICROSECOND), Decimal(high // MICROSECOND)
        if last - first < NARROW * step:
            return low, high
        # In the largest unit that the span fills, so that 1:23:45 becomes 1:00:00 and not 1:23:20.
        span = int(last - first)
        unit = next((size for size in unit_sizes(field.format) if size <= span), step)
        coarse = unit * max(span_step(Decimal(0), Decimal(span // unit)), Decimal(1))
        bottom = (first / coarse).to_integral_value(ROUND_FLOOR) * coarse
        top = (last / coarse).to_integral_value(ROUND_CEILING) * coarse
        return int(bottom) * MICROSECOND, int(top) * MICROSECOND

    def read(self, field: Field, text: str) -> timedelta:
        return read_duration(text, field.format)

    def write(self, field: Field, value: Any) -> str:
        return write_duration(value, field.format)

    def allows(self, field: Field, value: Any) -> bool:
        return (
            isinstance(value, timedelta)
            and value % (finest_unit(field.format) * MICROSECOND) == timedelta(0)
            and super().allows(field, value)
        )

    def plain(self, cell: Any) -> timedelta:
        return cell.to_pytimedelta() if isinstance(cell, pd.Timedelta) else cell

    def to_json(self, bound: timedelta) -> int:
        return bound // MICROSECOND

    def from_json(self, bound: int) -> timedelta:
        return bound * MICROSECOND

    def code(self, field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        assert isinstance(field.minimum, timedelta)
        assert isinstance(field.maximum, timedelta)
        step = finest_unit(field.format) * MICROSECOND
        radices = [large // small for large, small in pairwise(unit_sizes(field.format))]
        root, path, value = mixed_code(-(-field.minimum // step), field.maximum // step, radices, alphabet)
        return FieldCode(
            root, lambda duration: path(duration // step), lambda tokens: value(tokens) * step, None
        )

    def draw(self, field: Field, rng: np.random.Generator) -> timedelta:
        assert isinstance(field.minimum, timedelta)
        assert isinstance(field.maximum, timedelta)
        step = finest_unit(field.format) * MICROSECOND
        return int(rng.integers(-(-field.minimum // step), field.maximum // step, endpoint=True)) * step

    def summary(self, field: Field) -> str:
        return f"format {field.format}"

    def computed(self, field: Field, value: float) -> timedelta | None:
        try:
            return self.round_inward(field, value * DAY, up=False)
        except (OverflowError, ValueError):
            return None

    def in_rules(self, value: timedelta) -> float:
        return value / DAY

    def round_inward(self, field: Field, bound: timedelta, *, up: bool) -> timedelta:
        step = finest_unit(field.format) * MICROSECOND
        return (-(-bound // step) if up else bound // step) * step

    def exactly(self, number: float) -> timedelta:
        try:
            return number * DAY
        except OverflowError:
            return timedelta.max if number > 0 else timedelta.min

    def numbering(self, field: Field) -> Numbering:
        unit = finest_unit(field.format) * MICROSECOND
        return (lambda value: value // unit), (lambda number: number * unit)

    def floats(self, column: pd.Series) -> np.ndarray:
        """Return a column in seconds."""
        return column.dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)

    def label(self, number: float) -> str:
        return write_duration(timedelta(seconds=round(number)), "%?-d day(s) %H:%M:%S")
