"""Dates and times without separators, such as `20240131`, `202401`, `2024031` (day of the year) and `0745`."""

import re
from collections.abc import Sequence

from paracosm.records.formats.datetimes.codes import read_datetime, write_datetime

COMPACT = {
    7: ("%Y%j",),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    6: ("%Y%m", "%m%Y", "%y%m%d", "%d%m%y"),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S", "%d%m%Y%H%M%S"),
    17: ("%Y%m%d%H%M%S%3f",),
}
FEWEST_COMPACT = {"%Y%j": 6, "%Y%m": 6, "%m%Y": 6, "%y%m%d": 20, "%d%m%y": 20}
"""Fewest distinct cells of a compact format, so that numbers are not dates by chance: of all numbers with 8 digits 1 in 1,400 is a
date of the plausible years, of those with 7 digits 1 in
136 is a year and a day of it, of those with 6 digits 1 in 800 is a month and 1 in 27 a date with two digits for the year."""
FEWEST_DATES = 3
YEARS = (1900, 2100)
"""Plausible years of digits without a separator."""
COMPACT_TIMES = {4: "%H%M", 6: "%H%M%S"}
FEWEST_TIMES = 20
"""Distinct cells of a compact time whose column's name does not say time."""
NOON, LAST_DAY = 12, 31
DIGITS = re.compile(r"\d+", re.ASCII)


def compact_formats(cells: Sequence[str], *, named: bool = False) -> list[str]:
    """Return every format without separators (`%Y%m%d`, `%d%m%Y`, `%Y%m`) of which all cells are plausible dates.

    Args:
        cells: the distinct cells.
        named: whether the column's name says date, so that one cell suffices.
    """
    length = len(cells[0]) if cells else 0
    if length not in COMPACT or not all(len(cell) == length and DIGITS.fullmatch(cell) for cell in cells):
        return []
    return [
        form
        for form in COMPACT[length]
        if (named or len(cells) >= FEWEST_COMPACT.get(form, FEWEST_DATES))
        and all(_plausible(cell, form, YEARS) for cell in cells)
    ]


def compact_time_formats(cells: Sequence[str], *, named: bool) -> list[str]:
    """Return the format `%H%M` or `%H%M%S` if all cells are times of day in it and can hardly be anything else.

    Years (`2019`) and days of a year (`0731`) are digits of the same kind. So a zero stands in front of a cell, some times are
    after noon, and some minutes are later than the days of a month.

    Args:
        cells: the distinct cells.
        named: whether the column's name says time, so that few cells suffice.
    """
    length = len(cells[0]) if cells else 0
    form = COMPACT_TIMES.get(length)
    if form is None or not all(len(cell) == length and DIGITS.fullmatch(cell) for cell in cells):
        return []
    hours, minutes = ({int(cell[start : start + 2]) for cell in cells} for start in (0, 2))
    if max(hours) > 23 or max(minutes) > 59 or (length == 6 and max(int(cell[4:]) for cell in cells) > 59):
        return []
    telling = min(hours) < 10 and max(hours) > NOON and max(minutes) > LAST_DAY
    return [form] if telling and (named or len(cells) >= FEWEST_TIMES) else []


def _plausible(cell: str, form: str, years: tuple[int, int]) -> bool:
    try:
        moment = read_datetime(cell, form)
    except ValueError:
        return False
    return years[0] <= moment.year <= years[1] and write_datetime(moment, form) == cell
