"""A document as blocks of text under headings, and its metadata."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

KEPT_METADATA = ("title", "author", "created", "language")
"""Metadata of a file format that become columns; those that a text itself lists at its top all do."""


@dataclass(frozen=True)
class Block:
    """A paragraph, a list item or a row of a table.

    Attributes:
        text: without blank lines at its ends.
        heading: the nearest heading above; empty before the first one.
        is_heading: whether the block is a heading itself.
    """

    text: str
    heading: str = ""
    is_heading: bool = False


@dataclass(frozen=True)
class Document:
    """A document.

    Attributes:
        blocks: in the order of the text.
        metadata: such as title, author and date of creation.
    """

    blocks: tuple[Block, ...]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole text, with a blank line between blocks."""
        return "\n\n".join(block.text for block in self.blocks)


def under_headings(parts: Iterable[tuple[str, bool]]) -> tuple[Block, ...]:
    """Return blocks from texts, each with whether it is a heading; blank ones are left out."""
    return tuple(_blocks(parts))


def _blocks(parts: Iterable[tuple[str, bool]]) -> Iterator[Block]:
    heading = ""
    for text, is_heading in parts:
        text = text.strip()
        if not text:
            continue
        heading = " ".join(text.split()) if is_heading else heading
        yield Block(text, heading, is_heading)
