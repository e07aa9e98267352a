"""Records that repeat a training record: the same in every field, or nearly so."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from paracosm.records.schema.schema import Field, Record
from paracosm.records.splitting.near_duplicates import shingles

FEWEST_FIELDS = 5
"""Below this many fields, records that share all values but one are chance."""
NEAR_TEXT = 0.7
"""Share of common five-word shingles (Jaccard) from which two texts are nearly the same."""
FEWEST_SHINGLES = 8


class CopyFilter:
    """Says whether a record repeats one of the training records.

    `near` also finds records that differ in one field only, and those with a long text that is nearly a training text.
    """

    def __init__(
        self, train: Sequence[Record], fields: Sequence[Field], kind: Literal["exact", "near"]
    ) -> None:
        self.fields = tuple(field.name for field in fields)
        self.texts = tuple(field.name for field in fields if field.type == "text") if kind == "near" else ()
        self.whole = {self._key(record) for record in train}
        self.but_one: set[tuple[object, ...]] = set()
        if kind == "near" and len(self.fields) >= FEWEST_FIELDS:
            self.but_one = {key for record in train for key in self._keys_but_one(record)}
        self.holders: dict[int, list[int]] = defaultdict(list)
        self.sets: list[frozenset[int]] = []
        for record in train if self.texts else ():
            for name in self.texts:
                self._hold(str(record[name] or ""))

    def __call__(self, record: Record) -> str | None:
        """Return what the record repeats, None for nothing."""
        if self._key(record) in self.whole:
            return "the copy filter (exact)"
        if self.but_one and any(key in self.but_one for key in self._keys_but_one(record)):
            return "the copy filter (near)"
        if any(self._near(str(record[name] or "")) for name in self.texts):
            return "the copy filter (near)"
        return None

    def _key(self, record: Record) -> tuple[object, ...]:
        return tuple(record[name] for name in self.fields)

    def _keys_but_one(self, record: Record) -> list[tuple[object, ...]]:
        key = self._key(record)
        return [(at, hash(key[:at] + key[at + 1 :])) for at in range(len(key))]

    def _hold(self, text: str) -> None:
        found = frozenset(shingles(text).tolist())
        if len(found) >= FEWEST_SHINGLES:
            for each in found:
                self.holders[each].append(len(self.sets))
            self.sets.append(found)

    def _near(self, text: str) -> bool:
        found = frozenset(shingles(text).tolist())
        if len(found) < FEWEST_SHINGLES:
            return False
        common: dict[int, int] = defaultdict(int)
        for each in found:
            for holder in self.holders.get(each, ()):
                common[holder] += 1
        return any(
            shared / (len(found) + len(self.sets[holder]) - shared) >= NEAR_TEXT
            for holder, shared in common.items()
        )
