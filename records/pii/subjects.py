"""Subjects of a table: the subject of each record, and the words of the subjects' names with their replacements.

Names are replaced word by word within one subject. `Mr. Smith`, `John Smith` and `SMITH, John` therefore stay one person
wherever they occur, and two subjects with the same name get different replacements.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from paracosm.recipes.sections.data import Data
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.inference.column_names import names_a_sex, names_a_subject
from paracosm.records.pii.columns import PersonalColumn
from paracosm.records.pii.lexicon.name_lists import NameLists
from paracosm.records.pii.lexicon.name_parts import (
    PARTICLES,
    NamePart,
    match_case,
    parts_of,
    replace_spans,
)
from paracosm.records.pii.pseudonyms import Pseudonyms

STAFF = "staff"
"""Scope of the names of staff, who occur with many subjects."""
FEMALE = ("f", "female", "woman", "w", "weiblich", "femme", "mujer", "femenino")
MALE = ("m", "male", "man", "männlich", "homme", "hombre", "masculino")
SEXES = {str(word): sex for sex, words in (("female", FEMALE), ("male", MALE)) for word in words}


def subjects_of(raw: pd.DataFrame, columns: Sequence[PersonalColumn], data: Data) -> tuple[list[str], str]:
    """Return the subject of each record, and the names of the columns that identify it.

    A subject is identified by `data.subject`, else by an identifier of persons, else by its name. A record without any of
    these is its own subject.
    """
    names = _identifying_columns(columns, data)
    if not names:
        return [f"record {row}" for row in range(len(raw))], "the record alone"
    keys = []
    for row, values in enumerate(zip(*(to_source_strings(raw[name]) for name in names), strict=True)):
        known = [str(value).strip().casefold() for value in values if not pd.isna(value)]
        keys.append(repr(known) if len(known) == len(names) else f"record {row}")
    return keys, ", ".join(names)


def _identifying_columns(columns: Sequence[PersonalColumn], data: Data) -> list[str]:
    if data.subject is not None:
        return [data.subject]
    for column in columns:
        if not column.staff and column.kind in ("national_id", "record_id") and names_a_subject(column.name):
            return [column.name]
    names = {column.part: column.name for column in columns if column.kind == "name" and not column.staff}
    if "full" in names:
        return [names["full"]]
    return [names["given"], names["family"]] if {"given", "family"} <= set(names) else []


def genders_of(raw: pd.DataFrame) -> list[str | None]:
    """Return the gender of each record's subject (`female`, `male` or None), from a column named sex or gender."""
    for name in raw.columns:
        if names_a_sex(str(name)):
            cells = to_source_strings(raw[name])
            return [None if pd.isna(cell) else SEXES.get(str(cell).strip().casefold()) for cell in cells]
    return [None] * len(raw)


@dataclass
class Subjects:
    """The words of real names per scope (a subject, or the staff), and their replacements."""

    lists: NameLists
    roles: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Scope -> case-folded word of a real name -> `given` or `family`; the first occurrence decides."""
    genders: dict[tuple[str, str], str] = field(default_factory=dict)
    from_columns: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Scope -> words that come from a column of names; only these are searched for in any letter case."""

    particles: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Scope -> particles of names in columns (`van`, `de`), which stay, and with them their initials."""

    def learn(
        self, scope: str, parts: Sequence[NamePart], *, gender: str | None = None, from_column: bool = False
    ) -> None:
        """Add the words of a name to a scope. Callers add long names first, because they show the roles of words best."""
        for part in parts:
            if from_column and part.key in PARTICLES:
                self.particles[scope].add(part.key)
            if part.role in ("given", "family"):
                self.roles[scope].setdefault(part.key, part.role)
                if gender is not None and part.role == "given":
                    self.genders.setdefault((scope, part.key), gender)
                if from_column:
                    self.from_columns[scope].add(part.key)

    def renamed(self, scope: str, text: str, parts: Sequence[NamePart], pseudonyms: Pseudonyms) -> str:
        """Return a name with every word replaced; titles and particles stay."""
        return replace_spans(text, self._replacements(scope, parts, pseudonyms))

    def words(self, scope: str, pseudonyms: Pseudonyms) -> dict[str, str]:
        """Return the real words of a scope, each with its replacement."""
        return {word: self._pseudonym(scope, word, pseudonyms) for word in self.roles.get(scope, {})}

    def with_learnt_roles(self, scope: str, parts: Sequence[NamePart]) -> list[NamePart]:
        """Return the words of a name with the roles that they have in a scope."""
        roles = self.roles[scope]
        return [replace(part, role=roles.get(part.key, part.role)) for part in parts]

    def parts(self, text: str, *, column: str = "full", titled: bool = False) -> list[NamePart]:
        """Return the words of a name with their roles."""
        return parts_of(text, self.lists, column=column, titled=titled)

    def _replacements(
        self, scope: str, parts: Sequence[NamePart], pseudonyms: Pseudonyms
    ) -> Iterator[tuple[int, int, str]]:
        for part in parts:
            if part.role == "initial":
                yield part.start, part.end, match_case(self._initial(scope, part.key, pseudonyms), part.text)
            elif part.role != "unchanged":
                yield (
                    part.start,
                    part.end,
                    match_case(self._pseudonym(scope, part.key, pseudonyms), part.text),
                )

    def _pseudonym(self, scope: str, word: str, pseudonyms: Pseudonyms) -> str:
        words = self.roles[scope]
        if words[word] == "family":
            return pseudonyms.family(scope, word, set(words))
        return pseudonyms.given(scope, word, self.genders.get((scope, word)), set(words))

    def _initial(self, scope: str, letter: str, pseudonyms: Pseudonyms) -> str:
        for role in ("given", "family"):
            for word, its_role in self.roles.get(scope, {}).items():
                if its_role == role and word.startswith(letter):
                    return self._pseudonym(scope, word, pseudonyms)[0]
        if any(particle.startswith(letter) for particle in self.particles.get(scope, ())):
            return letter.upper()
        return pseudonyms.initial(scope, letter)
