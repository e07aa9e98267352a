"""What must stay with the data: values of training records, wherever a sentence or a name of the evaluation repeats one."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.records.schema.schema import Schema

WITHHELD = "[a value of the records]"
SHORTEST = 3


@dataclass(frozen=True)
class Redactor:
    """Knows the values of a schema's categories, and takes them out.

    A value that is an ordinary word in lower case (`yes`, `normal`) says nothing of anybody when a sentence uses it, so only
    values that look like data are looked for: with a capital, a digit, a space or a sign in them. Behind the name of its
    field (`diagnosis: hiv`) any value is one.
    """

    values: frozenset[str]
    names: frozenset[str]
    cells: Mapping[str, str]
    """Every category behind the name of its field -> what is written instead."""

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """Return what must not leave under `schema`."""
        names = frozenset(schema.names)
        found = {value for field in schema for value in field.categories}
        cells = {
            f"{field.name}: {value}": f"{field.name}: {WITHHELD}"
            for field in schema
            for value in field.categories
        }
        return cls(frozenset(found - names), names, cells)

    def text(self, text: str) -> str:
        """Return `text` without values of training records."""
        for cell in sorted(self.cells, key=len, reverse=True):
            if cell in text:
                instead = self.cells[cell].replace("\\", r"\\")
                text = re.sub(rf"(?<!\w){re.escape(cell)}(?!\w)", instead, text)
        for value in sorted(self.values, key=len, reverse=True):
            if _is_telling(value):
                text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", WITHHELD, text)
        return text

    def holds(self, text: str) -> bool:
        """Return whether `text` repeats any value of a category as a word of its own, telling or not."""
        parts = {text, *re.split(r"\s*(?:[=:|,×/]| x | & )\s*", text)} - self.names
        return bool(parts & self.values) or self.text(text) != text

    def evaluation(self, evaluation: EvaluationFile) -> EvaluationFile:
        """Return an evaluation as it may be published: without distributions, map and curves, and redacted."""
        plain = evaluation.model_copy(update={"distributions": None, "record_map": None}).plain()
        plain["metrics"] = [_unbroken(entry) for entry in plain["metrics"]]
        redacted = self._plain(plain)
        for entry in redacted["metrics"]:
            for key in ("facts", "breakdown"):
                if key in entry:
                    entry[key] = self._numbers(entry[key])
        return EvaluationFile.model_validate_json(json.dumps(redacted))

    def _numbers(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the numbers among `values` whose key does not repeat a category."""
        return {
            key: value
            for key, value in values.items()
            if isinstance(value, int | float) and not self.holds(key)
        }

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._plain(each) for each in value]
        return value


def _unbroken(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a metric without curves, and its anchors without breakdowns and curves."""
    kept = {key: value for key, value in entry.items() if key != "curves"}
    if "anchors" in kept:
        kept["anchors"] = {
            name: {key: anchor[key] for key in ("value", "interval")}
            for name, anchor in kept["anchors"].items()
        }
    return kept


def _is_telling(value: str) -> bool:
    return len(value) >= SHORTEST and not re.fullmatch(r"[a-z]+", value)
