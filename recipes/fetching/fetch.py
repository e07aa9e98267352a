"""Fetch the data of a shipped recipe: download, check, convert, and put the file where the recipe reads it."""

import csv
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from paracosm.foundation.errors import DataError
from paracosm.foundation.files import replacing
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.fetching.download import copy_local, download
from paracosm.recipes.fetching.origin import HOST, DataSet, OriginFile, Row

PARTS = ".paracosm-downloads"
"""Folder, beside the target, that keeps what an interrupted download has received."""


def fetch(
    data: DataSet, *, folder: Path, origin: str | Path = HOST, progress: Progress = silent
) -> Path | None:
    """Fetch a data set into a folder.

    Args:
        data: which one.
        folder: where the file of the recipe is written; made if it does not exist.
        origin: the host of the published files, a mirror with the same paths, or a folder with the files.
        progress: receives a line per file.

    Returns:
        The file, or None if it was there already with the right rows and columns.

    Raises:
        DataError: a file cannot be had or has other bytes than were published, or the target exists with other content.
    """
    target = folder / data.target
    if target.exists():
        found = _size_of(target)
        if found != (data.rows, list(data.columns)):
            raise DataError(f"{target}: exists already and is another table; move it, or set --out FOLDER")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    parts = folder / PARTS
    with tempfile.TemporaryDirectory(prefix=".paracosm-", dir=folder) as copies:
        try:
            paths = [
                copy_local(file, origin, Path(copies))
                if isinstance(origin, Path)
                else _downloaded(file, parts, origin, progress)
                for file in data.files
            ]
            _write(target, data, list(data.convert(paths)))
        finally:
            _tidy(parts, data if target.exists() else None)
    return target


def _downloaded(file: OriginFile, parts: Path, host: str, progress: Progress) -> Path:
    parts.mkdir(exist_ok=True)
    progress(f"{file.name}  {file.size:,} bytes")
    return download(file, parts, host=host, progress=progress)


def _write(target: Path, data: DataSet, rows: Sequence[Row]) -> None:
    columns = list(rows[0]) if rows else []
    if len(rows) != data.rows or columns != list(data.columns):
        raise DataError(
            f"{target.name}: was to have {data.rows:,} rows of {len(data.columns)} columns, and the published files gave"
            f" {len(rows):,} of {len(columns)}; this is a defect of the conversion"
        )
    with replacing(target) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        if target.suffix == ".jsonl":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            return
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _size_of(target: Path) -> tuple[int, list[str]]:
    """Return the number of rows and the columns of a file that was written before; (0, []) if it cannot be read."""
    try:
        with target.open(encoding="utf-8", newline="") as file:
            if target.suffix == ".jsonl":
                lines = [json.loads(line) for line in file]
                return len(lines), list(lines[0]) if lines else []
            reader = csv.reader(file)
            columns = next(reader, [])
            return sum(1 for _ in reader), columns
    except (OSError, UnicodeDecodeError, ValueError, csv.Error):
        return 0, []


def _tidy(parts: Path, finished: DataSet | None) -> None:
    """Remove the published files of a finished data set, and the folder of downloads if nothing is in it."""
    if not parts.is_dir():
        return
    for file in () if finished is None else finished.files:
        (parts / file.sha256).unlink(missing_ok=True)
    if not any(parts.iterdir()):
        parts.rmdir()
