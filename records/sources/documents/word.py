"""Documents of .docx files."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import DataError
from paracosm.foundation.extras import require_extra
from paracosm.recipes.sections.data import Bounds
from paracosm.records.sources.documents.document import Document, under_headings
from paracosm.records.text.decompressed import FREE, too_large

HEADING_STYLES = ("Heading", "Title", "Überschrift", "Titel", "Titre", "Título", "Titolo", "Kop")
"""Beginnings of the names of heading styles."""
BROKEN = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    RecursionError,
    EOFError,
)


def word_document(path: Path, bounds: Bounds) -> Document:
    """Read a Word file: paragraphs and tables of its body, with headings and metadata.

    Raises:
        DataError: the file is damaged, or larger than allowed when unpacked.
    """
    docx = require_extra("docx", "documents", f"{path}: a Word document")
    from lxml.etree import LxmlError

    try:
        _check_archive(path, bounds)
        document = docx.Document(str(path))
        return Document(under_headings(_parts(document)), _metadata(document.core_properties))
    except (*BROKEN, LxmlError, docx.opc.exceptions.OpcError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: is not a complete Word document ({type(error).__name__})") from error


def _check_archive(path: Path, bounds: Bounds) -> None:
    """Raise if the parts of the file are larger than allowed; `zipfile` reads no more of a part than it declares."""
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > bounds.gigabytes * 1e9:
        raise too_large(path, bounds, " unpacked")
    if size > FREE and size - FREE > bounds.expansion * path.stat().st_size:
        raise DataError(
            f"{path}: becomes more than {bounds.expansion:g} times as large when unpacked; if that is right, raise data.bounds.expansion"
        )


def _parts(document: Any) -> Iterator[tuple[str, bool]]:
    for item in document.iter_inner_content():
        if hasattr(item, "rows"):
            for row in item.rows:
                cells = dict.fromkeys(cell.text.strip() for cell in row.cells)
                yield " | ".join(cell for cell in cells if cell), False
        else:
            style = item.style.name if item.style is not None and item.style.name else ""
            yield item.text, style.startswith(HEADING_STYLES)


def _metadata(properties: Any) -> dict[str, str]:
    found = {
        "title": properties.title,
        "author": properties.author,
        "created": properties.created.date().isoformat() if properties.created is not None else "",
        "language": properties.language,
    }
    return {name: text for name, text in found.items() if text}
