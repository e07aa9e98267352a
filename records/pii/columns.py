"""Detection of personal columns, by the name of a column and by the form of its cells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data, Pii
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.inference.column_names import names_no_person, names_staff, personal_kinds
from paracosm.records.pii.kinds import KINDS
from paracosm.records.pii.lexicon.name_lists import name_lists
from paracosm.records.pii.lexicon.name_parts import NAME_WORD, TITLES
from paracosm.records.schema.schema import Field, Schema

MOST_CELLS = 2000
"""Most distinct cells of a column that are examined."""
LEAST_NAMED = 0.5
"""Least share of cells that must match the kind which the column's name indicates."""
LEAST_BY_CELLS = 0.9
"""Least share of cells that must match a kind which the column's name does not indicate."""
LEAST_NAMES = 0.6
"""Least share for names such as `name` or `doctor`: such a column may hold anything."""
FEWEST_NAMES = 5
"""Fewest distinct cells from which a column is recognized as names without a telling column name."""


@dataclass(frozen=True)
class PersonalColumn:
    """A column with personal data.

    Attributes:
        name: name of the column.
        kind: a key of `KINDS`.
        part: for names `given`, `family` or `full`; for dates `birth` or ''.
        share: share of the distinct cells that match the kind.
        by: what decided: `declared` (in the recipe), `name`, `cells`, or `role` (the column is an identifier or a date).
        staff: whether the column names staff, who occur with many subjects.
    """

    name: str
    kind: str
    part: str = ""
    share: float = 1.0
    by: str = "name"
    staff: bool = False


def personal_columns(raw: pd.DataFrame, schema: Schema, data: Data, pii: Pii) -> list[PersonalColumn]:
    """Return the personal columns of `raw`, in the order of the table, without those of `pii.keep`.

    Raises:
        DataError: `data.pii` names a column that does not exist.
    """
    _check_columns(pii, [str(name) for name in raw.columns])
    columns = (
        _personal_column(raw[field.name], field, data, pii) for field in schema if field.name not in pii.keep
    )
    return [column for column in columns if column is not None and _is_requested(column, pii)]


def _is_requested(column: PersonalColumn, pii: Pii) -> bool:
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


def _personal_column(column: pd.Series, field: Field, data: Data, pii: Pii) -> PersonalColumn | None:
    cells = [str(cell) for cell in to_source_strings(column).dropna().unique()[:MOST_CELLS]]
    staff = names_staff(field.name)
    if field.name in pii.columns:
        kind = pii.columns[field.name]
        part = next(iter(_parts_named(field.name, kind)), "full" if kind == "name" else "")
        return PersonalColumn(field.name, kind, part, _share(kind, cells), "declared", staff)
    if field.is_moment:
        part = next(iter(_parts_named(field.name, "date")), "")
        return PersonalColumn(field.name, "date", part, by="role")
    if field.kind.expressed_as == "truth" or names_no_person(field.name):
        by_name = None
    else:
        by_name = _by_name(field.name, cells, staff)
    personal = by_name or _by_cells(field, cells, pii)
    if personal is None and (not field.modelled or field.name == data.subject):
        return PersonalColumn(field.name, "record_id", by="role")
    return personal


def _parts_named(name: str, kind: str) -> Iterator[str]:
    return (part for its_kind, part in personal_kinds(name) if its_kind == kind)


def _by_name(name: str, cells: list[str], staff: bool) -> PersonalColumn | None:
    for kind, part in personal_kinds(name):
        share = _share(kind, cells)
        least = LEAST_NAMES if part == "full" else LEAST_NAMED
        evidence = _name_share(cells) if part == "full" and name.lower() in ("name", "names") else share
        if evidence >= least and kind != "date":
            return PersonalColumn(name, kind, part, share, "name", staff)
    return None


def _by_cells(field: Field, cells: list[str], pii: Pii) -> PersonalColumn | None:
    for kind in KINDS.values():
        if kind.by_cells and (share := _share(kind.name, cells)) >= LEAST_BY_CELLS:
            return PersonalColumn(field.name, kind.name, "", share, "cells")
    if field.kind.words and len(cells) >= FEWEST_NAMES:
        share = _name_share(cells, pii.language)
        if share >= LEAST_BY_CELLS:
            return PersonalColumn(field.name, "name", "full", share, "cells")
    return None


def _share(kind: str, cells: list[str]) -> float:
    return sum(KINDS[kind].matches(cell) for cell in cells) / max(1, len(cells))


def _name_share(cells: list[str], language: str = "en") -> float:
    """Return the share of cells that are two to four words with a known given and a known family name among them."""
    lists, names = name_lists(language), 0
    for cell in cells:
        words = [word for word in NAME_WORD.findall(cell) if word.casefold() not in TITLES]
        capitalized = all(word[0].isupper() for word in words)
        given = any(word.casefold() in lists.known_given for word in words)
        family = any(word.casefold() in lists.known_family for word in words)
        names += 2 <= len(words) <= 4 and capitalized and given and family and not any(map(str.isdigit, cell))
    return names / max(1, len(cells))
