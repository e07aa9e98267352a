"""Reader of the raw table of a recipe: files, SQL, the Hub, samples and tables in memory.

Cells are strings from CSV, TSV and JSONL, and have the source's types from Parquet, SQL, the Hub and Python objects. Cells of
`data.missing` are missing in CSV and TSV only; elsewhere null is missing and `NaN` may be a word.
"""

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.foundation.credentials.references import resolve
from paracosm.foundation.digests import file_digest, value_digest
from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import SEVERAL, Data
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.schema.origin import origin_of, with_origin
from paracosm.records.sources.delimited.table import read_delimited
from paracosm.records.sources.documents.detection import are_documents
from paracosm.records.sources.documents.read_documents import read_documents
from paracosm.records.sources.hub import read_hub, read_saved
from paracosm.records.sources.in_memory import checked, from_object
from paracosm.records.sources.json_file import read_json
from paracosm.records.sources.parquet import read_parquet
from paracosm.records.sources.samples.market_news import NAME as MARKET_NEWS
from paracosm.records.sources.samples.market_news import market_news
from paracosm.records.sources.selection.row_limit import check_cells, check_rows, limited
from paracosm.records.sources.selection.source_files import (
    COMPRESSED,
    DELIMITED,
    DOCUMENTS,
    JSON,
    LINES,
    READABLE,
    source_files,
    table_suffix,
)
from paracosm.records.sources.sql import read_sql
from paracosm.records.text.decompressed import check_size

__all__ = ["from_object", "read_source", "source_digest", "source_files", "table_digest"]

EXCEL = "; save the sheet as CSV (UTF-8)"
PANDAS = "; convert it once: python -c \"import pandas; pandas.{reader}('FILE').to_parquet('FILE.parquet')\""
CURES = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), EXCEL),
    **{
        suffix: PANDAS.format(reader=reader)
        for suffix, reader in {
            ".dta": "read_stata",
            ".sav": "read_spss",
            ".xpt": "read_sas",
            ".sas7bdat": "read_sas",
            ".orc": "read_orc",
            ".feather": "read_feather",
            ".arrow": "read_feather",
            ".xml": "read_xml",
            ".pkl": "read_pickle",
            ".h5": "read_hdf",
        }.items()
    },
}
"""Suffix of a file that is not read -> what to do, for the error message."""


def read_source(data: Data, *, root: Path) -> pd.DataFrame:
    """Read the raw table that `data.source` names.

    Args:
        data: the recipe's data section; `source`, `query`, `hub_split`, `missing`, `drop` and `limit` are read. References
            such as `${DB_PASSWORD}` in `source` are replaced here, and no message shows their values.
        root: the recipe's folder; relative paths are searched there, then in the current folder.

    Raises:
        DataError: the source does not exist, or is damaged, empty or not a table; or a variable of it is not set.
    """
    resolved = resolve(data.source, "data.source", DataError)
    with resolved.hiding(DataError):
        data = data.model_copy(update={"source": resolved.text})
        if data.source == f"sample:{MARKET_NEWS}":
            return _limited(market_news().drop(columns=data.drop, errors="ignore"), data)
        if _is_url(data.source):
            return _limited(_read_url(data, root), data)
        files = source_files(data, root=root)
        if len(files) == 1 and files[0].is_dir():
            return _limited(read_saved(files[0], data), data)
        if are_documents(files, data):
            folder = Path(os.path.commonpath([file.parent for file in files]))
            return _limited(read_documents(files, data, root=folder), data)
        if data.passages is not None:
            raise DataError(
                f"data.passages: is for text documents, but {files[0]} is a table; use data.longest_text"
            )
        return _limited(_read_files(files, data), data)


def source_digest(data: Data, *, root: Path) -> str | None:
    """Return a digest of the source's files, or None if the source is not a file and has to be read for a digest."""
    resolved = resolve(data.source, "data.source", DataError)
    if _is_url(resolved.text) or resolved.text == f"sample:{MARKET_NEWS}":
        return None
    with resolved.hiding(DataError):
        files = source_files(data.model_copy(update={"source": resolved.text}), root=root)
        if any(file.is_dir() for file in files):
            return None
        return value_digest([_digest(file) for file in files])


def table_digest(table: pd.DataFrame) -> str:
    """Return a digest of a raw table's columns and cells."""
    columns = {
        str(name): to_source_strings(table[name]).astype(object).where(table[name].notna(), None).tolist()
        for name in table
    }
    return value_digest([list(columns), columns])


def _is_url(source: str) -> bool:
    return "://" in source


def _read_url(data: Data, root: Path) -> pd.DataFrame:
    scheme = data.source.partition("://")[0]
    if scheme == "hf":
        if data.query is not None:
            raise DataError(
                f"data.query: goes with a database URL, but data.source is {redact_url(data.source)!r}"
            )
        return read_hub(data)
    if scheme in ("http", "https", "s3", "gs", "ftp", "file"):
        raise DataError(
            f"data.source: cannot read {scheme}:// addresses; name a local file, hf://ORG/NAME or a"
            " database URL"
        )
    return read_sql(data, root=root)


def _read_files(files: list[Path], data: Data) -> pd.DataFrame:
    tables: list[pd.DataFrame] = []
    rows = 0
    for file in files:
        table = _read_file(file, data)
        if tables and set(table.columns) != set(tables[0].columns):
            raise DataError(_other_columns(file, table, files[0], tables[0]))
        tables.append(table[list(tables[0].columns)] if tables else table)
        rows += len(table)
        check_rows(rows, str(file), data)
        check_cells(
            rows if data.limit is None else min(rows, data.limit), len(table.columns), str(file), data
        )
        if data.limit is not None and data.limit_order == "first" and rows >= data.limit:
            break
    return tables[0] if len(tables) == 1 else _joined(files, tables)


def _joined(files: list[Path], tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return several tables below each other, with the types of the source in which all of them agree."""
    origins = [origin_of(table) for table in tables]
    arrow = dict(origins[0].arrow)
    for origin in origins[1:]:
        arrow = {name: type_ for name, type_ in arrow.items() if origin.arrow.get(name) == type_}
        for name, labels in origins[0].labels.items():
            if not arrow.get(name, "").startswith("dictionary") and origin.labels.get(name) != labels:
                raise DataError(
                    f"{files[origins.index(origin)]}: has other class labels in {name!r} than {files[0].name}"
                )
    warnings = tuple(dict.fromkeys(warning for origin in origins for warning in origin.warnings))
    table = pd.concat(tables, ignore_index=True)
    return with_origin(table, replace(origins[0], warnings=warnings, arrow=arrow))


def _read_file(file: Path, data: Data) -> pd.DataFrame:
    suffix = table_suffix(file)
    if suffix not in READABLE:
        raise DataError(
            f"{file}: files of this kind are not supported; allowed: {', '.join(READABLE)}, each also with"
            f" {', '.join(COMPRESSED)}; documents ({', '.join(DOCUMENTS)}) alone{CURES.get(suffix, '')}"
        )
    try:
        if data.limit is None or data.limit_order == "random":
            check_size(file, data.bounds)
        if suffix in DELIMITED:
            return read_delimited(file, data, tabs=suffix in (".tsv", ".tab"))
        if suffix in (*LINES, *JSON):
            return read_json(file, data, lines=suffix in LINES)
        return read_parquet(file, data)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error


def _limited(table: pd.DataFrame, data: Data) -> pd.DataFrame:
    table = checked(
        table, data.source.partition("://")[0] if _is_url(data.source) else data.source.replace(SEVERAL, ", ")
    )
    return limited(table, data)


def _other_columns(file: Path, table: pd.DataFrame, first: Path, expected: pd.DataFrame) -> str:
    lacking = [str(name) for name in expected.columns if name not in table.columns]
    extra = [str(name) for name in table.columns if name not in expected.columns]
    if lacking:
        return f"{file}: lacks the column {lacking[0]!r} of {first.name}{did_you_mean(lacking[0], extra)}"
    return f"{file}: has the column {extra[0]!r}, which {first.name} lacks"


def _digest(file: Path) -> str:
    try:
        return file_digest(file)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
