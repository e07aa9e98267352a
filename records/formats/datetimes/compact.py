"""Dates without separators, such as `20240131` and `202401`."""

import re
from collections.abc import Sequence

from paracosm.records.formats.datetimes.codes import read_datetime, write_datetime

COMPACT = {
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    6: ("%Y%m", "%m%Y", "%y%m%d", "%d%m%y"),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S", "%d%m%Y%H%M%S"),
    17: ("%Y%m%d%H%M%S%3f",),
}
FEWEST_COMPACT = {"%Y%m": 6, "%m%Y": 6, "%y%m%d": 20, "%d%m%y": 20}
"""Fewest distinct cells of a compact format, so that numbers are not dates by chance: of all numbers with 8 digits 1 in 1,400 is a
date of the plausible years, of those with 6 digits 1 in 800 is a month and 1 in 27 a date with two digits for the year."""
FEWEST_DATES = 3
YEARS = (1900, 2100)
"""Plausible years of digits without a separator."""
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


def _plausible(cell: str, form: str, years: tuple[int, int]) -> bool:
    try:
        moment = read_datetime(cell, form)
    except ValueError:
        return False
    return years[0] <= moment.year <= years[1] and write_datetime(moment, form) == cell
