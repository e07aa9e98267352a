"""Which texts are written in passages, and the sizes of their windows, fitted to the training records."""

import math
from collections.abc import Sequence
from dataclasses import replace

from paracosm.foundation.errors import DataError
from paracosm.records.codec.automata.automaton import Node, depth
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.passage_sizes import Passages
from paracosm.records.schema.schema import Record

DEFAULT_CONTEXT = 2048
"""Most tokens that a model reads at once unless the recipe says otherwise: memory grows with them, and attention with their square."""
LONGEST_TRIED = 50
"""Records with the longest texts that are encoded first; if all fit, no other record is too long."""
HEAD_SHARE = 0.25
"""Share of a window that short texts may take together with the other columns; a longer text is written in passages."""
LEAST_ROOM = 32
"""Fewest tokens of a window beside the columns."""


def in_passages(codec: Codec, records: Sequence[Record], *, limit: int | None, context: int | None) -> Codec:
    """Return a codec that writes long texts in passages if a training record is longer than the model's input.

    Args:
        codec: of a causal model, for single records.
        records: the training records.
        limit: tokens that the model can read; None for no limit.
        context: tokens that it shall read at once, at most `limit`; None for the default.

    Raises:
        DataError: the other columns leave no room for a passage.
    """
    texts = [index for index, field in enumerate(codec.fields) if field.is_text]
    window = min(limit or DEFAULT_CONTEXT, DEFAULT_CONTEXT) if context is None else context
    if not texts or not records:
        return codec
    names = [codec.fields[index].name for index in texts]
    longest = sorted(records, key=lambda record: -sum(len(str(record[name] or "")) for name in names))
    opening = len(codec.opening)
    if all(opening + len(codec.encode(record)) <= window for record in longest[:LONGEST_TRIED]):
        return codec
    most = {
        index: max(len(codec.encode_value(index, record[codec.fields[index].name])) for record in records)
        for index in texts
    }
    head = opening + _closed_tokens(codec)
    long = sorted(texts, key=lambda index: most[index])
    while len(long) > 1 and head + most[long[0]] + bool(codec.markers) <= HEAD_SHARE * window:
        head += most[long.pop(0)] + bool(codec.markers)
    passages = Passages(
        tuple(codec.fields[index].name for index in sorted(long)),
        window,
        head,
        _rounded_up(max(most.values())),
    )
    if passages.beside_head < LEAST_ROOM:
        raise DataError(
            f"the columns beside {passages.fields[0]!r} take up to {head} tokens of the {window} that the model reads at once, which"
            " leaves no room for a passage of it: raise model.context, or name columns in data.drop"
        )
    others = [field for field in codec.schema if field.name not in passages.fields]
    moved = [field for field in codec.schema if field.name in passages.fields]
    return replace(codec, schema=replace(codec.schema, fields=(*others, *moved)), passages=passages)


def _closed_tokens(codec: Codec) -> int:
    """Return the most tokens of all columns that are no texts, with their markers."""
    depths: dict[Node, int] = {}
    closed = [code.root for code in codec.codes if isinstance(code, FieldCode)]
    return sum(depth(root, depths) + bool(codec.markers) for root in closed)


def _rounded_up(length: int) -> int:
    """Return a length rounded up to two digits, because the exact one would tell that of one record's text."""
    unit = 10 ** max(0, int(math.log10(length)) - 1)
    return -(-length // unit) * unit
