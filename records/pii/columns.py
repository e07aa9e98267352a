"""Which columns of a table name a person: by what the column is called, and by how its cells look."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data, Pii
from paracosm.records.pii.kinds import KINDS, NOT_PERSONS, STAFF, words_of
from paracosm.records.pii.lexicon.name_lists import name_lists
from paracosm.records.pii.lexicon.name_parts import PART, TITLES
from paracosm.records.schema.cells import as_found
from paracosm.records.schema.schema import Field, Schema

MOST_CELLS = 2000
"""Distinct cells of a column that are looked at."""
LEAST_NAMED = 0.5
"""Share of cells that must look like the kind that the column's name says."""
LEAST_BY_CELLS = 0.9
"""Share of cells that must look like a kind that the column's name does not say."""
LEAST_NAMES = 0.6


@dataclass(frozen=True)
class PersonalColumn:
    """A column that names a person.

    Attributes:
        name: the column's.
        kind: one of `KINDS`.
        part: of a name `given`, `family` or `full`; of a date `birth` or ''.
        share: of the distinct cells, how many look like the kind.
        by: `declared`, `name`, `cells` or `role` (the column is an identifier or a date).
        staff: whether its people occur with many subjects.
    """

    name: str
    kind: str
    part: str = ""
    share: float = 1.0
    by: str = "name"
    staff: bool = False


def personal_columns(raw: pd.DataFrame, schema: Schema, data: Data, pii: Pii) -> list[PersonalColumn]:
    """Return the columns of `raw` that name a person, in the table's order; those of `pii.keep` are none.

    Raises:
        DataError: `data.pii` names a column that is not there.
    """
    _check_columns(pii, [str(name) for name in raw.columns])
    found = (_column(raw[field.name], field, data, pii) for field in schema if field.name not in pii.keep)
    return [each for each in found if each is not None and _is_asked(each, pii)]


def _is_asked(column: PersonalColumn, pii: Pii) -> bool:
    if column.kind == "age":
        return pii.oldest_age is not None or pii.action == "report"
    return pii.entities is None or column.kind in pii.entities


def _check_columns(pii: Pii, columns: list[str]) -> None:
    named: dict[str, Mapping[str, object] | list[str]] = {"keep": pii.keep, "columns": pii.columns}
    for key, names in named.items():
        for name in names:
            if name not in columns:
                raise DataError(f"data.pii.{key}: there is no column {name!r}{did_you_mean(name, columns)}")
            if key == "columns" and name in pii.keep:
                raise DataError(f"data.pii.columns: the column {name!r} is also in data.pii.keep")


def _column(column: pd.Series, field: Field, data: Data, pii: Pii) -> PersonalColumn | None:
    name = words_of(field.name)
    cells = [str(cell) for cell in as_found(column).dropna().unique()[:MOST_CELLS]]
    staff = bool(STAFF.search(name))
    if field.name in pii.columns:
        kind = pii.columns[field.name]
        part = next(iter(_parts_named(name, kind)), "full" if kind == "name" else "")
        return PersonalColumn(field.name, kind, part, _share(kind, cells), "declared", staff)
    if field.type == "datetime":
        part = next(iter(_parts_named(name, "date")), "")
        return PersonalColumn(field.name, "date", part, by="role")
    if field.type == "boolean" or NOT_PERSONS.search(name):
        named = None
    else:
        named = _by_name(field.name, name, cells, staff)
    found = named or _by_cells(field, cells, pii)
    if found is None and (field.type == "identifier" or field.name == data.subject):
        return PersonalColumn(field.name, "record_id", by="role")
    return found


def _parts_named(name: str, kind: str) -> Iterator[str]:
    return (part for part, pattern in KINDS[kind].columns.items() if pattern.search(name))


def _by_name(column: str, name: str, cells: list[str], staff: bool) -> PersonalColumn | None:
    for kind in KINDS:
        for part in _parts_named(name, kind):
            share = _share(kind, cells)
            # A column that is called `name` or `doctor` may hold anything.
            least = LEAST_NAMES if part == "full" else LEAST_NAMED
            looks = _name_share(cells) if part == "full" and name in ("name", "names") else share
            if looks >= least and kind != "date":
                return PersonalColumn(column, kind, part, share, "name", staff)
    return None


def _by_cells(field: Field, cells: list[str], pii: Pii) -> PersonalColumn | None:
    for kind in KINDS.values():
        if kind.by_cells and (share := _share(kind.name, cells)) >= LEAST_BY_CELLS:
            return PersonalColumn(field.name, kind.name, "", share, "cells")
    if field.type in ("category", "identifier", "text") and len(cells) >= 5:
        share = _name_share(cells, pii.language)
        if share >= LEAST_BY_CELLS:
            return PersonalColumn(field.name, "name", "full", share, "cells")
    return None


def _share(kind: str, cells: list[str]) -> float:
    return sum(KINDS[kind].fits(cell) for cell in cells) / max(1, len(cells))


def _name_share(cells: list[str], language: str = "en") -> float:
    """Return the share of cells that are two or three words with a known given and a known family name among them."""
    lists, names = name_lists(language), 0
    for cell in cells:
        words = [word for word in PART.findall(cell) if word.casefold() not in TITLES]
        capital = all(word[0].isupper() for word in words)
        given = any(word.casefold() in lists.known_given for word in words)
        family = any(word.casefold() in lists.known_family for word in words)
        names += 2 <= len(words) <= 4 and capital and given and family and not any(map(str.isdigit, cell))
    return names / max(1, len(cells))
