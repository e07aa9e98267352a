"""Detection of personal columns, by the name of a column and by the form of its cells."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data, FieldOverride, Pii
from paracosm.records.fields.kind import KINDS as FIELD_KINDS
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.inference.column_names import (
    names_a_name,
    names_a_thing,
    names_no_person,
    names_staff,
    personal_kinds,
    says_nothing,
)
from paracosm.records.pii.kinds import CAUSES, KINDS, WHAT, notation
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
LEAST_WORDS_NAMED = 0.5
"""Least share of single words that are on the lists of names, in a column called `name`."""
LEAST_WORDS_UNNAMED = 0.65
"""The same where the header says nothing, such as `col7`. Towns, countries, cars and brands reach 0.55, surnames 0.9 and more."""
LEAST_WORDS = 0.85
"""The same under any other header."""
FEWEST_WORDS = 20
"""Fewest distinct single words that are taken for names without a telling header."""
MOST_PARTS = 2
"""Words of a given or family name that stands alone, such as `Anne-Marie` or `García López`."""
PHONE = re.compile(r"\+\d[\d ()/-]{7,18}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4}|\d{3}\.\d{3}\.\d{4}")
"""Cells that are phone numbers whatever their column is called."""
FEWEST_NAMES = 5
"""Fewest distinct cells from which a column is recognized as names without a telling column name."""


MINTED = ("name", "email", "phone", "address", "bank_account", "card", "national_id", "ip", "url")
"""Kinds of which generation mints new values. Towns and postcodes are modelled, and dates too."""
FEWEST = 20
"""Distinct cells below which a column that repeats is a closed list, such as the phones of five branches; names are always minted."""
REPEATS = 10
"""Records per distinct cell from which on such a column repeats."""


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
    found = [
        _personal_column(raw[field.name], field, data, pii) for field in schema if field.name not in pii.keep
    ]
    if not has_name_lists() and any(column is not None and column.part == "given" for column in found):
        # `Name` beside `Vorname`: without lists, single words say nothing.
        found = [
            PersonalColumn(field.name, "name", "family")
            if column is None and names_a_name(field.name)
            else column
            for field, column in zip(
                (each for each in schema if each.name not in pii.keep), found, strict=True
            )
        ]
    columns = [column for column in found if column is not None and _is_requested(column, pii)]
    return list(map(_with_part(columns), columns))


def _with_part(columns: Sequence[PersonalColumn]) -> Callable[[PersonalColumn], PersonalColumn]:
    """Return a function that takes `Name` beside `Vorname` for the family name."""
    has_given = any(column.part == "given" and column.by == "name" for column in columns)
    return lambda column: (
        replace(column, part="family")
        if has_given
        and column.part in ("given", "full")
        and names_a_name(column.name)
        and column.by == "name"
        else column
    )


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
        if part == "full" and names_a_name(name):
            # Anything may have a name, so the cells have to be names of persons.
            if not has_name_lists():
                # Their form has to do. It takes `Blue Lagoon` for a person; a column too few is better than a name too many.
                if (formed := _formed_share(cells)) >= least:
                    return PersonalColumn(name, kind, part, formed, "name", staff)
            elif _name_share(cells) >= least or _single_names(cells, LEAST_WORDS_NAMED):
                given = _single_names(cells, LEAST_WORDS_NAMED) or part
                return PersonalColumn(
                    name, kind, part if _name_share(cells) >= least else given, share, "name", staff
                )
        elif share >= least and kind != "date":
            return PersonalColumn(name, kind, part, share, "name", staff)
    return None


def _by_cells(field: Field, cells: list[str], pii: Pii) -> PersonalColumn | None:
    for kind in KINDS.values():
        if kind.by_cells and (share := _share(kind.name, cells, alone=True)) >= LEAST_BY_CELLS:
            return PersonalColumn(field.name, kind.name, "", share, "cells")
    share = sum(PHONE.fullmatch(cell.strip()) is not None for cell in cells) / max(1, len(cells))
    if share >= LEAST_BY_CELLS and len(cells) >= FEWEST_NAMES:
        return PersonalColumn(field.name, "phone", "", share, "cells")
    if not field.kind.words or not has_name_lists():
        return None
    if len(cells) >= FEWEST_NAMES and (share := _name_share(cells, pii.language)) >= LEAST_BY_CELLS:
        return PersonalColumn(field.name, "name", "full", share, "cells")
    least = LEAST_WORDS_UNNAMED if says_nothing(field.name) else LEAST_WORDS
    if len(cells) >= FEWEST_WORDS and not names_a_thing(field.name) and (part := _single_names(cells, least)):
        return PersonalColumn(field.name, "name", part, least, "cells")
    return None


def _single_names(cells: list[str], least: float) -> str:
    """Return `given` or `family` if most cells are single words on the lists of names, else an empty text."""
    lists, given, family = name_lists("en"), 0, 0
    for cell in cells:
        parts = [word for word in re.split(r"[\s-]+", cell) if word.casefold() not in TITLES]
        if 1 <= len(parts) <= MOST_PARTS and all(part[:1].isupper() for part in parts):
            given += all(part.casefold() in lists.known_given for part in parts)
            family += all(part.casefold() in lists.known_family for part in parts)
    if len(cells) < FEWEST_NAMES or max(given, family) < least * len(cells):
        return ""
    return "given" if given > family else "family"


def has_name_lists() -> bool:
    """Return whether the lists of names are installed, which the extra `pii` brings."""
    return find_spec("faker") is not None


def _share(kind: str, cells: list[str], *, alone: bool = False) -> float:
    return sum(KINDS[kind].matches(cell, alone=alone) for cell in cells) / max(1, len(cells))


def _formed_share(cells: list[str]) -> float:
    """Return the share of cells that are two to four capitalized words and nothing else, as names of persons are."""
    names = 0
    for cell in cells:
        parts = [word for word in cell.replace(",", " ").split() if word.casefold() not in TITLES]
        names += 2 <= len(parts) <= 4 and all(part[0].isupper() and NAME_WORD.match(part) for part in parts)
    return names / max(1, len(cells))


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


def minted_fields(
    schema: Schema, columns: Sequence[PersonalColumn], raw: pd.DataFrame, data: Data
) -> dict[str, Field]:
    """Return the personal fields whose values are minted, by name, instead of being learnt.

    Args:
        schema: the inferred fields.
        columns: the personal columns.
        raw: the table before replacement; the notation of its cells is kept.
        data: the recipe's data section.
    """
    fields = {}
    for column in columns:
        override = data.fields.get(column.name, FieldOverride())
        spared = column.name in (data.target, data.subject, data.sequence) or override.fresh is False
        if (
            column.kind not in MINTED
            or spared
            or (override.type is not None and FIELD_KINDS[override.type].modelled)
        ):
            continue
        cells = to_source_strings(raw[column.name]).dropna()
        distinct = [str(cell) for cell in cells.unique()]
        modelled = schema[column.name].modelled and not schema[column.name].is_text
        closed = len(distinct) < FEWEST and len(cells) >= REPEATS * len(distinct)
        if modelled and (column.staff if column.kind == "name" else closed):
            continue
        kind = f"name.{column.part or 'full'}" if column.kind == "name" else column.kind
        fields[column.name] = Field(
            name=column.name, type="identifier", pattern=notation(kind, distinct), fresh=True, personal=kind
        )
    return fields


def learnt_personal_lines(raw: pd.DataFrame, schema: Schema, data: Data) -> Iterator[str]:
    """Yield a warning for each modelled column that looks like names, addresses or numbers of persons.

    Args:
        raw: the raw table.
        schema: its inferred fields.
        data: a data section without `pii`.
    """
    modelled = Schema(schema.modelled)
    for column in personal_columns(raw, modelled, data, Pii(action="report")):
        if column.kind in MINTED and column.kind in CAUSES and column.by != "role":
            yield (
                f"column {column.name!r}: looks like {WHAT[column.kind]}, and the model learns and repeats them; data.pii: replace"
                " makes them invented ones, data.drop leaves the column out"
            )
