"""Copy filter: detects records that repeat a training record exactly or nearly."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from paracosm.records.schema.schema import Field, Record
from paracosm.records.splitting.near_duplicates import shingles

MIN_FIELDS = 5
"""With fewer fields, records that agree in all values but one are coincidence."""
NEAR_TEXT = 0.7
"""Jaccard similarity of five-word shingles from which two texts are near copies."""
MIN_SHINGLES = 8
"""Texts with fewer shingles are too short to be compared."""


class CopyFilter:
    """Decides whether a record repeats a training record.

    `exact` compares all fields. `near` also detects records that differ in one field only, and records with a long text
    that is nearly a training text.
    """

    def __init__(
        self, train: Sequence[Record], fields: Sequence[Field], kind: Literal["exact", "near"]
    ) -> None:
        self.fields = tuple(field.name for field in fields)
        self.text_fields = tuple(field.name for field in fields if field.is_text) if kind == "near" else ()
        self.records = {self._key(record) for record in train}
        self.all_but_one: set[tuple[object, ...]] = set()
        if kind == "near" and len(self.fields) >= MIN_FIELDS:
            self.all_but_one = {key for record in train for key in self._keys_but_one(record)}
        self.texts_with: dict[int, list[int]] = defaultdict(list)
        self.texts: list[frozenset[int]] = []
        for record in train if self.text_fields else ():
            for name in self.text_fields:
                self._add_text(str(record[name] or ""))

    def __call__(self, record: Record) -> str | None:
        """Return the filter that refuses the record, None if the record is not a copy."""
        if self._key(record) in self.records:
            return "the copy filter (exact)"
        if self.all_but_one and any(key in self.all_but_one for key in self._keys_but_one(record)):
            return "the copy filter (near)"
        if any(self._is_near_text(str(record[name] or "")) for name in self.text_fields):
            return "the copy filter (near)"
        return None

    def _key(self, record: Record) -> tuple[object, ...]:
        return tuple(record[name] for name in self.fields)

    def _keys_but_one(self, record: Record) -> list[tuple[object, ...]]:
        key = self._key(record)
        return [(index, hash(key[:index] + key[index + 1 :])) for index in range(len(key))]

    def _add_text(self, text: str) -> None:
        hashes = frozenset(shingles(text).tolist())
        if len(hashes) >= MIN_SHINGLES:
            for shingle in hashes:
                self.texts_with[shingle].append(len(self.texts))
            self.texts.append(hashes)

    def _is_near_text(self, text: str) -> bool:
        hashes = frozenset(shingles(text).tolist())
        if len(hashes) < MIN_SHINGLES:
            return False
        common: dict[int, int] = defaultdict(int)
        for shingle in hashes:
            for number in self.texts_with.get(shingle, ()):
                common[number] += 1
        return any(
            shared / (len(hashes) + len(self.texts[number]) - shared) >= NEAR_TEXT
            for number, shared in common.items()
        )
