"""Protection of personal data before training: it is detected, then replaced, left out, or only counted.

Rows keep their number and order. Subjects and copies can thus be determined on the real records, while the model sees the
replaced ones.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.sections.data import Data, Pii
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.pii.columns import PersonalColumn, minted_fields, personal_columns
from paracosm.records.pii.detectors import ner_model, require_extra
from paracosm.records.pii.kinds import ID_KINDS, KINDS
from paracosm.records.pii.lexicon.name_lists import name_lists
from paracosm.records.pii.patterns import Span
from paracosm.records.pii.replacement import Findings, Replacement
from paracosm.records.pii.subjects import STAFF, Subjects, genders_of, subjects_of
from paracosm.records.pii.text_detection import TextCell, find_in_texts
from paracosm.records.schema.schema import Field, Schema

SHORTEST_IDENTIFIER = 5
"""Characters of the shortest identifier that is searched for in the texts of all records."""


@dataclass(frozen=True)
class Protected:
    """A raw table whose personal data is replaced, left out or counted.

    Attributes:
        raw: the table, with as many rows as before.
        left_out: names of the columns that were left out.
        minted: by name, the fields that the model never sees because generation mints new values for them.
        facts: counts for `run.json`, without any value of the table.
        warnings: warnings for the user.
    """

    raw: pd.DataFrame
    left_out: tuple[str, ...]
    minted: dict[str, Field]
    facts: dict[str, Any]
    warnings: tuple[str, ...]


def find_personal(
    raw: pd.DataFrame, schema: Schema, data: Data, pii: Pii, *, progress: Progress = silent
) -> Findings:
    """Detect the personal data in the columns of `schema`.

    Raises:
        DataError: the extra `pii` is not installed, or `data.pii` names a column that does not exist.
    """
    require_extra()
    columns = personal_columns(raw, schema, data, pii)
    subjects, subjects_by = subjects_of(raw, columns, data)
    names = Subjects(name_lists(pii.language))
    excluded = {column.name for column in columns} | set(pii.keep)
    cells = {column.name: _strings(raw[column.name]) for column in columns}
    _learn_columns(columns, cells, subjects, genders_of(raw), names)
    identifiers = _identifiers(columns, cells)
    text_columns = [field.name for field in schema if field.is_text and field.name not in excluded]
    text_cells = [
        cell for name in text_columns for cell in _text_cells(raw, name, columns, cells, subjects, names)
    ]
    spans = find_in_texts(
        text_cells,
        names,
        identifiers,
        language=pii.language,
        kinds=pii.entities or list(KINDS),
        progress=progress,
    )
    texts: dict[str, list[tuple[TextCell, list[Span]]]] = {name: [] for name in text_columns}
    for cell, cell_spans in zip(text_cells, spans, strict=True):
        texts[cell.column].append((cell, cell_spans))
    counts = {name: sum(cell is not None for cell in column) for name, column in cells.items()}
    return Findings(columns, counts, texts, subjects, subjects_by, names)


def protect(
    raw: pd.DataFrame, schema: Schema, data: Data, *, salt: bytes, progress: Progress = silent
) -> Protected:
    """Replace, leave out or count the personal data of a raw table, as `data.pii` specifies.

    Args:
        raw: the raw table.
        schema: its inferred fields.
        data: the recipe's data section, with `pii`.
        salt: secret key of the invented values; see `Pseudonyms`.
        progress: receives progress lines.

    Raises:
        DataError: the extra `pii` is not installed, `data.pii` names a column that does not exist, or the recipe declares
            categories of a column that is replaced.
    """
    pii = data.pii
    assert pii is not None
    findings = find_personal(raw, schema, data, pii, progress=progress)
    warnings = _warnings(findings, data, pii)
    if pii.action == "report":
        return Protected(raw, (), {}, summary(findings, pii), warnings)
    replacement = Replacement(raw, schema, pii, findings, salt)
    left_out = _columns_to_drop(findings, data, pii)
    protected = raw.drop(columns=left_out)
    for column in findings.columns:
        if column.name in left_out or column.name == data.target:
            continue
        if (override := data.fields.get(column.name)) is not None and override.categories is not None:
            raise DataError(
                f"data.fields.{column.name}.categories: lists values that data.pii replaces; leave them out, or add the"
                " column to data.pii.keep"
            )
        protected[column.name] = replacement.column(column)
    for name, texts in findings.texts.items():
        cells = to_source_strings(raw[name]).astype(object)
        for cell, spans in texts:
            cells.iat[cell.row] = replacement.text(cell, spans)
        protected[name] = cells.astype("string")
    columns = [column for column in findings.columns if column.name not in left_out]
    minted = minted_fields(schema, columns, raw, data)
    return Protected(protected, tuple(left_out), minted, summary(findings, pii), warnings)


def _columns_to_drop(findings: Findings, data: Data, pii: Pii) -> list[str]:
    """Return the personal columns that `drop` leaves out: all but those that the recipe needs, and ages."""
    if pii.action != "drop":
        return []
    needed = {data.subject, data.sequence, data.target}
    return [column.name for column in findings.columns if column.name not in needed and column.kind != "age"]


def summary(findings: Findings, pii: Pii) -> dict[str, Any]:
    """Return the counts of personal data, per column and kind, without any value of the table."""
    rows = {cell.row for texts in findings.texts.values() for cell, spans in texts if spans}
    return {
        "action": pii.action,
        "columns": [
            {
                "column": column.name,
                "kind": column.kind,
                "cells": findings.cells[column.name],
                "share": round(column.share, 3),
                "by": column.by,
            }
            for column in findings.columns
        ],
        "texts": {
            name: dict(sorted(Counter(span.kind for _, spans in texts for span in spans).items()))
            for name, texts in findings.texts.items()
        },
        "subjects": len(set(findings.subjects)),
        "subjects_by": findings.subjects_by,
        "records_with_mentions": len(rows),
        "detectors": detectors(pii),
    }


def detectors(pii: Pii) -> list[str]:
    """Return the names of the detectors in use, with their versions."""
    from importlib.metadata import version

    model = ner_model(pii.language)
    return [
        "column names",
        "cells",
        "names of the record's own columns",
        f"presidio-analyzer {version('presidio-analyzer')}",
        *([f"spacy model {model}"] if model else []),
    ]


def _strings(column: pd.Series) -> list[str | None]:
    return [None if pd.isna(cell) else str(cell) for cell in to_source_strings(column)]


def _learn_columns(
    columns: Sequence[PersonalColumn],
    cells: Mapping[str, Sequence[str | None]],
    subjects: Sequence[str],
    genders: Sequence[str | None],
    names: Subjects,
) -> None:
    """Add the names of all name columns to their scopes; full names come last, because their roles are least certain."""
    order = ("given", "family", "full")
    for column in sorted(
        (column for column in columns if column.kind == "name"), key=lambda column: order.index(column.part)
    ):
        for row, cell in enumerate(cells[column.name]):
            if cell is not None:
                parts = names.parts(cell, column=column.part)
                if column.staff:
                    names.learn(STAFF, parts, from_column=True)
                else:
                    names.learn(subjects[row], parts, gender=genders[row], from_column=True)


def _identifiers(
    columns: Sequence[PersonalColumn], cells: Mapping[str, Sequence[str | None]]
) -> dict[str, str]:
    """Return the kinds of all identifiers, by identifier (case-folded), without those that a text may hold by chance."""
    return {
        cell.casefold(): column.kind
        for column in columns
        if column.kind in ID_KINDS
        for cell in cells[column.name]
        if cell is not None and len(cell) >= SHORTEST_IDENTIFIER and any(map(str.isdigit, cell))
    }


def _text_cells(
    raw: pd.DataFrame,
    name: str,
    columns: Sequence[PersonalColumn],
    cells: Mapping[str, Sequence[str | None]],
    subjects: Sequence[str],
    names: Subjects,
) -> list[TextCell]:
    """Return the texts of a column, each with the personal data in the other columns of its record."""
    value_columns = [column for column in columns if column.kind not in ("name", "date", "age")]
    staff_columns = [column for column in columns if column.kind == "name" and column.staff]
    text_cells = []
    for row, text in enumerate(_strings(raw[name])):
        if text is not None:
            values = {
                value.casefold(): column.kind
                for column in value_columns
                if (value := cells[column.name][row]) is not None
            }
            staff = frozenset(
                part.key
                for column in staff_columns
                if (value := cells[column.name][row]) is not None
                for part in names.parts(value)
                if part.role in ("given", "family")
            )
            text_cells.append(TextCell(row, name, text, subjects[row], staff, values))
    return text_cells


def _warnings(findings: Findings, data: Data, pii: Pii) -> tuple[str, ...]:
    warnings = []
    if pii.action != "report":
        warnings += [
            f"data.pii: the target {column.name!r} looks like a {column.kind.replace('_', ' ')}; it is left as it is"
            for column in findings.columns
            if column.name == data.target and column.kind != "age"
        ]
    if findings.texts and ner_model(pii.language) is None:
        warnings.append(
            f"data.pii: no spaCy model for {pii.language!r} is installed; names in texts are detected by columns, titles and lists only"
        )
    return tuple(warnings)
