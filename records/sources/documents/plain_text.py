"""Documents of .txt and .md files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.recipes.loading.yaml_source import read_document
from paracosm.recipes.sections.data import Bounds
from paracosm.records.sources.documents.document import Document, under_headings
from paracosm.records.text.text_file import read_any_text

FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
LARGEST_FRONT_MATTER = 1 << 16
"""Letters of the metadata at the top of a Markdown file."""
BLANK_LINES = re.compile(r"\n[ \t]*\n+")
MARKDOWN_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
FENCE = re.compile(r" {0,3}(```|~~~)")


def plain_document(path: Path, bounds: Bounds) -> Document:
    """Read a text file; blank lines divide its blocks."""
    text = _read(path, bounds)
    return Document(under_headings((part, False) for part in BLANK_LINES.split(text)))


def markdown_document(path: Path, bounds: Bounds) -> Document:
    """Read a Markdown file; lines that begin with # are headings, and YAML at its top is metadata.

    Raises:
        DataError: the metadata is not YAML.
    """
    text = _read(path, bounds)
    metadata: dict[str, str] = {}
    if match := FRONT_MATTER.match(text[:LARGEST_FRONT_MATTER]):
        metadata = _metadata(match[1], path)
        text = text[match.end() :]
    blocks = under_headings(_markdown_parts(text))
    titles = [block.text for block in blocks if block.is_heading]
    return Document(blocks, ({"title": titles[0]} if titles else {}) | metadata)


def _read(path: Path, bounds: Bounds) -> str:
    return read_any_text(path, bounds).text.replace("\r\n", "\n").replace("\r", "\n")


def _metadata(text: str, path: Path) -> dict[str, str]:
    try:
        value: Any = read_document(text, str(path)).value
    except (RecipeError, yaml.YAMLError) as error:
        # The parser's message may hold text of the document.
        raise DataError(f"{path}: the metadata between its first lines --- is not valid YAML") from error
    if not isinstance(value, dict):
        return {}
    return {
        str(key): str(cell)
        for key, cell in value.items()
        if isinstance(cell, str | int | float | bool) and str(cell).strip()
    }


def _markdown_parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the blocks of a Markdown text; nothing inside a block of code is a heading."""
    lines: list[str] = []
    in_code = False
    for line in text.split("\n"):
        in_code ^= FENCE.match(line) is not None
        match = None if in_code else MARKDOWN_HEADING.fullmatch(line)
        if match or (not in_code and not line.strip()):
            yield "\n".join(lines), False
            lines = []
            if match:
                yield match[1], True
        else:
            lines.append(line)
    yield "\n".join(lines), False
