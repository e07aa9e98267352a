"""Passages of a document: parts of bounded length that begin at headings, paragraphs or sentences, never inside a word."""

from collections.abc import Iterator

from paracosm.records.sources.documents.document import Block, Document
from paracosm.records.text.cut_text import cut_text


def passages(document: Document, longest: int) -> Iterator[tuple[str, str]]:
    """Yield the heading and the text of each passage.

    A heading stands at the beginning of its passage. Blocks are joined as long as they fit; a block that is too long is divided
    after sentences, or else after words.

    Args:
        document: with its blocks.
        longest: most characters of a passage.
    """
    heading, joined, only_headings = "", "", True
    for block in document.blocks:
        for piece in _pieces(block, longest):
            fits = len(joined) + 2 + len(piece) <= longest
            if joined and ((block.is_heading and not only_headings) or not fits):
                yield heading, joined
                joined, only_headings = "", True
            if only_headings:
                heading = block.heading
            only_headings &= block.is_heading
            joined = f"{joined}\n\n{piece}" if joined else piece
    if joined:
        yield heading, joined


def _pieces(block: Block, longest: int) -> Iterator[str]:
    rest = block.text
    while rest:
        piece = cut_text(rest, longest)
        yield piece
        rest = rest[len(piece) :].lstrip()
