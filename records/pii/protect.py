"""Personal data before training: found in columns and texts, then replaced, left out or only counted.

The rows stay as many and in their order, so that subjects and copies are told by the real records and the model sees
the invented ones.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.sections.data import Data, Pii
from paracosm.records.pii.columns import PersonalColumn, personal_columns
from paracosm.records.pii.detectors import ner_model, require_extra
from paracosm.records.pii.kinds import ID_KINDS, KINDS
from paracosm.records.pii.lexicon.name_lists import name_lists
from paracosm.records.pii.patterns import Span
from paracosm.records.pii.replacement import Findings, Replacement
from paracosm.records.pii.subjects import STAFF, Subjects, genders_of, subjects_of
from paracosm.records.pii.text_detection import Cell, find_in_texts
from paracosm.records.schema.cells import as_found
from paracosm.records.schema.schema import Schema

SHORTEST_IDENTIFIER = 5


@dataclass(frozen=True)
class Protected:
    """A raw table whose personal data is dealt with.

    Attributes:
        raw: the table; as many rows as before.
        left_out: columns that are no longer there.
        facts: counts for `run.json`; no value is among them.
        warnings: what the user should look at.
    """

    raw: pd.DataFrame
    left_out: tuple[str, ...]
    facts: dict[str, Any]
    warnings: tuple[str, ...]


def find_personal(
    raw: pd.DataFrame, schema: Schema, data: Data, pii: Pii, *, progress: Progress = silent
) -> Findings:
    """Find what names a person in the columns of `schema`.

    Raises:
        DataError: the extra `pii` is not installed, or `data.pii` names a column that is not there.
    """
    require_extra()
    columns = personal_columns(raw, schema, data, pii)
    subjects, told_by = subjects_of(raw, columns, data)
    people = Subjects(name_lists(pii.language))
    named = {each.name for each in columns}
    cells = {each.name: _known(raw[each.name]) for each in columns}
    _learn_columns(columns, cells, subjects, genders_of(raw), people)
    identifiers = _identifiers(columns, cells)
    texts = [each for each in schema if each.type == "text" and each.name not in {*named, *pii.keep}]
    table = [cell for each in texts for cell in _cells(raw, each.name, columns, cells, subjects, people)]
    spans = find_in_texts(
        table,
        people,
        identifiers,
        language=pii.language,
        kinds=pii.entities or list(KINDS),
        progress=progress,
    )
    found: dict[str, list[tuple[Cell, list[Span]]]] = {each.name: [] for each in texts}
    for cell, inside in zip(table, spans, strict=True):
        found[cell.column].append((cell, inside))
    counts = {name: sum(cell is not None for cell in each) for name, each in cells.items()}
    return Findings(columns, counts, found, subjects, told_by, people)


def protect(
    raw: pd.DataFrame, schema: Schema, data: Data, *, salt: bytes, progress: Progress = silent
) -> Protected:
    """Deal with the personal data of a raw table as `data.pii` asks.

    Args:
        raw: the table as found.
        schema: its fields, as inferred from it.
        data: of the recipe; `pii` is there.
        salt: the key of the invented values; see `Pseudonyms`.
        progress: takes progress lines.

    Raises:
        DataError: the extra is not installed, or the recipe names or declares what cannot be.
    """
    pii = data.pii
    assert pii is not None
    found = find_personal(raw, schema, data, pii, progress=progress)
    warnings = _warnings(found, schema, data, pii)
    if pii.action == "report":
        return Protected(raw, (), summary(found, pii), warnings)
    work = Replacement(raw, schema, pii, found, salt)
    needed = {data.subject, data.sequence}
    left_out = (
        []
        if pii.action == "replace"
        else [
            each.name
            for each in found.columns
            if each.name not in {*needed, data.target} and each.kind != "age"
        ]
    )
    changed = raw.copy()
    for each in found.columns:
        if each.name in left_out:
            changed = changed.drop(columns=each.name)
        elif each.name != data.target:
            if (override := data.fields.get(each.name)) is not None and override.categories is not None:
                raise DataError(
                    f"data.fields.{each.name}.categories: lists values that data.pii replaces; leave them out, or add the"
                    " column to data.pii.keep"
                )
            changed[each.name] = work.column(each)
    for name, texts in found.texts.items():
        cells = as_found(raw[name]).astype(object)
        for cell, spans in texts:
            cells.iat[cell.row] = work.text(cell, spans)
        changed[name] = cells.astype("string")
    return Protected(changed, tuple(left_out), summary(found, pii), warnings)


def summary(found: Findings, pii: Pii) -> dict[str, Any]:
    """Return how much was found, per column and kind, without any value."""
    rows = {row for each in found.texts.values() for cell, spans in each if spans for row in (cell.row,)}
    return {
        "action": pii.action,
        "columns": [
            {
                "column": each.name,
                "kind": each.kind,
                "cells": found.cells[each.name],
                "share": round(each.share, 3),
                "by": each.by,
            }
            for each in found.columns
        ],
        "texts": {
            name: dict(sorted(Counter(span.kind for _, spans in texts for span in spans).items()))
            for name, texts in found.texts.items()
        },
        "subjects": len(set(found.subjects)),
        "subjects_by": found.told_by,
        "records_with_mentions": len(rows),
        "detectors": detectors(pii),
    }


def detectors(pii: Pii) -> list[str]:
    """Return what looks for persons."""
    from importlib.metadata import version

    model = ner_model(pii.language)
    found = [
        "column names",
        "cells",
        "names of the record's own columns",
        f"presidio-analyzer {version('presidio-analyzer')}",
    ]
    return found + ([f"spacy model {model}"] if model else [])


def _known(column: pd.Series) -> list[str | None]:
    return [None if pd.isna(cell) else str(cell) for cell in as_found(column)]


def _learn_columns(
    columns: Sequence[PersonalColumn],
    cells: Mapping[str, Sequence[str | None]],
    subjects: Sequence[str],
    genders: Sequence[str | None],
    people: Subjects,
) -> None:
    order = ("given", "family", "full")
    for each in sorted(
        (each for each in columns if each.kind == "name"), key=lambda each: order.index(each.part)
    ):
        for row, cell in enumerate(cells[each.name]):
            if cell is not None:
                parts = people.parts(cell, column=each.part)
                if each.staff:
                    people.learn(STAFF, parts, from_column=True)
                else:
                    people.learn(subjects[row], parts, gender=genders[row], from_column=True)


def _identifiers(
    columns: Sequence[PersonalColumn], cells: Mapping[str, Sequence[str | None]]
) -> dict[str, str]:
    """Return the identifiers of all records that a text could hold by no chance, case-folded, with their kinds."""
    return {
        cell.casefold(): each.kind
        for each in columns
        if each.kind in ID_KINDS
        for cell in cells[each.name]
        if cell is not None and len(cell) >= SHORTEST_IDENTIFIER and any(map(str.isdigit, cell))
    }


def _cells(
    raw: pd.DataFrame,
    name: str,
    columns: Sequence[PersonalColumn],
    cells: Mapping[str, Sequence[str | None]],
    subjects: Sequence[str],
    people: Subjects,
) -> list[Cell]:
    told = [each for each in columns if each.kind not in ("name", "date", "age")]
    staff = [each for each in columns if each.kind == "name" and each.staff]
    found = []
    for row, text in enumerate(_known(raw[name])):
        if text is not None:
            values = {
                value.casefold(): each.kind for each in told if (value := cells[each.name][row]) is not None
            }
            names = [value for each in staff if (value := cells[each.name][row]) is not None]
            words = frozenset(
                part.key
                for value in names
                for part in people.parts(value)
                if part.role in ("given", "family")
            )
            found.append(Cell(row, name, text, subjects[row], words, values))
    return found


def _warnings(found: Findings, schema: Schema, data: Data, pii: Pii) -> tuple[str, ...]:
    warnings = []
    if pii.action != "report":
        warnings += [
            f"data.pii: the target {each.name!r} looks like a {each.kind.replace('_', ' ')}; it is left as it is"
            for each in found.columns
            if each.name == data.target and each.kind != "age"
        ]
    if found.texts and ner_model(pii.language) is None:
        warnings.append(
            f"data.pii: no spaCy model for {pii.language!r} is installed; names in texts are found by columns, titles and lists"
        )
    return tuple(warnings)
