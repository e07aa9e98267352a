"""Documents of .pdf files."""

import logging
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import DataError
from paracosm.foundation.extras import require_extra
from paracosm.recipes.sections.data import Bounds
from paracosm.records.sources.documents.document import Document, under_headings
from paracosm.records.sources.documents.plain_text import BLANK_LINES

BROKEN = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    RecursionError,
    NotImplementedError,
    AssertionError,
    ZeroDivisionError,
    OverflowError,
    EOFError,
    zlib.error,
)
"""What pypdf raises for damaged files, besides its own errors."""
MOST_PAGES = 20_000
DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)")
HYPHENATED = re.compile(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])")


def pdf_document(path: Path, bounds: Bounds) -> Document:
    """Read the text of a PDF file, and its metadata. Pages that are pictures have no text.

    Raises:
        DataError: the file is damaged, needs a password, or has too many pages.
    """
    pypdf = require_extra("pypdf", "documents", f"{path}: a PDF document")
    try:
        with _without_log(), path.open("rb") as file:
            reader = pypdf.PdfReader(file)
            if reader.is_encrypted and not reader.decrypt(""):
                raise DataError(f"{path}: needs a password; save it without one")
            if len(reader.pages) > MOST_PAGES:
                raise DataError(f"{path}: has more than {MOST_PAGES:,} pages")
            return Document(under_headings(_parts(reader, path, bounds)), _metadata(reader.metadata or {}))
    except (pypdf.errors.PyPdfError, pypdf.errors.DependencyError, *BROKEN) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: is not a complete PDF document ({type(error).__name__})") from error


def _parts(reader: Any, path: Path, bounds: Bounds) -> Iterator[tuple[str, bool]]:
    size = 0
    for page in reader.pages:
        text = HYPHENATED.sub("", page.extract_text())
        size += len(text)
        if size > bounds.gigabytes * 1e9:
            raise DataError(
                f"{path}: has more than {bounds.gigabytes:g} GB of text; raise data.bounds.gigabytes"
            )
        for block in BLANK_LINES.split(text):
            yield block, False


def _metadata(information: Any) -> dict[str, str]:
    found = {"title": information.get("/Title"), "author": information.get("/Author")}
    if match := DATE.match(str(information.get("/CreationDate", ""))):
        found["created"] = "-".join(match.groups())
    return {name: str(text) for name, text in found.items() if text and str(text).strip()}


@contextmanager
def _without_log() -> Iterator[None]:
    """Silence pypdf, whose warnings repeat content of the file."""
    logger = logging.getLogger("pypdf")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
