"""Uniqueness over a whole run: redraws records that repeat the unique fields of an earlier one.

It reads the finished shards in order, in one process. A redraw depends only on the record number and the count of
redraws, so a pass that was killed and started again ends with the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence

from paracosm.foundation.errors import DataError
from paracosm.records.constraints.rules import Rulebook
from paracosm.records.schema.schema import Record

Redraw = Callable[[Sequence[int], int], list[Record]]
MAX_REDRAWS = 50


def without_repetitions(
    shards: Iterator[tuple[range, list[Record]]], rules: Rulebook, redraw: Redraw
) -> Iterator[tuple[range, list[Record], int]]:
    """Yield each shard with its repetitions redrawn, and how many repetitions it had.

    Args:
        shards: record numbers and records of each shard, in order.
        rules: its `unique` holds the groups of fields.
        redraw: draws the records with the given numbers again; the second argument counts the redraws from 1.

    Raises:
        DataError: records still repeat others after `MAX_REDRAWS` redraws.
    """
    seen: list[set[tuple[object, ...]]] = [set() for _ in rules.unique]
    for numbers, records in shards:
        repeated = _repeated(records, rules, seen)
        count = len(repeated)
        for attempt in range(1, MAX_REDRAWS + 1):
            if not repeated:
                break
            redrawn = redraw([numbers[row] for row in repeated], attempt)
            for row, record in zip(repeated, redrawn, strict=True):
                records[row] = record
            repeated = _repeated(records, rules, seen)
        if repeated:
            groups = "; ".join(", ".join(group) for group in rules.unique)
            raise DataError(
                f"rules.unique: {len(repeated)} of {len(records)} records still repeat others after {MAX_REDRAWS} redraws"
                f" ({groups}); ask for fewer records, or add fields to the group"
            )
        for keys, group in zip(seen, rules.unique, strict=True):
            keys.update(_key(record, group) for record in records)
        yield numbers, records, count


def _repeated(
    records: Sequence[Record], rules: Rulebook, seen: Sequence[set[tuple[object, ...]]]
) -> list[int]:
    """Return the rows that repeat an earlier row of this shard or a record of an earlier shard."""
    in_shard: list[set[tuple[object, ...]]] = [set() for _ in seen]
    repeated = []
    for row, record in enumerate(records):
        keys = [_key(record, group) for group in rules.unique]
        if any(key in here or key in before for key, here, before in zip(keys, in_shard, seen, strict=True)):
            repeated.append(row)
        else:
            for key, here in zip(keys, in_shard, strict=True):
                here.add(key)
    return repeated


def _key(record: Record, group: Sequence[str]) -> tuple[object, ...]:
    return tuple(record[name] for name in group)
