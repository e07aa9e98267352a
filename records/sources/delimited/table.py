"""Reader of CSV and TSV files, with every cell as a string."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.schema.origin import Origin, with_origin
from paracosm.records.sources.delimited.codes_like_na import MISSING, na_warning
from paracosm.records.sources.delimited.dialect import BLANKS, SNIFFED_LETTERS, Dialect, rows, sniff
from paracosm.records.sources.delimited.header import (
    could_be_names,
    header_suspicion,
    holds_units,
    is_total,
    quoted_names,
)
from paracosm.records.sources.selection.row_limit import RowCollector, check_columns, frames
from paracosm.records.text.text_file import read_any_text, text_stream, zero_byte

LONG_WORDS = 6
"""Words in a name from which on a file of one column looks like plain text."""
Row = tuple[int, list[str]]


def read_delimited(path: Path, data: Data, *, tabs: bool) -> pd.DataFrame:
    """Read a CSV or TSV file with a header as a table of strings, in chunks.

    The delimiter is detected among comma, semicolon, tab, bar and blanks. `sep=;`, comments and titles above the header are
    skipped, so are rows without any cell and repetitions of the header; a warning says so. Other warnings name suspicions.

    Args:
        path: the file, compressed or not.
        data: `missing`, `limit`, `drop` and `bounds` are read.
        tabs: whether the delimiter is a tab; else it is detected.

    Raises:
        DataError: the file is not text, has no header or no rows, is larger than allowed, or a row has another number of cells
            than the header.
    """
    try:
        with text_stream(path, data.bounds) as stream:
            return _read(stream, path, data, tabs, [])
    except UnicodeDecodeError:
        decoded = read_any_text(path, data.bounds)
        return _read(io.StringIO(decoded.text, newline=""), path, data, tabs, list(decoded.warnings))


def _read(stream: TextIO, path: Path, data: Data, tabs: bool, warnings: list[str]) -> pd.DataFrame:
    beginning = stream.read(SNIFFED_LETTERS)
    if not beginning.strip():
        raise DataError(f"{path}: {'begins with blanks only' if stream.read(1) else 'is empty'}")
    _refuse_markup(beginning, path)
    dialect = sniff(beginning, tabs=tabs)
    warnings += _dialect_warnings(dialect, path)
    lines = chain(io.StringIO(beginning + stream.readline(), newline=""), stream)
    every = rows(_without_zeros(lines, path), dialect, path)
    line, header = next(every, (0, []))
    if not header:
        raise DataError(f"{path}: has no header")
    check_columns(len(header), str(path), data)
    _refuse_plain_text(path, header)
    chunks = _Chunks(path, line, header, dialect, data, warnings)
    while body := list(islice(every, chunks.collector.next_rows(len(header)))):
        following = next(every, None)
        if chunks.add(body, is_last=following is None):
            break
        every = chain([following] if following else [], every)
    return chunks.table()


def _without_zeros(lines: Iterable[str], path: Path) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise zero_byte(path, number)
        yield line


class _Chunks:
    """The rows of a delimited file; the first chunk decides what belongs to the header."""

    def __init__(
        self,
        path: Path,
        line: int,
        header: list[str],
        dialect: Dialect,
        data: Data,
        warnings: list[str],
    ) -> None:
        self.path, self.line, self.header, self.dialect = path, line, header, dialect
        self.warnings = warnings
        self.absent = set(data.missing)
        self.with_na: set[str] = set()
        self.names: list[str] = []
        self.ends_with_delimiter = False
        self.empty: list[int] = []
        self.repeated: list[int] = []
        self.collector = RowCollector(data, str(path), frames(data))

    def add(self, body: list[Row], *, is_last: bool) -> bool:
        """Add the next rows; return whether no more are needed."""
        is_first = not self.names
        if is_first:
            self._read_header(body)
        elif self.ends_with_delimiter:
            body = [(line, row if row[-1].strip() else row[:-1]) for line, row in body]
        _refuse_ragged(self.path, self.line, self.names, body, self.dialect, is_last)
        body = self._without_noise(body)
        cells = list(zip(*(row for _, row in body), strict=True)) or [()] * len(self.names)
        if is_first and body:
            _add_header_suspicions(self.path, self.line, self.names, cells, self.warnings)
        if is_last and len(body) > 2 and is_total(body[-1][1], cells[0]):
            self.warnings.append(
                f"{self.path}:{body[-1][0]}: the last row looks like a total, not like a record; if so, remove it"
            )
        if MISSING in self.absent:
            self.with_na |= {
                name for name, column in zip(self.names, cells, strict=True) if MISSING in column
            }
        columns = (
            pd.Series([None if cell in self.absent else cell for cell in column], dtype="string")
            for column in cells
        )
        table = pd.DataFrame(dict(zip(self.names, columns, strict=True)))
        return self.collector.add(table, columns=len(self.names))

    def table(self) -> pd.DataFrame:
        """Return the table of the rows that were added."""
        if self.empty:
            self.warnings.append(
                f"{self.path}: {_count(len(self.empty), 'row')} without any cell skipped (first: line {self.empty[0]})"
            )
        if self.repeated:
            self.warnings.append(
                f"{self.path}: {_count(len(self.repeated), 'row')} skipped that repeat the header (first: line {self.repeated[0]})"
            )
        chosen = self.collector.rows()
        if not chosen or chosen[0].empty:
            raise DataError(f"{self.path}: has a header but no rows")
        named = sorted(self.with_na & set(chosen[0].columns))
        self.warnings += filter(None, (na_warning(name, chosen[0][name], self.path) for name in named))
        return with_origin(chosen[0].reset_index(drop=True), Origin(tuple(self.warnings)))

    def _read_header(self, body: list[Row]) -> None:
        """Read names, and whether each line ends in the delimiter, so that the last column has neither name nor cells."""
        header = self.header
        width = len(header) if len(header) > 1 and not header[-1].strip() else len(header) + 1
        if width > 1 and all(len(row) == width and not row[-1].strip() for _, row in body):
            self.ends_with_delimiter = True
            self.warnings.append(
                f"{self.path}: every row ends with the delimiter; the empty last column is left out"
            )
            header = header[: width - 1]
            body[:] = [(line, row[:-1]) for line, row in body]
        self.names = _names(header, self.path, self.line, self.warnings)

    def _without_noise(self, body: list[Row]) -> list[Row]:
        """Return the rows that are neither empty nor a repetition of the header."""
        if len(self.names) < 2:
            return body
        # Whether a row is skipped depends on this row and the header alone, as privacy demands.
        empty = {line for line, row in body if not any(cell.strip() for cell in row)}
        repeated = {line for line, row in body if row == self.names and could_be_names(self.names)}
        self.empty += sorted(empty)
        self.repeated += sorted(repeated)
        return [row for row in body if row[0] not in empty and row[0] not in repeated]


def _refuse_markup(text: str, path: Path) -> None:
    start = text[:1024].lstrip()
    if start.startswith(("<!", "<html", "<table", "<?xml")):
        raise DataError(f"{path}: holds HTML or XML, not a delimited table; export it as CSV")
    if start.startswith(("[{", '{"')) and "\n" not in start.partition("}")[0]:
        raise DataError(f"{path}: holds JSON; name the file .json or .jsonl")


def _dialect_warnings(dialect: Dialect, path: Path) -> list[str]:
    warnings = []
    if dialect.reason:
        warnings.append(
            f"{path}: {dialect.reason} above the header skipped (header: line {dialect.skipped + 1} or below)"
        )
    if dialect.delimiter == BLANKS:
        warnings.append(
            f"{path}: has blanks between its cells; read as one cell a word. Use commas and quotes if that is wrong"
        )
    return warnings


def _refuse_plain_text(path: Path, header: Sequence[str]) -> None:
    """Raise if a .txt file is running text: each line is a text, and so is the first."""
    suffix = next((part for part in reversed(path.suffixes) if part.lower() not in (".gz", ".zst")), "")
    if suffix.lower() == ".txt" and max(len(name.split()) for name in header) >= LONG_WORDS:
        raise DataError(
            f"{path}: a .txt file is read as a table, but its first line is a text rather than names of columns; name the folder of several texts; for one text a"
            ' line put a name such as `text` on a line above them, or write JSON Lines: {"text": "..."}'
        )


def _names(header: Sequence[str], path: Path, line: int, warnings: list[str]) -> list[str]:
    names = [name or f"column {number}" for number, name in enumerate(header, start=1)]
    nameless = [number for number, name in enumerate(header, start=1) if not name]
    # An index that pandas wrote has no name; only other columns are a surprise.
    if nameless and nameless != [1]:
        listed = ", ".join(f"'column {number}'" for number in nameless[:8])
        warnings.append(f"{path}:{line}: names are missing in the header; the columns are called {listed}")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{path}:{line}: there are two columns {twice[0]!r}; rename one of them in the header"
        )
    return names


def _refuse_ragged(
    path: Path, first: int, names: list[str], body: list[Row], dialect: Dialect, is_last: bool
) -> None:
    """Raise if a row has another number of cells than the header, with what that suggests."""
    wrong = [(number, line, row) for number, (line, row) in enumerate(body) if len(row) != len(names)]
    if not wrong:
        return
    number, line, row = wrong[0]
    if len(wrong) == len(body) and {len(cells) for _, _, cells in wrong} == {len(names) + 1}:
        hint = (
            "; every row has one more, so the rows may begin with row names: add a name for the first column"
        )
    elif len(wrong) == len(body) and len(body) > 1:
        hint = "; so has every row: the header may be further below, or the delimiter another one"
    elif number == len(body) - len(wrong) and len(row) < len(names) and is_last:
        hint = "; the end of the file looks like a footer: remove these lines"
    elif row[0].startswith("#"):
        hint = "; remove comment lines"
    elif len(row) > len(names):
        shown = "a blank" if dialect.delimiter == BLANKS else repr(dialect.delimiter)
        hint = f"; a cell that holds {shown} must stand in double quotes"
    else:
        hint = ""
    raise DataError(f"{path}:{line}: expected {len(names)} fields, found {len(row)}{hint}")


def _add_header_suspicions(
    path: Path, line: int, names: list[str], columns: list[tuple[str, ...]], warnings: list[str]
) -> None:
    if reason := header_suspicion(names, columns):
        warnings.append(
            f"{path}:{line}: the first line looks like a record rather than names of columns ({reason}); if it is one, add a line"
            " of names above it, because names are published"
        )
    if holds_units(columns):
        warnings.append(
            f"{path}:{line + 1}: the first row looks like units of the columns rather than a record; if so, remove it"
        )
    if quoted_names(names):
        warnings.append(
            f"{path}:{line}: all names stand in single quotes, which are read as letters; use double quotes"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
