"""Documents of .html files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.foundation.errors import DataError
from paracosm.foundation.extras import require_extra
from paracosm.recipes.sections.data import Bounds
from paracosm.records.sources.documents.document import KEPT_METADATA, Document, under_headings
from paracosm.records.text.decompressed import read_bytes
from paracosm.records.text.text_file import UTF16, zero_byte

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS = HEADINGS | frozenset(
    [
        "p",
        "div",
        "li",
        "tr",
        "dt",
        "dd",
        "blockquote",
        "pre",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "table",
        "ul",
        "ol",
        "figcaption",
        "caption",
        "body",
        "br",
        "hr",
    ]
)
"""Elements that begin and end a block."""
LEFT_OUT = ("script", "style", "template", "noscript", "head", "nav")
BLANKS = re.compile(r"[ \t\r\n\f]+")


def html_document(path: Path, bounds: Bounds) -> Document:
    """Read an HTML file: its visible text, with headings, title and the metadata of its head.

    Raises:
        DataError: the file cannot be parsed.
    """
    bs4 = require_extra("bs4", "documents", f"{path}: an HTML document")
    require_extra("lxml", "documents", f"{path}: an HTML document")
    content = read_bytes(path, bounds)
    if b"\0" in content and not content.startswith(UTF16):
        raise zero_byte(path, content.count(b"\n", 0, content.index(b"\0")) + 1)
    try:
        soup: BeautifulSoup = bs4.BeautifulSoup(content, "lxml")
        metadata = _metadata(soup)
        for element in soup(list(LEFT_OUT)):
            element.decompose()
        return Document(under_headings(_parts(soup)), metadata)
    except (bs4.exceptions.ParserRejectedMarkup, RecursionError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: cannot be read as HTML ({type(error).__name__})") from error


def _metadata(soup: "BeautifulSoup") -> dict[str, str]:
    found = {"title": soup.title.get_text(" ", strip=True)} if soup.title else {}
    for element in soup("meta"):
        name, content = str(element.get("name", "")).lower(), str(element.get("content", "")).strip()
        if name in KEPT_METADATA and content:
            found[name] = content
    return {name: text for name, text in found.items() if text}


def _parts(soup: "BeautifulSoup") -> Iterator[tuple[str, bool]]:
    """Yield the text of each block, without recursion: hostile pages nest elements thousands deep."""
    from bs4.element import NavigableString, PreformattedString, Tag

    words: list[str] = []
    heading = False
    for element in soup.descendants:
        if isinstance(element, Tag):
            if element.name in BLOCKS:
                yield BLANKS.sub(" ", "".join(words)), heading
                words, heading = [], element.name in HEADINGS
            elif element.name in ("td", "th"):
                words.append(" ")
        elif isinstance(element, NavigableString) and not isinstance(element, PreformattedString):
            # Text after the end of a block, such as that between two of them.
            inside = next((parent.name for parent in element.parents if parent.name in BLOCKS), "")
            if heading and inside not in HEADINGS:
                yield BLANKS.sub(" ", "".join(words)), heading
                words, heading = [], False
            words.append(str(element))
    yield BLANKS.sub(" ", "".join(words)), heading
