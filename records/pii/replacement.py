"""What stands in the place of what was found: invented values in columns and texts, or masks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from paracosm.recipes.sections.data import Pii
from paracosm.records.pii.columns import PersonalColumn
from paracosm.records.pii.date_shifting import DateWriting, shifted_moment
from paracosm.records.pii.kinds import ID_KINDS, KINDS
from paracosm.records.pii.lexicon.name_parts import is_titled, replaced
from paracosm.records.pii.patterns import Span
from paracosm.records.pii.pseudonyms import Pseudonyms, canonical
from paracosm.records.pii.subjects import STAFF, Subjects
from paracosm.records.pii.text_detection import Cell, scope_of
from paracosm.records.schema.cells import as_found
from paracosm.records.schema.datetime_format import read_datetime
from paracosm.records.schema.schema import Field, Schema

AGE = re.compile(r"\b(?P<age>1[0-3]\d|\d\d)(?=[ -]?(?:years?|yrs?|y/?o)\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Findings:
    """What names a person in a table.

    Attributes:
        columns: which columns do.
        cells: column -> how many cells it has.
        texts: column -> the texts and the spans in them.
        subjects: per record, whom it is about.
        told_by: what told whom.
        people: the names, by subject.
    """

    columns: list[PersonalColumn]
    cells: dict[str, int]
    texts: dict[str, list[tuple[Cell, list[Span]]]]
    subjects: list[str]
    told_by: str
    people: Subjects = field(repr=False)


class Replacement:
    """Invented values, or masks, for what was found."""

    def __init__(self, raw: pd.DataFrame, schema: Schema, pii: Pii, found: Findings, salt: bytes):
        self._schema, self._pii, self._found, self._people = schema, pii, found, found.people
        self._cells = {each.name: as_found(raw[each.name]) for each in found.columns}
        self._writing = DateWriting(pii.language, day_first=_day_first(found, schema))
        self._pseudonyms = Pseudonyms(salt, pii.language, _taken(found, self._cells))
        self._own: dict[str, dict[str, str]] = {}

    def column(self, column: PersonalColumn) -> pd.Series:
        """Return the cells of a column, replaced."""
        cells = self._cells[column.name]
        new = [
            cell if pd.isna(cell) else self._cell(column, row, str(cell)) for row, cell in enumerate(cells)
        ]
        return pd.Series(new, index=cells.index, name=column.name, dtype="string")

    def text(self, cell: Cell, spans: Sequence[Span]) -> str:
        """Return a text with its spans replaced or masked, and ages above the oldest written as the oldest."""
        pieces = [(span.start, span.end, self._span(cell, span)) for span in spans]
        oldest = self._pii.oldest_age
        if oldest is not None:
            for match in AGE.finditer(cell.text):
                free = all(match.end() <= span.start or match.start() >= span.end for span in spans)
                if free and int(match["age"]) > oldest:
                    pieces.append((match.start(), match.end(), str(oldest + 1)))
        return replaced(cell.text, iter(sorted(pieces)))

    def _cell(self, column: PersonalColumn, row: int, cell: str) -> str:
        subject = self._found.subjects[row]
        if column.kind == "name":
            scope = STAFF if column.staff else subject
            return self._people.renamed(
                scope, cell, self._people.parts(cell, column=column.part), self._pseudonyms
            )
        if column.kind == "date":
            return self._date(self._schema[column.name], cell, self._pseudonyms.days(subject))
        if column.kind == "age":
            return self._age(cell)
        return self._value(column.kind, cell, subject)

    def _span(self, cell: Cell, span: Span) -> str:
        text = cell.text[span.start : span.end]
        if self._pii.action == "drop":
            return KINDS[span.kind].mask
        if span.kind == "name":
            parts = self._people.parts(text, titled=is_titled(cell.text, span.start))
            scope = scope_of(self._people, cell, text)
            self._people.learn(scope, parts)
            return self._people.renamed(scope, text, self._people.as_known(scope, parts), self._pseudonyms)
        if span.kind == "date":
            days = self._pseudonyms.days(cell.subject)
            return _shifted(self._writing, text, days)
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
                if subject not in self._own:
                    self._own[subject] = self._people.words(subject, self._pseudonyms)
                return self._pseudonyms.email(text, self._own[subject])
            case _:
                return self._pseudonyms.identifier(kind, text)

    def _date(self, column: Field, cell: str, days: int) -> str:
        if column.type == "datetime" and column.format:
            return shifted_moment(read_datetime(cell, column.format), days).strftime(column.format)
        return _shifted(self._writing, cell, days)

    def _age(self, cell: str) -> str:
        oldest = self._pii.oldest_age
        number = re.search(r"\d+", cell)
        if oldest is None or number is None or int(number.group()) <= oldest:
            return cell
        return f"{cell[: number.start()]}{oldest + 1}{cell[number.end() :]}"


def _shifted(writing: DateWriting, text: str, days: int) -> str:
    return replaced(
        text, ((date.start, date.end, writing.shifted(date, days)) for date in writing.find(text))
    )


def _taken(found: Findings, cells: Mapping[str, pd.Series]) -> dict[str, set[str]]:
    taken: dict[str, set[str]] = {kind: set() for kind in ID_KINDS}
    for each in found.columns:
        if each.kind in taken:
            taken[each.kind] |= {
                canonical(each.kind, str(cell)) for cell in cells[each.name].dropna().unique()
            }
    for texts in found.texts.values():
        for cell, spans in texts:
            for span in spans:
                if span.kind in taken:
                    taken[span.kind].add(canonical(span.kind, cell.text[span.start : span.end]))
    return taken


def _day_first(found: Findings, schema: Schema) -> bool | None:
    """Return whether the table's own dates have the day before the month, which tells how its texts do."""
    formats = [schema[each.name].format for each in found.columns if each.kind == "date"]
    told = [
        form.replace("%-", "%").find("%d") < form.replace("%-", "%").find("%m")
        for form in formats
        if "%m" in form and not form.startswith("%Y")
    ]
    return told[0] if told else None
