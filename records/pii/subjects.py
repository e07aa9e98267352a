"""Who is named in a table: whom each record is about, and which invented name each word of a real name becomes.

A name is invented word by word within one subject, so that `Mr. Smith`, `John Smith` and `SMITH, John` stay one person
wherever they occur, and two subjects that share a name do not share the invented one.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from paracosm.recipes.sections.data import Data
from paracosm.records.pii.columns import PersonalColumn
from paracosm.records.pii.kinds import words_of
from paracosm.records.pii.lexicon.name_lists import NameLists
from paracosm.records.pii.lexicon.name_parts import Part, like, parts_of, replaced
from paracosm.records.pii.pseudonyms import Pseudonyms
from paracosm.records.schema.cells import as_found

STAFF = "staff"
"""Scope of the people who occur with many subjects."""
PERSON_ID = re.compile(r"mrn|patient|person|client|customer|member|subject|medical_?record|ssn|national")
SEX_NAME = re.compile(r"(?:^|_)(?:sex|gender|geschlecht|sexo|sexe|sesso)(?:_|$)")
FEMALE = ("f", "female", "woman", "w", "weiblich", "femme", "mujer", "femenino")
MALE = ("m", "male", "man", "männlich", "homme", "hombre", "masculino")
SEXES = {str(word): sex for sex, words in (("female", FEMALE), ("male", MALE)) for word in words}


def subjects_of(raw: pd.DataFrame, columns: Sequence[PersonalColumn], data: Data) -> tuple[list[str], str]:
    """Return whom each record is about, and what told so: `data.subject`, identifiers, names, or nothing but the record."""
    cells = _telling_cells(raw, columns, data)
    if not cells:
        return [f"record {row}" for row in range(len(raw))], "the record alone"
    keys = []
    for row, values in enumerate(zip(*(as_found(raw[name]) for name in cells), strict=True)):
        told = [str(value).strip().casefold() for value in values if not pd.isna(value)]
        keys.append(repr(told) if len(told) == len(cells) else f"record {row}")
    return keys, ", ".join(cells)


def _telling_cells(raw: pd.DataFrame, columns: Sequence[PersonalColumn], data: Data) -> list[str]:
    if data.subject is not None:
        return [data.subject]
    for each in columns:
        if (
            not each.staff
            and each.kind in ("national_id", "record_id")
            and PERSON_ID.search(words_of(each.name))
        ):
            return [each.name]
    names = {each.part: each.name for each in columns if each.kind == "name" and not each.staff}
    if "full" in names:
        return [names["full"]]
    return [names["given"], names["family"]] if {"given", "family"} <= set(names) else []


def genders_of(raw: pd.DataFrame) -> list[str | None]:
    """Return `female`, `male` or None per record, from a column that is called sex or gender."""
    for name in raw.columns:
        if SEX_NAME.search(words_of(str(name))):
            cells = as_found(raw[name])
            return [None if pd.isna(cell) else SEXES.get(str(cell).strip().casefold()) for cell in cells]
    return [None] * len(raw)


@dataclass
class Subjects:
    """The words of real names per scope (a subject, or the staff), and their invented words."""

    lists: NameLists
    roles: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Scope -> word of a real name, case-folded -> `given` or `family`; the first meeting decides."""
    genders: dict[tuple[str, str], str] = field(default_factory=dict)
    firm: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Scope -> words that a column gave; only those are looked for in any letter case."""

    def learn(
        self, scope: str, parts: Sequence[Part], *, gender: str | None = None, from_column: bool = False
    ) -> None:
        """Take the words of a name to a scope; the longest names go first, for they tell the roles best."""
        for part in parts:
            if part.role in ("given", "family"):
                self.roles[scope].setdefault(part.key, part.role)
                if gender is not None and part.role == "given":
                    self.genders.setdefault((scope, part.key), gender)
                if from_column:
                    self.firm[scope].add(part.key)

    def renamed(self, scope: str, text: str, parts: Sequence[Part], pseudonyms: Pseudonyms) -> str:
        """Return a name with each of its words invented; titles and particles stay."""
        return replaced(text, self._pieces(scope, parts, pseudonyms))

    def words(self, scope: str, pseudonyms: Pseudonyms) -> dict[str, str]:
        """Return the real words of a scope and the invented ones."""
        return {word: self._invented(scope, word, pseudonyms) for word in self.roles.get(scope, {})}

    def as_known(self, scope: str, parts: Sequence[Part]) -> list[Part]:
        """Return the words of a name with the roles that the scope has for them."""
        roles = self.roles[scope]
        return [replace(part, role=roles.get(part.key, part.role)) for part in parts]

    def parts(self, text: str, *, column: str = "full", titled: bool = False) -> list[Part]:
        """Return the words of a name with their roles."""
        return parts_of(text, self.lists, column=column, titled=titled)

    def _pieces(
        self, scope: str, parts: Sequence[Part], pseudonyms: Pseudonyms
    ) -> Iterator[tuple[int, int, str]]:
        for part in parts:
            if part.role == "initial":
                yield part.start, part.end, like(self._initial(scope, part.key, pseudonyms), part.text)
            elif part.role != "kept":
                yield part.start, part.end, like(self._invented(scope, part.key, pseudonyms), part.text)

    def _invented(self, scope: str, word: str, pseudonyms: Pseudonyms) -> str:
        words = self.roles[scope]
        if words[word] == "family":
            return pseudonyms.family(scope, word, set(words))
        return pseudonyms.given(scope, word, self.genders.get((scope, word)), set(words))

    def _initial(self, scope: str, letter: str, pseudonyms: Pseudonyms) -> str:
        for role in ("given", "family"):
            for word, of in self.roles.get(scope, {}).items():
                if of == role and word.startswith(letter):
                    return self._invented(scope, word, pseudonyms)[0]
        return pseudonyms.initial(scope, letter)
