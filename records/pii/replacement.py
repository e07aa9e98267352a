"""Replacement of personal data in columns and texts, by invented values or by masks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from paracosm.recipes.sections.data import Pii
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.formats.datetimes.codes import read_datetime, write_datetime
from paracosm.records.pii.columns import PersonalColumn
from paracosm.records.pii.date_shifting import DateShifter, shifted_moment
from paracosm.records.pii.kinds import ID_KINDS, KINDS
from paracosm.records.pii.lexicon.name_parts import is_titled, replace_spans
from paracosm.records.pii.mentions.ages import find_ages
from paracosm.records.pii.patterns import Span
from paracosm.records.pii.pseudonyms import Pseudonyms, canonical
from paracosm.records.pii.subjects import STAFF, Subjects
from paracosm.records.pii.text_detection import TextCell, scope_of
from paracosm.records.schema.schema import Field, Schema


@dataclass(frozen=True)
class Findings:
    """The personal data of a table.

    Attributes:
        columns: the personal columns.
        cells: name of a personal column -> number of its cells.
        texts: name of a text column -> its texts, each with its spans.
        subjects: the subject of each record.
        subjects_by: names of the columns that identify the subject.
        names: the words of names, by subject.
    """

    columns: list[PersonalColumn]
    cells: dict[str, int]
    texts: dict[str, list[tuple[TextCell, list[Span]]]]
    subjects: list[str]
    subjects_by: str
    names: Subjects = field(repr=False)


class Replacement:
    """Replaces the personal data of one table."""

    def __init__(self, raw: pd.DataFrame, schema: Schema, pii: Pii, findings: Findings, salt: bytes):
        self._schema, self._pii, self._findings, self._names = schema, pii, findings, findings.names
        self._cells = {column.name: to_source_strings(raw[column.name]) for column in findings.columns}
        self._dates = DateShifter(pii.language, day_first=_day_first(findings, schema))
        self._pseudonyms = Pseudonyms(salt, pii.language, _taken(findings, self._cells))
        self._mail_words: dict[str, dict[str, str]] = {}

    def column(self, column: PersonalColumn) -> pd.Series:
        """Return the cells of a personal column with invented values."""
        cells = self._cells[column.name]
        new = [
            cell if pd.isna(cell) else self._cell(column, row, str(cell)) for row, cell in enumerate(cells)
        ]
        return pd.Series(new, index=cells.index, name=column.name, dtype="string")

    def text(self, cell: TextCell, spans: Sequence[Span]) -> str:
        """Return a text with its spans replaced or masked, and ages above `oldest_age` as `oldest_age` + 1."""
        replacements = [(span.start, span.end, self._span(cell, span)) for span in spans]
        oldest = self._pii.oldest_age
        if oldest is not None:
            for start, end, age in find_ages(cell.text, self._pii.language):
                if age > oldest and all(end <= span.start or start >= span.end for span in spans):
                    replacements.append((start, end, str(oldest + 1)))
        return replace_spans(cell.text, sorted(replacements))

    def _cell(self, column: PersonalColumn, row: int, cell: str) -> str:
        subject = self._findings.subjects[row]
        if column.kind == "name":
            scope = STAFF if column.staff else subject
            return self._names.renamed(
                scope, cell, self._names.parts(cell, column=column.part), self._pseudonyms
            )
        if column.kind == "date":
            return self._date(self._schema[column.name], cell, self._pseudonyms.days(subject))
        if column.kind == "age":
            return self._age(cell)
        return self._value(column.kind, cell, subject)

    def _span(self, cell: TextCell, span: Span) -> str:
        text = cell.text[span.start : span.end]
        if self._pii.action == "drop":
            return KINDS[span.kind].mask
        if span.kind == "name":
            parts = self._names.parts(text, titled=is_titled(cell.text, span.start))
            scope = scope_of(self._names, cell, text)
            self._names.learn(scope, parts)
            return self._names.renamed(
                scope, text, self._names.with_learnt_roles(scope, parts), self._pseudonyms
            )
        if span.kind == "date":
            return _shifted(self._dates, text, self._pseudonyms.days(cell.subject))
        return self._value(span.kind, text, cell.subject)

    def _value(self, kind: str, text: str, subject: str) -> str:
        match kind:
            case "place":
                return self._pseudonyms.place(text)
            case "address":
                return self._pseudonyms.address(text)
            case "postcode":
                return self._pseudonyms.postcode(text)
            case "email":
                if subject not in self._mail_words:
                    self._mail_words[subject] = self._names.words(subject, self._pseudonyms)
                return self._pseudonyms.email(text, self._mail_words[subject])
            case _:
                return self._pseudonyms.identifier(kind, text)

    def _date(self, field: Field, cell: str, days: int) -> str:
        if field.is_moment and field.format:
            return write_datetime(shifted_moment(read_datetime(cell, field.format), days), field.format)
        return _shifted(self._dates, cell, days)

    def _age(self, cell: str) -> str:
        oldest = self._pii.oldest_age
        number = re.search(r"\d+", cell)
        if oldest is None or number is None or int(number.group()) <= oldest:
            return cell
        return f"{cell[: number.start()]}{oldest + 1}{cell[number.end() :]}"


def _shifted(dates: DateShifter, text: str, days: int) -> str:
    return replace_spans(
        text, ((date.start, date.end, dates.shifted(date, days)) for date in dates.find(text))
    )


def _taken(findings: Findings, cells: Mapping[str, pd.Series]) -> dict[str, set[str]]:
    """Return the real identifiers of the table by kind, in canonical form."""
    taken: dict[str, set[str]] = {kind: set() for kind in ID_KINDS}
    for column in findings.columns:
        if column.kind in taken:
            taken[column.kind] |= {
                canonical(column.kind, str(cell)) for cell in cells[column.name].dropna().unique()
            }
    for texts in findings.texts.values():
        for cell, spans in texts:
            for span in spans:
                if span.kind in taken:
                    taken[span.kind].add(canonical(span.kind, cell.text[span.start : span.end]))
    return taken


def _day_first(findings: Findings, schema: Schema) -> bool | None:
    """Return whether the table's date columns have the day before the month, as its texts then do too; None if unknown."""
    formats = [schema[column.name].format for column in findings.columns if column.kind == "date"]
    return next(
        (
            code.replace("%-", "%").find("%d") < code.replace("%-", "%").find("%m")
            for code in formats
            if "%m" in code and not code.startswith("%Y")
        ),
        None,
    )
