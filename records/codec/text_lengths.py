"""Lengths of the texts of a masked layout: the ranges that a length slot distinguishes, fitted to the training texts."""

from collections.abc import Sequence

from paracosm.records.codec.automata.automaton import Node, depth
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.tokens.subword_text import TextPieces
from paracosm.records.schema.schema import Record

GROWTH = 1.2
"""Ratio of the ends of two neighbouring ranges of lengths."""


def length_ranges(fewest: int, most: int) -> list[tuple[int, int]]:
    """Return ranges (first, last) of lengths that cover `fewest` to `most`, each about a fifth wider than the one before."""
    ranges: list[tuple[int, int]] = []
    low = 0
    while low <= most:
        high = min(most, max(low, int(low * GROWTH)))
        if high >= fewest:
            ranges.append((low, high))
        low = high + 1
    return ranges


def text_tokens(codec: Codec, records: Sequence[Record], limit: int | None) -> dict[str, tuple[int, int]]:
    """Return the fewest and most pieces of a text, by text field, rounded outward to whole ranges.

    Args:
        codec: a codec of the layout `slots`.
        records: the training records.
        limit: most tokens that the model reads; None for no limit.
    """
    pieces = TextPieces(codec.tokenizer)  # type: ignore[arg-type]  # a fast tokenizer of transformers
    depths: dict[Node, int] = {}
    closed = sum(1 + (depth(code.root, depths) if isinstance(code, FieldCode) else 1) for code in codec.codes)
    names = [field.name for field in codec.fields if field.is_text]
    lengths = {}
    for name in names:
        counts = [len(pieces.read(str(text)).ids) for record in records if (text := record[name]) is not None]
        fewest, most = min(counts), max(counts)
        ranges = length_ranges(fewest, 2 * most + 1)
        low = next(low for low, high in ranges if high >= fewest)
        high = next(high for _, high in ranges if high >= most)
        room = high if limit is None else (limit - closed - 2) // len(names) - 1
        lengths[name] = (min(low, room), min(high, room))
    return lengths
