"""The kind `datetime`: dates, with or without a time, in one strftime format."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.datetime_automaton import (
    moment_digits,
    moment_numbering,
    moment_of,
    moments,
    parts_written,
    round_up,
)
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.automata.number_automata import reader, spell
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.fields.bases import OrderedKind
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import Numbering, Value
from paracosm.records.formats.datetimes.codes import format_error, read_datetime, write_datetime
from paracosm.records.formats.datetimes.compact import compact_formats
from paracosm.records.formats.datetimes.detection import datetime_formats, refined_format

EPOCH = datetime(1970, 1, 1)
"""Moments in rules count as days since then."""
METRICS_EPOCH = pd.Timestamp("2000-01-01")
SECONDS_A_DAY = 86_400.0


class Datetime(OrderedKind):
    """Moments without a time zone, to the microsecond."""

    name = "datetime"
    dtype: ClassVar[str] = "datetime64[us]"
    arrow: ClassVar[pa.DataType] = pa.timestamp("us")
    croissant: ClassVar[str] = "sc:DateTime"
    declared_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "format")
    needed_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "format", "nullable")
    dated: ClassVar[bool] = True
    expressed_as: ClassVar[Literal["number", "text", "truth", "moment"]] = "moment"
    bound_words: ClassVar[str] = "a date or time such as 2024-12-31 or one in the format {!r}"

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        if override.format is not None:
            if error := format_error(override.format):
                raise ValueError(error)
            return {"format": refined_format(override.format, cells)}
        formats = datetime_formats(cells) or compact_formats(cells, named=True)
        return {"format": formats[0]} if formats else None

    def declaration(self, field: Field) -> dict[str, Any]:
        return super().declaration(field) | {"format": field.format}

    def declared_bound(self, field: Field, bound: datetime) -> str:
        return write_datetime(bound, field.format)

    def bound(self, field: Field, where: str, bound: int | float | str) -> datetime:
        text = str(bound)
        try:
            return read_datetime(text, field.format)
        except ValueError:
            return _to_precision(field, datetime.fromisoformat(text).replace(tzinfo=None))

    def rounded_outward(
        self, field: Field, present: pd.Series, low: datetime, high: datetime
    ) -> tuple[datetime, datetime]:
        return self.outward(field, low, high)

    def outward(self, field: Field, low: datetime, high: datetime) -> tuple[datetime, datetime]:
        """Return a range rounded to whole years if it spans a year or more, to whole months from a month on, else to days."""
        days = (high - low).days
        first = low.replace(hour=0, minute=0, second=0, microsecond=0)
        last = high.replace(hour=23, minute=59, second=59, microsecond=999_999)
        if days >= 365:
            first, last = first.replace(month=1, day=1), last.replace(month=12, day=31)
        elif days >= 31:
            first, last = first.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])
        return first, max(_to_precision(field, last), high)

    def read(self, field: Field, text: str) -> datetime:
        return read_datetime(text, field.format)

    def write(self, field: Field, value: Any) -> str:
        return write_datetime(value, field.format) if field.format else value.isoformat()

    def allows(self, field: Field, value: Any) -> bool:
        return isinstance(value, datetime) and super().allows(field, value)

    def plain(self, cell: Any) -> datetime:
        return cell.to_pydatetime()

    def to_json(self, bound: datetime) -> str:
        return bound.isoformat()

    def from_json(self, bound: str) -> datetime:
        return datetime.fromisoformat(bound)

    def code(self, field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        assert isinstance(field.minimum, datetime)
        assert isinstance(field.maximum, datetime)
        parts = parts_written(field.format)
        root = moments(field.minimum, field.maximum, parts, alphabet.symbols, alphabet.stop)
        read = reader(alphabet)

        def path(value: Value) -> list[int]:
            assert isinstance(value, datetime)
            return spell(moment_digits(value, parts), alphabet)

        return FieldCode(root, path, lambda tokens: moment_of(read(tokens), parts), None)

    def draw(self, field: Field, rng: np.random.Generator) -> datetime:
        assert isinstance(field.minimum, datetime)
        assert isinstance(field.maximum, datetime)
        seconds = int((field.maximum - field.minimum).total_seconds())
        value = field.minimum + timedelta(seconds=int(rng.integers(0, seconds + 1)))
        if field.format:
            value = _to_precision(field, value)
        return value if field.allows(value) else field.minimum

    def summary(self, field: Field) -> str:
        return f"format {field.format}" if field.format else "ISO 8601"

    def round_inward(self, field: Field, bound: datetime, *, up: bool) -> datetime:
        parts = parts_written(field.format)
        return round_up(bound, parts) if up else moment_of(moment_digits(bound, parts), parts)

    def exactly(self, number: float) -> datetime:
        try:
            return EPOCH + timedelta(days=number)
        except OverflowError:
            return datetime.max if number > 0 else datetime.min

    def numbering(self, field: Field) -> Numbering:
        return moment_numbering(parts_written(field.format))

    def floats(self, column: pd.Series) -> np.ndarray:
        """Return a column in days."""
        days = (column - METRICS_EPOCH).dt.total_seconds() / SECONDS_A_DAY
        return days.to_numpy(dtype=np.float64, na_value=np.nan)

    def label(self, number: float) -> str:
        return (METRICS_EPOCH + pd.Timedelta(seconds=number * SECONDS_A_DAY)).strftime("%Y-%m-%d")


def _to_precision(field: Field, moment: datetime) -> datetime:
    return read_datetime(write_datetime(moment, field.format), field.format)
