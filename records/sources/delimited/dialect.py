"""Detection of a delimited file's dialect: its delimiter, and the lines above its header."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from paracosm.foundation.errors import DataError
from paracosm.records.sources.delimited.header import could_be_names, is_value

DELIMITERS = (",", ";", "\t", "|")
BLANKS = " "
"""Delimiter of a file whose cells are divided by one or more blanks."""
NO_DELIMITER = "\x1f"
"""A delimiter that no file has: the unit separator."""
LONGEST_CELL = 2**31 - 1
SNIFFED_ROWS = 100
SNIFFED_LETTERS = 1 << 18
MOST_PREAMBLE = 30
"""Most lines above a header."""
MOSTLY = 0.7
"""Share of rows with one number of cells from which on a delimiter divides a file into columns."""
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t;,]*\r?\n?', re.IGNORECASE)
BLANK_CELL = re.compile(r'"[^"]*"|\S+')


@dataclass(frozen=True)
class Dialect:
    """How a delimited text is divided.

    Attributes:
        delimiter: between cells; `BLANKS` is any run of blanks, `NO_DELIMITER` makes one column.
        skipped: lines above the header.
        reason: what the skipped lines are; empty if there is nothing to say about them.
    """

    delimiter: str
    skipped: int = 0
    reason: str = ""


def sniff(beginning: str, *, tabs: bool = False) -> Dialect:
    """Return the dialect of a delimited text.

    Args:
        beginning: the first `SNIFFED_LETTERS` of the text.
        tabs: whether the delimiter is a tab, unless the first line has none.
    """
    if line := SEPARATOR_LINE.match(beginning):
        return Dialect(line[1] if line[1] != "\\" else "\t", 1)
    comments = _comment_lines(beginning)
    if comments:
        last = list(_lines(beginning))[comments - 1].removeprefix("#")
        after = sniff_delimiter("".join(islice(_lines(beginning), comments, None)))
        following = next(_sniffed(beginning, after, comments), (0, []))[1]
        names = next(_cells(last, after), [])
        if len(names) == len(following) > 1 and could_be_names(names) and any(map(is_value, following)):
            comments -= 1
    body = "".join(islice(_lines(beginning), comments, None)) if comments else beginning
    delimiter = "\t" if tabs and "\t" in body.partition("\n")[0] else sniff_delimiter(body)
    rows = list(islice(_sniffed(beginning, delimiter, comments), SNIFFED_ROWS))
    skipped = _title_lines(rows)
    if skipped:
        return Dialect(delimiter, skipped, f"the first {skipped} lines" if skipped > 1 else "the first line")
    reason = f"{comments} lines that begin with #" if comments > 1 else "a line that begins with #"
    return Dialect(delimiter, comments, reason if comments else "")


def sniff_delimiter(text: str) -> str:
    """Return the delimiter that divides the rows into the most cells, with the same number in (nearly) each row."""
    widths = {delimiter: _widths(text, delimiter) for delimiter in DELIMITERS}
    constant = [mark for mark in DELIMITERS if len(set(widths[mark])) == 1 and widths[mark][0] > 1]
    if constant:
        return max(constant, key=lambda mark: widths[mark][0])
    if _is_one_column(text, widths):
        return BLANKS if _divided_by_blanks(text) else NO_DELIMITER
    usual = {mark: Counter(widths[mark]).most_common(1)[0] for mark in DELIMITERS}
    mostly = [
        mark for mark in DELIMITERS if usual[mark][0] > 1 and usual[mark][1] >= MOSTLY * len(widths[mark])
    ]
    if mostly:
        return max(mostly, key=lambda mark: (usual[mark][1] / len(widths[mark]), usual[mark][0]))
    return max(DELIMITERS, key=lambda mark: widths[mark][0])


def looks_like_table(beginning: str) -> bool:
    """Return whether a text has names of several columns, and at least three rows with as many cells."""
    dialect = sniff(beginning)
    if dialect.delimiter in (BLANKS, NO_DELIMITER):
        return False
    table = [row for _, row in islice(_sniffed(beginning, dialect.delimiter, dialect.skipped), SNIFFED_ROWS)]
    return (
        len(table) > 3 and len({len(row) for row in table}) == 1 < len(table[0]) and could_be_names(table[0])
    )


def rows(lines: Iterator[str], dialect: Dialect, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line and the cells of every row that is not blank, from the header on.

    Raises:
        DataError: the quotes of a row do not match.
    """
    if dialect.delimiter == BLANKS:
        for number, line in enumerate(lines, start=1):
            if number > dialect.skipped and (cells := BLANK_CELL.findall(line)):
                yield number, [cell.strip('"') for cell in cells]
        return
    allow_long_cells()
    reader = csv.reader(islice(lines, dialect.skipped, None), delimiter=dialect.delimiter, strict=True)
    line = dialect.skipped + 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = dialect.skipped + reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}:{line}: the quotes in the row that begins on this line do not match ({error}); inside quotes, a quote"
            " is written twice"
        ) from error


def allow_long_cells() -> None:
    """Let the csv module read cells of any length."""
    csv.field_size_limit(LONGEST_CELL)


def _lines(text: str) -> Iterator[str]:
    return iter(io.StringIO(text, newline=""))


def _cells(text: str, delimiter: str) -> Iterator[list[str]]:
    if delimiter == BLANKS:
        return (cells for line in _lines(text) if (cells := BLANK_CELL.findall(line)))
    allow_long_cells()
    return (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row)


def _sniffed(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the last line's number and the cells of the rows after some lines, whatever their quotes."""
    if delimiter == BLANKS:
        for number, line in enumerate(_lines(text), start=1):
            if number > skipped and (cells := BLANK_CELL.findall(line)):
                yield number, cells
        return
    file = io.StringIO(text, newline="")
    for _ in range(skipped):
        next(file)
    allow_long_cells()
    reader = csv.reader(file, delimiter=delimiter)
    for row in reader:
        if row:
            yield skipped + reader.line_num, row


def _widths(text: str, delimiter: str) -> list[int]:
    return [len(row) for row in islice(_cells(text, delimiter), SNIFFED_ROWS)] or [1]


def _comment_lines(text: str) -> int:
    """Return the number of lines before the first line that is neither blank nor begins with #, if some begin with #."""
    comments = 0
    for number, line in enumerate(islice(_lines(text), MOST_PREAMBLE)):
        if line.strip() and not line.startswith("#"):
            return number if comments else 0
        comments += line.startswith("#")
    return 0


def _title_lines(rows: Sequence[tuple[int, list[str]]]) -> int:
    """Return the number of lines before the first row that has as many cells as most rows and could be names.

    A title, an account number or a period above the header has fewer cells, or only one that is not empty.
    """
    if len(rows) < 3:
        return 0
    usual = Counter(len(row) for _, row in rows).most_common(1)[0][0]
    if usual < 2:
        return 0
    for index, (_, row) in enumerate(rows[: MOST_PREAMBLE + 1]):
        filled = [cell for cell in row if cell.strip()]
        is_above = len(row) < usual - (index == 0 and usual > 2 and _is_short_header(rows)) or (
            usual > 2 and len(filled) < max(2, usual / 3)
        )
        if not is_above:
            # Names of a table need no blank cell; a record with one would not be a header.
            return rows[index - 1][0] if index and could_be_names(filled) and len(filled) > 1 else 0
    return 0


def _is_short_header(rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Return whether the first row lacks exactly one cell of all the others, as where rows have names or end in a delimiter."""
    first, others = len(rows[0][1]), {len(row) for _, row in rows[1:]}
    return others == {first + 1} and could_be_names(rows[0][1])


def _is_one_column(text: str, widths: dict[str, list[int]]) -> bool:
    """Return whether a file has one column: commas in it are of numbers or sentences."""
    if any(of_mark[0] > 1 for of_mark in widths.values()):
        return False
    for mark in DELIMITERS:
        body = widths[mark][1:]
        usual, count = Counter(body).most_common(1)[0] if body else (1, 0)
        if usual > 1 and count >= MOSTLY * len(body):
            second = [row[1] for row in islice(_cells(text, mark), 1, SNIFFED_ROWS) if len(row) == 2]
            of_numbers = mark == "," and all(cell.isdecimal() for cell in second)
            of_sentences = mark == "," and all(cell[:1].isspace() for cell in second)
            if usual > 2 or not (of_numbers or of_sentences):
                return False
    return True


def _divided_by_blanks(text: str) -> bool:
    """Return whether every line has the same number of words, and a column of them is of numbers below a name."""
    table = list(islice(_cells(text, BLANKS), SNIFFED_ROWS))
    if len(table) < 4 or len({len(row) for row in table}) != 1 or len(table[0]) < 2:
        return False
    numeric = [column for column in zip(*table[1:], strict=True) if all(map(is_value, column))]
    # One number after a word is a label such as `item 3`; two columns of numbers, or a number first, are a table.
    first_is_value = all(is_value(row[0]) for row in table[1:])
    return could_be_names(table[0]) and (
        len(numeric) >= 2 or (bool(numeric) and (first_is_value or len(table[0]) > 2))
    )
