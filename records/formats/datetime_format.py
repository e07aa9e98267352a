"""Detection of datetime formats: one strftime format that reads and reproduces every cell of a column.

`%-d`, `%-m`, `%-H` and `%-I` write without a leading zero, as in glibc and BSD.
"""

import re
from collections.abc import Sequence
from datetime import datetime

DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
)
TIMES = (
    "%H:%M:%S",
    "%H:%M",
    "%H:%M:%S.%f",
    "%-H:%M",
    "%-H:%M:%S",
    "%I:%M %p",
    "%-I:%M %p",
    "%I:%M:%S %p",
    "%-I:%M:%S %p",
)
CODE = re.compile(r"%-?.?", re.DOTALL)
PLAIN_CODES = ("%Y", "%y", "%m", "%b", "%B", "%d", "%j", "%H", "%I", "%p", "%M", "%S", "%f", "%%")
UNPADDED_CODES = ("%-d", "%-m", "%-j", "%-H", "%-I", "%-M", "%-S")
WEEKDAY_CODES = ("%a", "%A", "%w")
"""Allowed beside a day only, which determines them."""
OFFSET = re.compile(r"(?<=\d)(?:Z|[+-]\d\d:?\d\d)\Z")
LONGEST = 40
"""Characters of the longest cell that can be a datetime."""


def _formats() -> tuple[str, ...]:
    written = [*DATES, *(code.replace("%d", "%-d").replace("%m", "%-m") for code in DATES)]
    dates = list(dict.fromkeys(written))
    timed = [
        f"{date}{gap}{time}"
        for date in dates
        for time in TIMES
        for gap in (" ", "T")
        if gap == " " or date == "%Y-%m-%d"
    ]
    return (*dates, *timed)


FORMATS = _formats()


def read_datetime(text: str, code: str) -> datetime:
    """Return the datetime that `text` holds in the format `code`.

    Raises:
        ValueError: `text` does not have this format.
    """
    return datetime.strptime(text, code.replace("%-", "%"))


def codes_of(form: str) -> list[str]:
    """Return the strftime codes of a format, in order; a lone `%` at the end counts as a code."""
    return CODE.findall(form)


def format_error(form: str) -> str | None:
    """Return why a declared format is not supported, or None if it is.

    A code such as `%W` (week) can be read, but the values that the model generates would lose it.
    """
    codes = codes_of(form)
    has_day = any(code[-1] in "dj" for code in codes)
    allowed = (*PLAIN_CODES, *UNPADDED_CODES, *(WEEKDAY_CODES if has_day else ()))
    for code in codes:
        if code not in allowed:
            needs_day = " without a day" if code in WEEKDAY_CODES else ""
            return f"{code!r} cannot be modelled{needs_day}; allowed: {', '.join(allowed)}"
    return None


def datetime_formats(cells: Sequence[str]) -> list[str]:
    """Return every known format that reads and reproduces each of `cells`, preferred first.

    A constant offset from UTC (`Z`, `+02:00`) becomes a literal end of the format.
    """
    if not cells or max(map(len, cells)) > LONGEST or not any(map(str.isdigit, cells[0])):
        return []
    offset = ""
    if ":" in cells[0] and (match := OFFSET.search(cells[0])):
        offset = match[0]
        if not all(cell.endswith(offset) for cell in cells):
            return []
        cells = [cell.removesuffix(offset) for cell in cells]
    candidates = [code for code in FORMATS if reproduces(cells[0], code)]
    return [code + offset for code in candidates if all(reproduces(cell, code) for cell in cells)]


def is_ambiguous(formats: Sequence[str]) -> bool:
    """Return whether `formats` read the same cells as different datetimes (day and month exchanged)."""
    return len({re.sub("%-", "%", code) for code in formats}) > 1


def reproduces(cell: str, code: str) -> bool:
    """Return whether the format `code` reads `cell` and writes it unchanged."""
    try:
        return read_datetime(cell, code).strftime(code) == cell
    except ValueError:
        return False
