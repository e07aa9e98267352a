"""Decisions of `paracosm init` about persons: the subject of a record, and columns with names, addresses or numbers of persons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from paracosm.recipes.sections.data import Data, Pii
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.inference.column_names import names_a_person, names_a_subject, names_staff
from paracosm.records.inference.column_words import words
from paracosm.records.pii.columns import MINTED, PersonalColumn, personal_columns
from paracosm.records.pii.detectors import missing_package
from paracosm.records.pii.kinds import CAUSES, WHAT
from paracosm.records.schema.schema import Schema

LANGUAGES = {
    "de": "vorname nachname geburtsdatum strasse plz ort wohnort kundennummer kunden patienten geschlecht betrag datum telefon",
    "fr": "prenom nom ville rue adresse naissance sexe montant telephone patient commande client heure prix livraison quantite taille",
    "es": "apellido apellidos nombre ciudad calle direccion fecha sexo importe telefono paciente cliente",
    "it": "cognome nome citta indirizzo nascita sesso importo telefono paziente cliente",
    "nl": "achternaam voornaam woonplaats straat geboortedatum geslacht bedrag telefoon klant",
    "pt": "sobrenome nome cidade endereco nascimento sexo valor telefone paciente cliente",
}
"""Language -> words of headers in that language."""
FEWEST_WORDS = 3
"""Words of headers that decide on the language of invented names."""
MOST_DISTINCT = 0.9
"""Largest share of distinct cells of a column that repeats: a few equal cells are chance or errors."""


@dataclass(frozen=True)
class Persons:
    """What `init` decides about persons.

    Attributes:
        subject: the value of `data.subject`.
        pii: the value of `data.pii`.
        replaced: columns that are replaced, and so not left out as identifiers.
        dropped: columns that are left out, because they cannot be replaced.
        subject_lines: reasons about the subject, for the recipe and the terminal.
        pii_lines: reasons about personal data.
    """

    subject: str | None
    pii: Pii | None
    replaced: tuple[str, ...]
    dropped: tuple[str, ...]
    subject_lines: tuple[str, ...]
    pii_lines: tuple[str, ...]

    @property
    def decided(self) -> tuple[str, ...]:
        """Columns that are replaced or name the subject."""
        return (*self.replaced, *([self.subject] if self.subject is not None else []))


def find_persons(raw: pd.DataFrame, schema: Schema, data: Data, *, private: bool) -> Persons:
    """Return the decisions about persons for a table.

    Args:
        raw: the table.
        schema: its inferred fields.
        data: the data section so far.
        private: whether the recipe is drafted for differential privacy, which does not allow replacement.
    """
    pii = Pii.model_validate({"action": "replace", "language": _language(list(raw.columns))})
    columns = [
        column
        for column in personal_columns(raw, schema, data, pii)
        if column.name != data.target and column.by != "role"
    ]
    direct = [column for column in columns if column.kind in MINTED]
    subject, subject_lines = _subject(raw, schema, data, [column.name for column in direct], private=private)
    if not any(column.kind in CAUSES for column in direct):
        return Persons(subject, None, (), (), subject_lines, ())
    package = missing_package()
    if private or package is not None:
        dropped = tuple(column.name for column in direct)
        return Persons(subject, None, (), dropped, subject_lines, tuple(_drop_lines(direct, package)))
    replaced = tuple(column.name for column in direct)
    return Persons(subject, pii, replaced, (), subject_lines, tuple(_replace_lines(direct, columns, schema)))


def _subject(
    raw: pd.DataFrame, schema: Schema, data: Data, direct: Sequence[str], *, private: bool
) -> tuple[str | None, tuple[str, ...]]:
    repeated = [
        field.name
        for field in schema
        if not field.modelled and field.name != data.target and _repeats(raw[field.name])
    ]
    keys = [name for name in repeated if name not in direct]
    persons = [name for name in keys if names_a_subject(name)]
    others = [name for name in keys if names_a_person(name) and not names_staff(name)]
    # Numbers that are replaced, such as those of accounts, still tell whose record it is.
    replaced = [name for name in repeated if names_a_person(name) and not names_staff(name)]
    candidates = persons or others or replaced
    if len(candidates) > 1 and all(_same(raw, candidates[0], other) for other in candidates[1:]):
        candidates = candidates[:1]
    if len(candidates) == 1 and not private:
        name = candidates[0]
        column = to_source_strings(raw[name]).dropna()
        lines = [
            f"subject: {name!r} has the same key in several records ({column.nunique():,} in {len(column):,}), so it is set as"
            " data.subject: all records of a person stay in one split; remove the key if it does not name persons"
        ]
        moments = (field.name for field in schema if field.is_moment)
        order = next((moment for moment in moments if raw.groupby(name)[moment].nunique().max() > 1), None)
        if order is not None:
            lines.append(
                f"subject: if {order!r} orders the records of a person, set data.sequence: {order} to model them as one sequence"
            )
        return name, tuple(lines)
    if repeated:
        names = ", ".join(map(repr, candidates or repeated))
        return None, (
            f"subject: {names} {'repeat' if len(candidates or repeated) > 1 else 'repeats'} over several records; if one of them"
            " names the person of a record, remove it from data.drop and set data.subject to it",
        )
    return None, ()


def _repeats(column: pd.Series) -> bool:
    cells = to_source_strings(column).dropna()
    return 1 < cells.nunique() <= MOST_DISTINCT * len(cells)


def _same(raw: pd.DataFrame, first: str, second: str) -> bool:
    pairs = raw[[first, second]].drop_duplicates()
    return len(pairs) == pairs[first].nunique() == pairs[second].nunique()


def _language(names: Sequence[str]) -> str:
    said = {word for name in names for word in words(str(name))}
    counts = {language: len(said.intersection(text.split())) for language, text in LANGUAGES.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= FEWEST_WORDS else "en"


def _kinds(columns: Sequence[PersonalColumn]) -> Iterator[str]:
    for kind, what in WHAT.items():
        names = [column.name for column in columns if column.kind == kind]
        if names:
            yield f"{', '.join(map(repr, names))} ({what})"


def _drop_lines(columns: Sequence[PersonalColumn], package: str | None) -> Iterator[str]:
    seen = f"personal data: {'; '.join(_kinds(columns))}"
    if package is None:
        yield f"{seen}: left out, because differential privacy does not allow data.pii: replace"
        return
    yield (
        f'{seen}: left out; to replace them by invented values: pip install "paracosm[pii]", then run init again; to keep one as it is,'
        " remove it from data.drop"
    )
    yield "personal data: without that extra, names are recognized by the names of columns only"


def _replace_lines(
    direct: Sequence[PersonalColumn], columns: Sequence[PersonalColumn], schema: Schema
) -> Iterator[str]:
    yield (
        f"personal data: {'; '.join(_kinds(direct))}: data.pii: replace is set; the model never sees them, and synthetic records"
        " get invented ones; to keep a column as it is, add it to data.pii.keep; to leave it out, to data.drop"
    )
    for column in direct:
        if column.by == "cells":
            yield (
                f"personal data: {column.name!r} is recognized by its cells ({column.share:.0%} or more look like {WHAT[column.kind]});"
                " if that is wrong, add it to data.pii.keep"
            )
    moved = [column.name for column in columns if column.kind == "date"]
    moved += [field.name for field in schema if field.is_moment and field.name not in moved]
    places = [column.name for column in columns if column.kind in ("place", "postcode")]
    changes = [
        *(
            [f"dates are moved, all of a person by the same number of weeks ({', '.join(map(repr, moved))})"]
            * bool(moved)
        ),
        *([f"towns and postcodes are replaced one by one ({', '.join(map(repr, places))})"] * bool(places)),
    ]
    if changes:
        yield f"personal data: data.pii: replace changes other columns too: {'; '.join(changes)}; data.pii.keep spares them"
