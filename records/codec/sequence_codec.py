"""The records of one subject as one encoding: shared fields first, then record by record, each followed by whether another comes."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from paracosm.foundation.errors import DataError
from paracosm.records.codec.automaton import Node
from paracosm.records.codec.codec import Codec
from paracosm.records.schema.schema import Record


def sequence_segments(codec: Codec, records: Sequence[Record]) -> list[tuple[int | None, list[int]]]:
    """Return place and token ids of each part of a subject's records; the place of a choice to go on is None.

    Raises:
        DataError: a value lies outside its field's domain.
    """
    found: list[tuple[int | None, list[int]]] = []
    first_of_own = codec.sequence_places[1][0]
    at = -1

    def visit(step: int | Node) -> int | None:
        nonlocal at
        if isinstance(step, Node):
            answer = codec.more if at + 1 < len(records) else codec.alphabet.stop
            found.append((None, [answer]))
            return answer
        at += step == first_of_own
        found.append((step, codec.encode_value(step, records[max(at, 0)][codec.fields[step].name])))
        return None

    _walk(codec, visit)
    return found


def decode_sequence(codec: Codec, ids: Sequence[int]) -> list[Record]:
    """Return the records that `sequence_segments` turned into `ids`, in order.

    Raises:
        DataError: `ids` is not in the codec's grammar.
    """
    records: list[Record] = []
    shared: Record = {}
    own = codec.sequence_places[1]
    position = 0

    def visit(step: int | Node) -> int | None:
        nonlocal position
        if isinstance(step, Node):
            if position >= len(ids) or ids[position] not in step.edges:
                raise DataError(f"token {position}: neither another record nor the end")
            position += 1
            return ids[position - 1]
        value, position = codec.read_value(step, ids, position)
        if step == own[0]:
            records.append(dict(shared))
        (records[-1] if step in own else shared)[codec.fields[step].name] = value
        return None

    _walk(codec, visit)
    if position != len(ids):
        raise DataError(f"{len(ids) - position} tokens are left over after the last record")
    return [{each.name: record[each.name] for each in codec.fields} for record in records]


def _walk(codec: Codec, visit: Callable[[int | Node], int | None]) -> None:
    """Visit what a sequence is made of, one after the other; what is returned at a choice decides how it goes on."""
    steps, answer = codec.steps(), None
    with suppress(StopIteration):
        while True:
            answer = visit(steps.send(answer))
