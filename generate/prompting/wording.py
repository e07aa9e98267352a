"""The words of prompts: what the records are, what their columns hold, example rows, and what is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from paracosm.generate.prompting.natural_writing import absent_word, is_json_number, shown
from paracosm.records.schema.schema import Field, Record, Schema, Value

Form = Literal["lines", "json"]
MOST_NAMED = 40
"""Values of a closed list that a prompt names."""
LONGEST_TEXT = 600
"""Characters of a text that an example row shows."""
SYSTEM = "You write realistic records of a table. You answer with the record alone, without a comment."
WRITTEN = {
    "lines": "Write one line for each column, as `column: value`.",
    "json": "Answer with one JSON object that has each of these columns as a key.",
}


@dataclass(frozen=True)
class Wording:
    """What prompts tell of a table.

    Attributes:
        schema: its columns.
        description: what the records are, from the recipe.
        instruction: the recipe's own words.
        summaries: per column, from the training records; empty for none.
        examples: sets of rows; empty for none.
    """

    schema: Schema
    description: str = ""
    instruction: str | None = None
    summaries: Mapping[str, str] = field(default_factory=dict)
    examples: Sequence[Sequence[Record]] = ()

    def record_prompt(self, number: int, form: Form, known: Mapping[str, Value]) -> str:
        """Return the prompt for a whole record.

        Args:
            number: of the record, which decides on its set of examples.
            form: of the answer.
            known: values that the record must have.
        """
        parts = [self.about(), self.columns([each.name for each in self.schema.modelled])]
        if self.examples:
            rows = self.examples[number % len(self.examples)]
            parts.append(
                "Some records:\n\n" + "\n\n".join(as_lines(self.schema, row, LONGEST_TEXT) for row in rows)
            )
        parts.append("Write one new record. " + WRITTEN[form] + self.given(known))
        return "\n\n".join(part for part in parts if part)

    def about(self) -> str:
        """Return what the records are."""
        return "\n".join(part for part in (self.instruction, self.description) if part)

    def columns(self, names: Sequence[str]) -> str:
        """Return a list of some columns, with what they hold."""
        lines = []
        for name in names:
            summary = self.summaries.get(name)
            lines.append(f"- {name}: {domain(self.schema[name])}" + (f" ({summary})" if summary else ""))
        return "Columns:\n" + "\n".join(lines)

    def given(self, known: Mapping[str, Value]) -> str:
        """Return the sentence about values that a record must have."""
        if not known:
            return ""
        lines = [f"{name}: {shown(self.schema[name], value)}" for name, value in known.items()]
        return " The record has these values:\n" + "\n".join(lines)


def as_lines(schema: Schema, record: Mapping[str, Value], longest: int | None = None) -> str:
    """Return a record, or a part of one, as one line for each column; longer values end in `...`."""
    names = [each.name for each in schema if each.name in record]
    cells = {name: shown(schema[name], record[name]) for name in names}
    if longest is not None:
        cells = {
            name: cell if len(cell) <= longest else f"{cell[:longest].rstrip()} ..."
            for name, cell in cells.items()
        }
    return "\n".join(f"{name}: {cell}" for name, cell in cells.items())


def domain(field: Field) -> str:
    """Return what a column holds, in words."""
    return _present(field) + (f", or {absent_word(field)}" if field.nullable else "")


def _present(field: Field) -> str:
    if field.is_text:
        return f"text of at most {field.max_length:,} characters, on one line"
    if field.kind.expressed_as == "truth":
        return f"{field.true} or {field.false}"
    if field.discrete:
        named = [shown(field, value) for value in field.categories[:MOST_NAMED]]
        more = len(field.categories) - len(named)
        return "one of " + ", ".join(named) + (f" (and {more} more)" if more > 0 else "")
    kind = "whole number" if field.is_whole else field.type
    if is_json_number(field) and not field.is_whole and not field.scientific:
        kind = f"number with {field.decimals} decimal{'s' * (field.decimals != 1)}"
    return f"{kind} from {shown(field, field.minimum)} to {shown(field, field.maximum)}"
