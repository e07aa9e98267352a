"""What must stay with the data: values of training records, wherever a sentence or a name of the evaluation repeats one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import GateResult
from paracosm.eval.results.metric_entry import MeasuredMetric, UnmeasuredMetric
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
        """Return an evaluation as it may be published: without distributions, map and curves, and redacted.

        Redacted are the sentences, reasons and notes, and the facts and breakdowns whose name repeats a category. Names,
        titles and states are the same for all data.
        """
        return evaluation.model_copy(
            update={
                "metrics": [self._metric(metric) for metric in evaluation.metrics],
                "gates": [self._gate(gate) for gate in evaluation.gates],
                "not_ruling": [self._gate(gate) for gate in evaluation.not_ruling],
                "notes": [self.text(note) for note in evaluation.notes],
                "distributions": None,
                "record_map": None,
            }
        )

    def _gate(self, gate: GateResult) -> GateResult:
        return gate.model_copy(update={"reason": self.text(gate.reason)})

    def _metric(self, metric: MeasuredMetric | UnmeasuredMetric) -> MeasuredMetric | UnmeasuredMetric:
        if isinstance(metric, UnmeasuredMetric):
            return metric.model_copy(update={"reason_not_measured": self.text(metric.reason_not_measured)})
        return metric.model_copy(
            update={
                "reading": self.text(metric.reading),
                "facts": self._numbers(metric.facts),
                "breakdown": self._numbers(metric.breakdown),
                "curves": None,
                "anchors": {
                    name: anchor.model_copy(update={"breakdown": None, "curves": None})
                    for name, anchor in metric.anchors.items()
                },
            }
        )

    def _numbers(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the numbers among `values` whose name does not repeat a category."""
        return {
            name: value
            for name, value in values.items()
            if isinstance(value, int | float) and not self.holds(name)
        }


def _is_telling(value: str) -> bool:
    return len(value) >= SHORTEST and not re.fullmatch(r"[a-z]+", value)
