"""Conversion of any column to strings: each cell as its source would print it."""

import datetime as dates
import decimal
import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.records.formats.datetimes.codes import read_datetime
from paracosm.records.formats.duration_format import read_duration, write_duration

FORMAT_OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)\Z")
"""Constant offset from UTC at the end of a datetime format."""
ZERO_FRACTION = re.compile(r"^-(?=0\.0$)|\.0$")
EXACT = 1e16
"""Floats below it are printed with all digits of their whole part."""
DURATION = "%-d days %H:%M:%S"
LONG_DURATION = "%-d days %H:%M:%S.%6f"
"""Durations of a typed source, as pandas prints them: with days, so that no reader takes them for times of day."""
PLAIN = (int, np.integer, dates.time, uuid.UUID)


def to_source_strings(column: pd.Series) -> pd.Series:
    """Return a column as strings (dtype `string`, missing is `pd.NA`), each cell as its source would print it.

    Datetimes of a time zone with several offsets from UTC (summer time) become local times without an offset.

    Raises:
        DataError: a cell is nested (list, dict, bytes), of a type without a text form, or not valid in UTF-8.
    """
    kind = column.dtype
    if isinstance(kind, pd.StringDtype):
        return column.astype("string")
    if isinstance(kind, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(kind):
        return _datetimes(column)
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_integer_dtype(kind):
        return column.astype("string")
    if pd.api.types.is_float_dtype(kind) and not isinstance(kind, pd.ArrowDtype):
        # In the precision of the column: a float32 0.1 is 0.1, not 0.10000000149011612.
        values = column.to_numpy(dtype="float32" if "32" in str(kind) else "float64", na_value=np.nan)
        cells = [pd.NA if np.isnan(cell) else str(cell) for cell in values]
        return pd.Series(cells, index=column.index, name=column.name, dtype="string")
    return _objects(column)


def to_separate_strings(column: pd.Series, form: str | None = None) -> pd.Series:
    """Return a column as strings like `to_source_strings`, but so that no cell changes how another one is written.

    Whole numbers have no decimal point, because one missing cell can turn a column of integers into floats.

    Args:
        column: column of any type.
        form: format of datetimes that keep their value in it; None, and other datetimes, write ISO 8601 with a space.

    Raises:
        DataError: a cell is nested (list, dict, bytes), of a type without a text form, or not valid in UTF-8.
    """
    kind = column.dtype
    if pd.api.types.is_float_dtype(kind):
        return to_source_strings(column).str.replace(ZERO_FRACTION, "", regex=True)
    if pd.api.types.is_timedelta64_dtype(kind):
        column = column.astype(object)
    elif not pd.api.types.is_object_dtype(kind) and not pd.api.types.is_datetime64_any_dtype(kind):
        return to_source_strings(column)

    def write(moment: dates.datetime) -> str:
        if getattr(moment, "nanosecond", 0):
            raise _nanoseconds(column.name)
        return _in_format(moment, form) or moment.isoformat(sep=" ")

    # `Series.map` would turn integers beside floats into floats.
    cells = [_in_declared_format(_without_fraction(cell), form) for cell in column]
    return _strings(pd.Series(cells, index=column.index, name=column.name, dtype=object), write)


def changes_offset(column: pd.Series) -> bool:
    """Return whether a column holds datetimes of one time zone with several offsets from UTC."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        known = column.dropna()
        return (known.dt.tz_localize(None) - known.dt.tz_convert(None)).nunique() > 1
    if not pd.api.types.is_object_dtype(column.dtype):
        return False
    moments = [cell for cell in column if isinstance(cell, dates.datetime) and cell is not pd.NaT]
    zones = {str(moment.tzinfo) for moment in moments}
    return len(zones) == 1 and len({moment.utcoffset() for moment in moments}) > 1


def holds_lone_surrogate(text: str) -> bool:
    """Return whether a text has half of a surrogate pair, which JSON and Python allow but UTF-8 does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _datetimes(column: pd.Series) -> pd.Series:
    if column.dt.tz is not None and changes_offset(column):
        column = column.dt.tz_localize(None)
    known = column.dropna()
    if (known.dt.nanosecond != 0).any():
        raise _nanoseconds(column.name)
    if (known.dt.microsecond != 0).any():
        code = "%Y-%m-%d %H:%M:%S.%f"
    elif (known == known.dt.normalize()).all():
        code = "%Y-%m-%d"
    else:
        code = "%Y-%m-%d %H:%M:%S"
    if column.dt.tz is not None:
        code = code.replace(" ", "T") + "%z" if " " in code else "%Y-%m-%dT%H:%M:%S%z"
    return column.dt.strftime(code).astype("string")


def _objects(column: pd.Series) -> pd.Series:
    moments = [cell for cell in column if isinstance(cell, dates.datetime) and cell is not pd.NaT]
    timespec = "microseconds" if any(moment.microsecond for moment in moments) else "seconds"
    clocks = [cell for cell in column if isinstance(cell, dates.time) and cell.microsecond]
    spans = [
        cell
        for cell in column
        if isinstance(cell, dates.timedelta) and cell is not pd.NaT and cell.microseconds
    ]
    if any(getattr(cell, "nanoseconds", 0) for cell in column if isinstance(cell, pd.Timedelta)):
        raise _nanoseconds(column.name)
    if clocks or spans:
        column = column.map(_with_fraction, na_action="ignore")
    if changes_offset(column):
        column = column.map(_without_zone, na_action="ignore")
    return _strings(column, lambda moment: moment.isoformat(sep=" ", timespec=timespec))


def _strings(column: pd.Series, write: Callable[[dates.datetime], str]) -> pd.Series:
    cells = [_text(cell, column.name, row, write) for row, cell in enumerate(column, start=1)]
    return pd.Series(cells, index=column.index, name=column.name, dtype="string")


def _without_fraction(cell: object) -> object:
    """Return a float that holds a whole number exactly as an integer, and everything else unchanged."""
    whole = isinstance(cell, float | np.floating) and float(cell).is_integer() and abs(cell) < EXACT
    return int(cell) if whole else cell  # type: ignore[arg-type]


def _in_format(moment: dates.datetime, form: str | None) -> str | None:
    """Return a datetime in a format, or None if that would lose a part of it or state another offset from UTC."""
    if form is None:
        return None
    text = moment.strftime(form)
    literal = FORMAT_OFFSET.search(form)
    if literal is not None:
        offset = "+0000" if literal[0] == "Z" else literal[0].replace(":", "")
        if moment.strftime("%z") != offset:
            return None
    try:
        kept = read_datetime(text, form) == moment.replace(tzinfo=None)
    except ValueError:
        return None
    return text if kept else None


def _in_declared_format(cell: object, form: str | None) -> object:
    """Return a time of day or a duration in a declared format that keeps it, and everything else unchanged."""
    if form is None:
        return cell
    with suppress(ValueError):
        if isinstance(cell, dates.time) and read_datetime(text := cell.strftime(form), form).time() == cell:
            return text
        if isinstance(cell, dates.timedelta) and cell is not pd.NaT:
            text = write_duration(cell, form)
            return text if read_duration(text, form) == cell else cell
    return cell


def _nanoseconds(name: object) -> DataError:
    return DataError(
        f"column {name!r}: holds nanoseconds; the finest supported unit is microseconds: round it with .dt.floor('us'), or add it to data.drop"
    )


def _without_zone(cell: object) -> object:
    return cell.replace(tzinfo=None) if isinstance(cell, dates.datetime) else cell


def _with_fraction(cell: object) -> object:
    """Return a time of day or a duration as text with a fraction, as other cells of the column have one."""
    if isinstance(cell, dates.time):
        return cell.isoformat(timespec="microseconds")
    return write_duration(cell, LONG_DURATION) if isinstance(cell, dates.timedelta) else cell


def _text(cell: object, name: object, row: int, write: Callable[[dates.datetime], str]) -> object:
    if isinstance(cell, str):
        if holds_lone_surrogate(cell):
            raise DataError(f"column {name!r}: row {row} holds a lone surrogate, which UTF-8 cannot write")
        return str(cell)
    if isinstance(cell, list | tuple | dict | set | bytes | np.ndarray):
        raise DataError(
            f"column {name!r}: row {row} holds a {type(cell).__name__}; a cell must be a single value"
            " (or add the column to data.drop)"
        )
    if pd.isna(cell):  # type: ignore[arg-type]
        return pd.NA
    if isinstance(cell, bool | np.bool_ | float | np.floating):
        return str(cell)
    if isinstance(cell, PLAIN):
        return str(cell)
    if isinstance(cell, decimal.Decimal):
        return format(cell, "f")
    if isinstance(cell, dates.timedelta):
        if getattr(cell, "nanoseconds", 0):
            raise _nanoseconds(name)
        return write_duration(cell, LONG_DURATION if cell.microseconds else DURATION)
    if isinstance(cell, dates.datetime):
        return write(cell)
    if isinstance(cell, dates.date):
        return cell.isoformat()
    if isinstance(cell, pd.Period | pd.Interval | pd.Timedelta):
        return str(cell)
    raise DataError(
        f"column {name!r}: row {row} holds a {type(cell).__name__}, a type that cannot be modelled; convert it to text or a number, or add the column to data.drop"
    )


def with_columns(table: pd.DataFrame, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return a table with other cells in some columns; `assign` takes no column that is called `self`."""
    changed = table.copy(deep=False)
    for name, cells in columns.items():
        changed[name] = cells
    return changed
