"""The kind `time`: times of day in one format, from 00:00 to before 24:00."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.datetime_automaton import (
    Widths,
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
from paracosm.records.fields.kind import Numbering
from paracosm.records.formats.time_format import (
    DAY,
    on_day,
    read_time,
    time_format_error,
    time_formats,
    write_time,
)

DATE_CODES = "%Y%m%d"
"""Before the codes of a time, so that moments of one day encode times; their date is forced and takes no token."""
ONE_DAY = timedelta(days=1)


class Time(OrderedKind):
    """Times of day to the microsecond. A typed table holds them as the duration since midnight, so that pandas can calculate."""

    name = "time"
    dtype: ClassVar[str] = "timedelta64[us]"
    arrow: ClassVar[pa.DataType] = pa.time64("us")
    croissant: ClassVar[str] = "sc:Time"
    declared_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "format")
    needed_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "format", "nullable")
    expressed_as: ClassVar[Literal["number", "text", "truth", "moment"]] = "moment"
    bound_words: ClassVar[str] = "a time of day in quotes, such as '08:30' or one in the format {!r}"

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        if override.format is not None:
            if error := time_format_error(override.format):
                raise ValueError(error)
            return {"format": override.format}
        formats = time_formats(cells)
        return {"format": formats[0]} if formats else None

    def declaration(self, field: Field) -> dict[str, Any]:
        return super().declaration(field) | {"format": field.format}

    def declared_bound(self, field: Field, bound: time) -> str:
        return self.write(field, bound)

    def bound(self, field: Field, where: str, bound: int | float | str) -> time:
        # YAML reads 10:30 without quotes as the number 630.
        if not isinstance(bound, str):
            raise ValueError("not a time")
        try:
            return self.read(field, bound)
        except ValueError:
            return _to_precision(field, time.fromisoformat(bound).replace(tzinfo=None))

    def outward(self, field: Field, low: time, high: time) -> tuple[time, time]:
        """Return a range rounded to whole hours."""
        last = high.replace(minute=59, second=59, microsecond=999_999)
        return low.replace(minute=0, second=0, microsecond=0), max(_to_precision(field, last), high)

    def rounded_outward(self, field: Field, present: pd.Series, low: time, high: time) -> tuple[time, time]:
        return self.outward(field, low, high)

    def read(self, field: Field, text: str) -> time:
        return read_time(text, field.format)

    def write(self, field: Field, value: Any) -> str:
        return write_time(value, field.format) if field.format else value.isoformat()

    def allows(self, field: Field, value: Any) -> bool:
        return isinstance(value, time) and super().allows(field, value)

    def plain(self, cell: Any) -> time:
        return cell if isinstance(cell, time) else (DAY + cell.to_pytimedelta()).time()

    def column(self, values: Sequence[Any]) -> pd.Series:
        since = [None if value is None else on_day(value) - DAY for value in values]
        return pd.Series(since, dtype=self.dtype)  # type: ignore[call-overload]

    def to_json(self, bound: time) -> str:
        return bound.isoformat()

    def from_json(self, bound: str) -> time:
        return time.fromisoformat(bound)

    def code(self, field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        assert isinstance(field.minimum, time)
        assert isinstance(field.maximum, time)
        parts = _parts_of(field)
        root = moments(on_day(field.minimum), on_day(field.maximum), parts, alphabet.symbols, alphabet.stop)
        read = reader(alphabet)
        return FieldCode(
            root,
            lambda value: spell(moment_digits(on_day(value), parts), alphabet),
            lambda tokens: moment_of(read(tokens), parts).time(),
            None,
        )

    def draw(self, field: Field, rng: np.random.Generator) -> time:
        assert isinstance(field.minimum, time)
        assert isinstance(field.maximum, time)
        low = on_day(field.minimum)
        seconds = int((on_day(field.maximum) - low).total_seconds())
        value = _to_precision(field, (low + timedelta(seconds=int(rng.integers(0, seconds + 1)))).time())
        return value if field.allows(value) else field.minimum

    def summary(self, field: Field) -> str:
        return f"format {field.format}" if field.format else "ISO 8601"

    def computed(self, field: Field, value: datetime) -> time:
        return _to_precision(field, value.time())

    def in_rules(self, value: time) -> datetime:
        return on_day(value)

    def round_inward(self, field: Field, bound: Any, *, up: bool) -> time:
        moment = bound if isinstance(bound, datetime) else on_day(bound)
        if moment < DAY:
            return time.min
        parts = _parts_of(field)
        rounded = round_up(moment, parts) if up else moment_of(moment_digits(moment, parts), parts)
        # After midnight there is no time of this day.
        return rounded.time() if rounded < DAY + ONE_DAY else time.max

    def exactly(self, number: float) -> time:
        return (DAY + ONE_DAY * number).time() if 0 <= number < 1 else time.min if number < 0 else time.max

    def numbering(self, field: Field) -> Numbering:
        number, moment = moment_numbering(_parts_of(field))
        return (lambda value: number(on_day(value))), (lambda index: moment(index).time())

    def floats(self, column: pd.Series) -> np.ndarray:
        """Return a column in seconds since midnight."""
        return column.dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)

    def label(self, number: float) -> str:
        return (DAY + timedelta(seconds=number)).strftime("%H:%M:%S").removesuffix(":00")


def _to_precision(field: Field, value: time) -> time:
    return read_time(write_time(value, field.format), field.format) if field.format else value


def _parts_of(field: Field) -> Widths:
    return parts_written(DATE_CODES + field.format if field.format else "")
