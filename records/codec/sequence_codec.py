"""Encoding of a subject's sequence of records.

The shared fields come first, then the other fields of each record. A token after each record says whether another one follows.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from paracosm.foundation.errors import DataError
from paracosm.records.codec.automata.automaton import Node
from paracosm.records.codec.codec import Codec
from paracosm.records.schema.schema import Record


def sequence_segments(codec: Codec, records: Sequence[Record]) -> list[tuple[int | None, list[int]]]:
    """Return the encoding of a subject's records as segments: field index and token ids.

    The segment that says whether another record follows has None for the field index.

    Raises:
        DataError: a value lies outside its field's domain.
    """
    segments: list[tuple[int | None, list[int]]] = []
    first_own_field = codec.sequence_fields[1][0]
    number = -1

    def visit(step: int | Node) -> int | None:
        nonlocal number
        if isinstance(step, Node):
            token = codec.more if number + 1 < len(records) else codec.alphabet.stop
            segments.append((None, [token]))
            return token
        number += step == first_own_field
        segments.append((step, codec.encode_value(step, records[max(number, 0)][codec.fields[step].name])))
        return None

    _walk(codec, visit)
    return segments


def decode_sequence(codec: Codec, ids: Sequence[int]) -> list[Record]:
    """Return the records that `ids` encodes, in order: the inverse of `sequence_segments`.

    Raises:
        DataError: `ids` is not in the codec's grammar.
    """
    records: list[Record] = []
    shared: Record = {}
    own_fields = codec.sequence_fields[1]
    position = 0

    def visit(step: int | Node) -> int | None:
        nonlocal position
        if isinstance(step, Node):
            if position >= len(ids) or ids[position] not in step.edges:
                raise DataError(f"token {position}: expected the start of another record or the end")
            position += 1
            return ids[position - 1]
        value, position = codec.read_value(step, ids, position)
        if step == own_fields[0]:
            records.append(dict(shared))
        (records[-1] if step in own_fields else shared)[codec.fields[step].name] = value
        return None

    _walk(codec, visit)
    if position != len(ids):
        raise DataError(f"{len(ids) - position} tokens are left over after the last record")
    return [{field.name: record[field.name] for field in codec.fields} for record in records]


def _walk(codec: Codec, visit: Callable[[int | Node], int | None]) -> None:
    """Call `visit` for every step of a sequence's encoding; the token that it returns at a choice decides what follows."""
    steps, token = codec.steps(), None
    with suppress(StopIteration):
        while True:
            token = visit(steps.send(token))
