"""The type that a declared format implies."""

from typing import Literal

from paracosm.records.formats.datetimes.codes import codes_of, format_error
from paracosm.records.formats.numbers.written import notation_error
from paracosm.records.formats.time_format import is_time_format


def implied_type(form: str) -> Literal["number", "datetime", "time"]:
    """Return the type of a field that declares a format alone: number for a picture of one, time for hours without a date, else datetime."""
    if is_time_format(form) and format_error(form) is None:
        return "time"
    is_datetime = bool(codes_of(form)) and format_error(form) is None
    return "datetime" if is_datetime or notation_error(form) is not None else "number"
