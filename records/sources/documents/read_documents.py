"""A table of documents: one record each, or one per passage, with name, folder, heading and metadata as columns."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Bounds, Data
from paracosm.records.schema.origin import Origin, with_origin
from paracosm.records.sources.documents.document import KEPT_METADATA, Document
from paracosm.records.sources.documents.html import html_document
from paracosm.records.sources.documents.passages import passages
from paracosm.records.sources.documents.pdf import pdf_document
from paracosm.records.sources.documents.plain_text import markdown_document, plain_document
from paracosm.records.sources.documents.word import word_document
from paracosm.records.sources.selection.bounded_glob import WILD, bounded_glob
from paracosm.records.sources.selection.row_limit import RowCollector, frames
from paracosm.records.sources.selection.source_files import ENTRIES_PER_FILE, SEVERAL
from paracosm.records.text.decompressed import check_size

READERS: dict[str, Callable[[Path, Bounds], Document]] = {
    ".txt": plain_document,
    ".md": markdown_document,
    ".markdown": markdown_document,
    ".html": html_document,
    ".htm": html_document,
    ".docx": word_document,
    ".pdf": pdf_document,
}
"""Suffix -> reader."""
NAME, FOLDER, HEADING, PASSAGE, TEXT = "document", "folder", "heading", "passage", "text"
"""Columns of a table of documents, besides those of metadata."""
SMALL = 1 << 16
"""Bytes of a file that is looked at for blanks alone."""
MOST_METADATA = 50
"""Most columns of metadata."""


def read_documents(files: Sequence[Path], data: Data, *, root: Path) -> pd.DataFrame:
    """Read documents as a table of strings.

    Args:
        files: with suffixes of `READERS`.
        data: `passages`, `limit` and `bounds` are read.
        root: the folder that names of documents start from.

    Raises:
        DataError: a file is damaged or larger than allowed, or none has text.
    """
    rows, empty = [], []
    names = _names(files, root)
    letters = 0
    for file in files:
        document = _read(file, data.bounds)
        if not document.blocks:
            empty.append(file)
            continue
        letters += len(document.text)
        if letters > data.bounds.gigabytes * 1e9:
            raise DataError(
                f"{root}: its documents have more than {data.bounds.gigabytes:g} GB of text; raise data.bounds.gigabytes"
            )
        rows += _rows(document, names[file], file.parent.relative_to(root).as_posix(), data)
    if not rows:
        raise DataError(f"{empty[0]}: has no text; pictures of pages need text recognition (OCR) first")
    collector = RowCollector(data, str(root), frames(data))
    columns = _columns(rows)
    collector.add(
        pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype="string") for name in columns}),
        columns=len(columns),
    )
    table = collector.rows()[0].reset_index(drop=True)
    return with_origin(
        table,
        Origin(
            tuple(_lines(files, empty, table, data, root)),
            subject=NAME if data.passages else "",
            documents=True,
            keys=(NAME,),
        ),
    )


def _read(file: Path, bounds: Bounds) -> Document:
    if file.stat().st_size <= SMALL and not file.read_bytes().strip():
        return Document(())
    check_size(file, bounds) if file.suffix.lower() != ".docx" else None
    return READERS[file.suffix.lower()](file, bounds)


def _names(files: Sequence[Path], root: Path) -> dict[Path, str]:
    """Return the names of documents: without folder and suffix where that is enough to tell them apart."""
    for write in (lambda file: file.stem, lambda file: file.name):
        names = {file: write(file) for file in files}
        if len(set(names.values())) == len(files):
            return names
    return {file: file.relative_to(root).as_posix() for file in files}


def _rows(document: Document, name: str, folder: str, data: Data) -> Iterator[dict[str, str]]:
    known = {
        key: text
        for key, text in document.metadata.items()
        if key not in (NAME, FOLDER, HEADING, PASSAGE, TEXT)
    }
    row = {NAME: name} | ({FOLDER: folder} if folder != "." else {}) | known
    if data.passages is None:
        yield row | {TEXT: document.text}
        return
    for number, (heading, text) in enumerate(passages(document, data.passages), start=1):
        yield row | {PASSAGE: str(number)} | ({HEADING: heading} if heading else {}) | {TEXT: text}


def _columns(rows: Sequence[dict[str, str]]) -> list[str]:
    """Return the columns: those of every document, metadata that at least a tenth of the rows have, and the text last."""
    counts = Counter(name for row in rows for name in row)
    fixed = [name for name in (NAME, FOLDER, PASSAGE, HEADING) if name in counts]
    metadata = [name for name in counts if name not in (*fixed, TEXT)]
    metadata.sort(key=lambda name: (name not in KEPT_METADATA, -counts[name], name))
    usual = [name for name in metadata if 10 * counts[name] >= len(rows)]
    return [*fixed, *usual[:MOST_METADATA], TEXT]


def _lines(
    files: Sequence[Path], empty: Sequence[Path], table: pd.DataFrame, data: Data, root: Path
) -> Iterator[str]:
    kinds = Counter(file.suffix.lower() for file in files)
    listed = ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(kinds.items()))
    lengths = table[TEXT].str.len()
    unit = "document" if data.passages is None else "passage"
    yield (
        f"{root}: read {len(files) - len(empty):,} documents ({listed}); one record a {unit}, {len(table):,} in all, with texts of"
        f" {int(lengths.min()):,} to {int(lengths.max()):,} characters"
    )
    if others := _other_files(files, data, root):
        listed = ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(others.items()))
        yield f"{root}: files of other kinds are not read ({listed})"
    if empty:
        yield f"{root}: {len(empty):,} documents have no text and are left out (first: {empty[0].name})"


def _other_files(files: Sequence[Path], data: Data, root: Path) -> Counter[str]:
    """Return how many files of each suffix stand in a folder beside its documents; none where the recipe names a glob."""
    if WILD.intersection(data.source) or SEVERAL in data.source or len(files) == 1:
        return Counter()
    read = set(files)
    entries = bounded_glob(root / "**", data.bounds.files * ENTRIES_PER_FILE)
    return Counter(file.suffix.lower() or file.name for file in entries if file not in read)
