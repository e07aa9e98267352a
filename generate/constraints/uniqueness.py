"""Values that no two records may share: a pass over the finished shards that redraws later repetitions of earlier ones.

It runs on one process, shard after shard. What it has done it finds done again after a kill, so it ends with the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence

from paracosm.foundation.errors import DataError
from paracosm.records.constraints.rules import Rulebook
from paracosm.records.schema.schema import Record

Redraw = Callable[[Sequence[int], int], list[Record]]
TRIES = 50


def without_repetitions(
    shards: Iterator[tuple[range, list[Record]]], rules: Rulebook, redraw: Redraw
) -> Iterator[tuple[range, list[Record], int]]:
    """Yield each shard with its repetitions redrawn, and how many there were.

    Args:
        shards: record numbers and records of each shard, in order.
        rules: says which fields are unique.
        redraw: makes records with given numbers again, the nth time.

    Raises:
        DataError: a record keeps repeating others.
    """
    seen: list[set[tuple[object, ...]]] = [set() for _ in rules.unique]
    for numbers, records in shards:
        repeated = _repeated(records, rules, seen)
        count = len(repeated)
        for again in range(1, TRIES + 1):
            if not repeated:
                break
            for at, record in zip(repeated, redraw([numbers[at] for at in repeated], again), strict=True):
                records[at] = record
            repeated = _repeated(records, rules, seen)
        if repeated:
            groups = "; ".join(", ".join(group) for group in rules.unique)
            raise DataError(
                f"rules.unique: {len(repeated)} of {len(records)} records still repeat others after {TRIES} redraws"
                f" ({groups}); fewer records, or more fields in the group, are needed"
            )
        for keys, group in zip(seen, rules.unique, strict=True):
            keys.update(_key(record, group) for record in records)
        yield numbers, records, count


def _repeated(
    records: Sequence[Record], rules: Rulebook, seen: Sequence[set[tuple[object, ...]]]
) -> list[int]:
    here: list[set[tuple[object, ...]]] = [set() for _ in seen]
    found = []
    for at, record in enumerate(records):
        keys = [_key(record, group) for group in rules.unique]
        if any(key in now or key in before for key, now, before in zip(keys, here, seen, strict=True)):
            found.append(at)
        else:
            for key, now in zip(keys, here, strict=True):
                now.add(key)
    return found


def _key(record: Record, group: Sequence[str]) -> tuple[object, ...]:
    return tuple(record[name] for name in group)
