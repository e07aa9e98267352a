"""Reader of CSV and TSV files, with every cell as a string."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.records.schema.origin import Origin, with_origin
from paracosm.records.sources.delimited.dialect import BLANKS, Dialect, rows, sniff
from paracosm.records.sources.delimited.header import could_be_names, header_suspicion, is_total, quoted_names
from paracosm.records.text.text_file import read_any_text

LONG_WORDS = 6
"""Words in a name from which on a file of one column looks like plain text."""
Row = tuple[int, list[str]]


def read_delimited(path: Path, *, missing: Collection[str], tabs: bool, limit: int | None) -> pd.DataFrame:
    """Read a CSV or TSV file with a header as a table of strings.

    The delimiter is detected among comma, semicolon, tab, bar and blanks. `sep=;`, comments and titles above the header are
    skipped, so are rows without any cell and repetitions of the header; a warning says so. Other warnings name suspicions.

    Args:
        path: the file, compressed or not.
        missing: cells that mean a missing value.
        tabs: whether the delimiter is a tab; else it is detected.
        limit: most rows to read; None for all.

    Raises:
        DataError: the file is not text, has no header or no rows, or a row has another number of cells than the header.
    """
    decoded = read_any_text(path)
    _refuse_markup(decoded.text, path)
    dialect = sniff(decoded.text, tabs=tabs)
    warnings = [*decoded.warnings, *_dialect_warnings(dialect, path)]
    lines = list(islice(rows(decoded.text, dialect, path), None if limit is None else limit + 1))
    if not lines:
        raise DataError(f"{path}: has no header")
    (line, header), body = lines[0], lines[1:]
    if not body:
        raise DataError(f"{path}: has a header but no rows")
    _refuse_plain_text(path, header)
    header, body = _without_last_delimiter(path, header, body, warnings)
    names = _names(header, path, line, warnings)
    _refuse_ragged(path, line, names, body, dialect, limit)
    body = _without_noise(path, names, body, warnings)
    cells = list(zip(*(row for _, row in body), strict=True))
    _add_suspicions(path, line, names, cells, body, limit, warnings)
    absent = set(missing)
    columns = ([None if cell in absent else cell for cell in column] for column in cells)
    table = pd.DataFrame(
        {name: pd.Series(column, dtype="string") for name, column in zip(names, columns, strict=True)}
    )
    return with_origin(table, Origin(tuple(warnings)))


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
            f"{path}: a .txt file is read as a table, but its first line is a text rather than names of columns; for one text a"
            ' line put a name such as `text` on a line above them, or write JSON Lines: {"text": "..."}'
        )


def _without_last_delimiter(
    path: Path, header: list[str], body: list[Row], warnings: list[str]
) -> tuple[list[str], list[Row]]:
    """Return header and rows without the last column if it has neither name nor cells: each line ends in the delimiter."""
    width = len(header) if len(header) > 1 and not header[-1].strip() else len(header) + 1
    if width < 2 or not all(len(row) == width and not row[-1].strip() for _, row in body):
        return header, body
    warnings.append(f"{path}: every row ends with the delimiter; the empty last column is left out")
    return header[: width - 1], [(line, row[:-1]) for line, row in body]


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
    path: Path, first: int, names: list[str], body: list[Row], dialect: Dialect, limit: int | None
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
    elif number == len(body) - len(wrong) and len(row) < len(names) and limit is None:
        hint = "; the end of the file looks like a footer: remove these lines"
    elif row[0].startswith("#"):
        hint = "; remove comment lines"
    elif len(row) > len(names):
        shown = "a blank" if dialect.delimiter == BLANKS else repr(dialect.delimiter)
        hint = f"; a cell that holds {shown} must stand in double quotes"
    else:
        hint = ""
    raise DataError(f"{path}:{line}: expected {len(names)} fields, found {len(row)}{hint}")


def _without_noise(path: Path, names: list[str], body: list[Row], warnings: list[str]) -> list[Row]:
    """Return the rows that are neither empty nor a repetition of the header."""
    if len(names) < 2:
        return body
    empty = [row for row in body if not any(cell.strip() for cell in row[1])]
    # Whether a row is skipped depends on this row and the header alone, as privacy demands.
    repeated = [row for row in body if row[1] == names and could_be_names(names)]
    if empty:
        warnings.append(
            f"{path}: {_count(len(empty), 'row')} without any cell skipped (first: line {empty[0][0]})"
        )
    if repeated:
        warnings.append(
            f"{path}: {_count(len(repeated), 'row')} skipped that repeat the header (first: line {repeated[0][0]})"
        )
    if not empty and not repeated:
        return body
    skipped = {line for line, _ in (*empty, *repeated)}
    rest = [row for row in body if row[0] not in skipped]
    if not rest:
        raise DataError(f"{path}: has a header but no rows")
    return rest


def _add_suspicions(
    path: Path,
    line: int,
    names: list[str],
    columns: list[tuple[str, ...]],
    body: list[Row],
    limit: int | None,
    warnings: list[str],
) -> None:
    if reason := header_suspicion(names, columns):
        warnings.append(
            f"{path}:{line}: the first line looks like a record rather than names of columns ({reason}); if it is one, add a line"
            " of names above it, because names are published"
        )
    if quoted_names(names):
        warnings.append(
            f"{path}:{line}: all names stand in single quotes, which are read as letters; use double quotes"
        )
    if limit is None and len(body) > 2 and is_total(body[-1][1], columns[0]):
        warnings.append(
            f"{path}:{body[-1][0]}: the last row looks like a total, not like a record; if so, remove it"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
