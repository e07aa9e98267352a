"""Times of day: formats of hours, minutes and seconds that read every cell of a column and write it unchanged.

The codes are those of `paracosm.records.formats.datetimes.codes`. 24:00 is not a time of day.
"""

from collections.abc import Sequence
from datetime import datetime, time

from paracosm.records.formats.datetimes.codes import codes_of, letter_of, read_datetime, write_datetime
from paracosm.records.formats.datetimes.codes import format_error as datetime_format_error
from paracosm.records.formats.datetimes.detection import datetime_formats, reproduces

CODES = frozenset("HIMSfpP%")
HOURS = frozenset("HI")
DOTTED = ("%H.%M", "%-H.%M", "%H.%M.%S")
DAY = datetime(1970, 1, 1)
"""The day on which times of day are compared with each other and in rules."""


def on_day(value: time) -> datetime:
    """Return a time of day as a moment of the day `DAY`."""
    return datetime.combine(DAY, value)


def time_formats(cells: Sequence[str]) -> list[str]:
    """Return every known format that reads and reproduces each of `cells` as a time of day, preferred first."""
    return datetime_formats(cells, is_time_format)


def dotted_time_formats(cells: Sequence[str]) -> list[str]:
    """Return the formats with points, such as `18.41`, that read and reproduce each of `cells`; most such cells are numbers."""
    return [form for form in DOTTED if all(reproduces(cell, form) for cell in cells)]


def is_time_format(form: str) -> bool:
    """Return whether a format has hours and nothing of a date."""
    letters = {letter_of(code) for code in codes_of(form)}
    return letters <= CODES and not HOURS.isdisjoint(letters)


def time_format_error(form: str) -> str | None:
    """Return why a declared format is not supported, or None if it is."""
    if error := datetime_format_error(form):
        return error
    return None if is_time_format(form) else f"{form!r} is not a time of day such as %H:%M"


def read_time(text: str, form: str) -> time:
    """Return the time of day that `text` holds in a format.

    Raises:
        ValueError: `text` does not have this format.
    """
    return read_datetime(text, form).time()


def write_time(value: time, form: str) -> str:
    """Return a time of day in a format."""
    return write_datetime(on_day(value), form)
