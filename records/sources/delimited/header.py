"""Suspicions about a header and the last row: names that look like values, and totals that look like records."""

import re
from collections.abc import Sequence
from itertools import pairwise

NUMBER = re.compile(r"[-+(]?\s?[$€£¥]?\s?(?:\d[\d.,'\u00a0 ]*|\.\d+)(?:[eE][-+]?\d+)?\s?[%€$£)]?-?")
MOMENT = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[T ].*)?|\d{1,2}:\d\d(?::\d\d.*)?|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}"
)
DIRECT = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")
TOTAL = re.compile(
    r"(?:grand[ -]?|sub[ -]?)?total[es]?\b.{0,20}|sum(?:me|ma|a|s)?|gesamt(?:summe)?|endsumme|somme|average|mean|mittelwert|\d+ rows?",
    re.IGNORECASE,
)
LONGEST_NAME = 100
YEARS = range(1900, 2101)
FEWEST_BELOW = 5
"""Fewest cells below the first row that show a column of numbers."""


def is_value(cell: str) -> bool:
    """Return whether a cell is a number, a date, a time, an e-mail address or a UUID, so hardly a name."""
    text = cell.strip()
    return any(pattern.fullmatch(text) for pattern in (NUMBER, MOMENT, DIRECT))


def could_be_names(cells: Sequence[str]) -> bool:
    """Return whether cells are different, short and no values."""
    return (
        len(set(cells)) == len(cells) > 0
        and not any(map(is_value, cells))
        and all(len(cell) <= LONGEST_NAME for cell in cells)
    )


def header_suspicion(names: Sequence[str], columns: Sequence[Sequence[str | None]]) -> str | None:
    """Return why a header looks like a record, or None.

    Args:
        names: of the header.
        columns: cells of each column.
    """
    values = [name for name in names if is_value(name)]
    inside = [
        name
        for name, column in zip(names, columns, strict=True)
        if name and not is_value(name) and name in column
    ]
    if values and not _is_series(values):
        return f"{len(values)} of its {len(names)} names {'is a value' if len(values) == 1 else 'are values'} such as numbers or dates"
    if inside:
        return f"{len(inside)} of its {len(names)} names {'is' if len(inside) == 1 else 'are'} also a cell of the same column"
    return None


def quoted_names(names: Sequence[str]) -> bool:
    """Return whether all names stand in single quotes."""
    return all(len(name) > 2 and name[0] == name[-1] == "'" for name in names)


def is_total(row: Sequence[str | None], column: Sequence[str | None]) -> bool:
    """Return whether a row begins like a total of the rows above it.

    Args:
        row: the last row.
        column: the first column.
    """
    first = (row[0] or "").strip().rstrip(":")
    return TOTAL.fullmatch(first) is not None and sum(cell == row[0] for cell in column) == 1


def holds_units(columns: Sequence[Sequence[str | None]]) -> bool:
    """Return whether the first row holds units (`kg`, `mm Hg`) or codes of the columns rather than a record.

    Args:
        columns: cells of each column.
    """
    numeric = [column for column in columns if _is_number_below_first(column)]
    return len(numeric) > 1 and all(column[0] and not is_value(column[0]) for column in numeric)


def _is_number_below_first(column: Sequence[str | None]) -> bool:
    rest = [cell for cell in column[1:] if cell]
    return len(rest) >= FEWEST_BELOW and all(map(is_value, rest))


def _is_series(values: Sequence[str]) -> bool:
    """Return whether names are numbers at one distance, or years, as in a table with a column per year or position."""
    if not all(value.isdecimal() for value in values):
        return False
    numbers = list(map(int, values))
    steps = {second - first for first, second in pairwise(numbers)}
    return all(number in YEARS for number in numbers) or (len(steps) == 1 and 0 not in steps)
