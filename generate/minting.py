"""Minting of personal data: invented names, addresses and numbers of persons in synthetic records.

The language model never sees these fields. Values are drawn by the number of a record alone, so that they do not depend on the
number of processes or on an interruption, and never equal a value of the source.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from paracosm.records.formats.identifier_pattern import read_pattern
from paracosm.records.inference.column_names import names_a_relative, names_a_sex, names_a_subject_name
from paracosm.records.pii.keyed_random import KeyedRandom, value_hash
from paracosm.records.pii.kinds import NAMES
from paracosm.records.pii.pseudonyms import MOST_DRAWS, Pseudonyms
from paracosm.records.pii.subjects import SEXES
from paracosm.records.schema.schema import Field, Record, Schema


@dataclass
class Minter:
    """Mints the personal fields of synthetic records.

    Attributes:
        schema: of the records.
        seed: of the values.
        language: of names and addresses.
        taken: field -> values of the splits, which are not minted.
        hashes: field -> hashes of the values of the source.
        key: of the hashes.
    """

    schema: Schema
    seed: int
    language: str
    taken: Mapping[str, set[str]] = field(default_factory=dict)
    hashes: Mapping[str, set[str]] = field(default_factory=dict)
    key: bytes = b""

    def __post_init__(self) -> None:
        salt = f"minted {self.seed}".encode()
        self._random = KeyedRandom(salt)
        self._pseudonyms = Pseudonyms(salt, self.language, {})
        self.fields = [field for field in self.schema if field.personal]
        self._sex = next((field.name for field in self.schema.modelled if names_a_sex(field.name)), None)

    def add_to(self, record: Record, number: int, first: Record) -> Record:
        """Return a record with its minted fields; the records of a subject's sequence share them.

        Args:
            record: with its modelled fields.
            number: record number; for sequences, number of the subject.
            first: the first record of the sequence, whose sex decides on the given name; else the record.
        """
        sex = SEXES.get(str(first.get(self._sex)).strip().casefold()) if self._sex else None
        minted: Record = {}
        for personal in self.fields:
            is_missing = (
                self._random.number("missing", personal.name, number) % 10**6 < personal.missing * 10**6
            )
            minted[personal.name] = None if is_missing else self._value(personal, number, sex)
        return record | minted

    def _value(self, field: Field, number: int, sex: str | None) -> str:
        if field.personal in NAMES:
            return _written(field, *self._person(self._owner(field), number, sex))
        value = ""
        for attempt in count():
            # Where nearly all values of the form are in the source, the new value is longer.
            value = self._drawn(field, number, attempt, sex) + "0" * (attempt // MOST_DRAWS)
            if value not in self.taken.get(field.name, ()) and self._is_new(field, value):
                break
        return value

    def _drawn(self, field: Field, number: int, attempt: int, sex: str | None) -> str:
        kind, purpose = field.personal, (field.name, str(number), str(attempt))
        if kind == "email":
            given, family = map(_plain, self._person("", number, sex))
            digits = self._random.number(kind, *purpose)
            return f"{given}.{family}{digits % 1000}@example.{('com', 'net', 'org')[digits // 1000 % 3]}"
        if kind == "address":
            return self._pseudonyms.street(field.pattern or "street_address", *purpose)
        return self._pseudonyms.minted(kind, self._of_pattern(field.pattern or "9" * 12, purpose))

    def _owner(self, field: Field) -> str:
        """Return the name of the field for a person other than the subject, such as a mother, else an empty text."""
        kinds = {other.personal for other in self.fields}
        first = next(other for other in self.fields if other.personal == field.personal)
        split = field.personal == "name.full" and {"name.given", "name.family"} & kinds
        relative = names_a_relative(field.name) or (split and not names_a_subject_name(field.name))
        return field.name if relative or field is not first else ""

    def _person(self, owner: str, number: int, sex: str | None) -> tuple[str, str]:
        """Return the given and family name of a person, of which no field repeats a value of the source."""
        names = [field for field in self.fields if field.personal in NAMES and self._owner(field) == owner]
        given, family = "", ""
        for attempt in count():
            scope = f"{owner} {number} {attempt}"
            drawn = self._pseudonyms.given(scope, "", None if owner else sex, set())
            drawn_family = self._pseudonyms.family(scope, "", set())
            # Where nearly all names of the list are in the source, two of them are joined.
            joined = attempt >= MOST_DRAWS
            given, family = (
                (f"{given}-{drawn}", f"{family}-{drawn_family}") if joined else (drawn, drawn_family)
            )
            if all(self._is_new(field, _written(field, given, family)) for field in names):
                break
        return given, family

    def _is_new(self, field: Field, value: str) -> bool:
        hashes = self.hashes.get(field.name)
        return not hashes or value_hash(self.key, field.name, value) not in hashes

    def _of_pattern(self, pattern: str, purpose: tuple[str, ...]) -> str:
        letters = []
        for index, (kind, allowed) in enumerate(read_pattern(pattern)):
            choices = allowed[1:] if kind == "9" and index == 0 else allowed
            letters.append(choices[self._random.number("letter", *purpose, index) % len(choices)])
        return "".join(letters)


def _written(field: Field, given: str, family: str) -> str:
    """Return a name in the notation of a field."""
    form = field.pattern or field.personal.removeprefix("name.").title()
    words = {"given": given, "family": family}
    written = re.sub("given|family", lambda match: words[match.group()], form.lower())
    return written.upper() if form.isupper() else written.lower() if form.islower() else written


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return re.sub(r"[^a-z]", "", letters.lower())
