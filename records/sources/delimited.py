"""Reader of CSV and TSV files, with every cell as a string."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.records.sources.text_file import read_text

DELIMITERS = (",", ";", "\t", "|")
LONGEST_CELL = 2**31 - 1
SNIFFED_ROWS = 20
SNIFFED_LETTERS = 1 << 18


def read_delimited(path: Path, *, missing: Collection[str], tabs: bool, limit: int | None) -> pd.DataFrame:
    """Read a CSV or TSV file with a header as a table of strings.

    Args:
        path: the file, gzipped or not.
        missing: cells that mean a missing value.
        tabs: whether the delimiter is a tab; else it is detected among comma, semicolon, tab and bar.
        limit: most rows to read; None for all.

    Raises:
        DataError: the file is not text, has no header or no rows, or a row has another number of cells than the header.
    """
    text = read_text(path)
    rows = _rows(text, "\t" if tabs else sniff_delimiter(text), path)
    _, header = next(rows)
    names = _names(header, path)
    cells: list[list[str]] = []
    for line, row in islice(rows, limit):
        if len(row) != len(names):
            raise DataError(f"{path}:{line}: expected {len(names)} fields, found {len(row)}")
        cells.append(row)
    if not cells:
        raise DataError(f"{path}: has a header but no rows")
    absent = set(missing)
    columns = ([None if cell in absent else cell for cell in column] for column in zip(*cells, strict=True))
    return pd.DataFrame(
        {name: pd.Series(column, dtype="string") for name, column in zip(names, columns, strict=True)}
    )


def sniff_delimiter(text: str) -> str:
    """Return the delimiter that divides the first rows into the most cells, with the same number in each row."""
    beginning = text[:SNIFFED_LETTERS]
    scores = {}
    for delimiter in DELIMITERS:
        widths = _widths(beginning, delimiter)
        scores[delimiter] = (len(set(widths)) == 1 and widths[0] > 1, widths[0])
    return max(DELIMITERS, key=scores.__getitem__)


def _widths(text: str, delimiter: str) -> list[int]:
    _allow_long_cells()
    rows = (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row)
    widths = [len(row) for row in islice(rows, SNIFFED_ROWS)]
    return widths or [1]


def _rows(text: str, delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the cells of every row that is not blank."""
    _allow_long_cells()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}:{line}: the quotes in the row that begins on this line do not match ({error})"
        ) from error


def _names(header: list[str], path: Path) -> list[str]:
    names = [name or f"column {number}" for number, name in enumerate(header, start=1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path}:1: there are two columns {twice[0]!r}")
    return names


def _allow_long_cells() -> None:
    csv.field_size_limit(LONGEST_CELL)
