"""Redaction: removes values of training records from texts and metrics before they are published."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import GateResult
from paracosm.eval.results.metric_entry import MeasuredMetric, UnmeasuredMetric
from paracosm.records.schema.schema import Schema

WITHHELD = "[a value of the records]"
SHORTEST = 3
"""Fewest characters of a value that is searched for by itself; shorter ones occur in most sentences by chance."""
SEPARATORS = re.compile(r"\s*(?:[=:|,×/]| x | & )\s*")
"""What stands between field names and values in the names of breakdowns."""
WORD = re.compile(r"\w+")
Replacement = tuple[str, str]


@dataclass(frozen=True)
class Redactor:
    """Finds the categories of a schema in texts, and replaces them by `WITHHELD`.

    A value in lower-case letters alone (`yes`, `normal`) is also an ordinary word, so a sentence may use it. By itself, a
    value is therefore only replaced if it looks like data: if it has a capital letter, a digit, a space or a sign. Behind
    the name of its field (`diagnosis: hiv`), every value is replaced.

    Attributes:
        values: all categories, without those that are also the name of a field.
        names: names of all fields.
        cells: `FIELD: VALUE` and its replacement, for every category.
    """

    values: frozenset[str]
    names: frozenset[str]
    cells: tuple[Replacement, ...]

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """Return the redactor for the categories of `schema`."""
        names = frozenset(schema.names)
        categories = [(field.name, value) for field in schema for value in field.categories]
        cells = tuple((f"{name}: {value}", f"{name}: {WITHHELD}") for name, value in categories)
        return cls(frozenset(value for _, value in categories) - names, names, cells)

    @cached_property
    def _searches(self) -> "tuple[PhraseIndex, PhraseIndex]":
        alone = [(value, WITHHELD) for value in self.values if _looks_like_data(value)]
        return PhraseIndex(self.cells), PhraseIndex(alone)

    def text(self, text: str) -> str:
        """Return `text` with the values of training records replaced."""
        for index in self._searches:
            text = index.replace_in(text)
        return text

    def holds(self, text: str) -> bool:
        """Return whether `text` contains a category as one of its parts, ordinary words included."""
        parts = {text, *SEPARATORS.split(text)} - self.names
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
                "summary": self.text(evaluation.summary),
                "verdicts": [
                    each.model_copy(
                        update={
                            "sentence": self.text(each.sentence),
                            "found": [self.text(line) for line in each.found],
                            "advice": [self.text(line) for line in each.advice],
                        }
                    )
                    for each in evaluation.verdicts
                ],
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


class PhraseIndex:
    """Replaces many phrases in texts without searching each text for each phrase.

    A phrase counts only where no word character adjoins it, so every word of the phrase must be a whole word of the text.
    Each phrase is filed under its rarest word; a text is searched for the phrases under its own words alone.
    """

    def __init__(self, replacements: Iterable[Replacement]) -> None:
        """Index (phrase, replacement) pairs."""
        pairs = sorted(dict(replacements).items())
        words = {phrase: WORD.findall(phrase) for phrase, _ in pairs}
        frequency = Counter(word for parts in words.values() for word in set(parts))
        self._by_word: dict[str, list[Replacement]] = {}
        self._without_word: list[Replacement] = []
        for phrase, replacement in pairs:
            rarest = min(words[phrase], key=lambda word: frequency[word], default=None)
            filed = self._without_word if rarest is None else self._by_word.setdefault(rarest, [])
            filed.append((phrase, replacement))

    def replace_in(self, text: str) -> str:
        """Return `text` with every phrase replaced, longer phrases first."""
        for phrase, replacement in self.candidates(text):
            pattern = rf"(?<!\w){re.escape(phrase)}(?!\w)"
            text = re.sub(pattern, replacement.replace("\\", r"\\"), text)
        return text

    def candidates(self, text: str) -> list[Replacement]:
        """Return the phrases that `text` contains, at any position, with their replacements; longer phrases first."""
        filed = list(self._without_word)
        for word in set(WORD.findall(text)):
            filed += self._by_word.get(word, ())
        contained = [pair for pair in filed if pair[0] in text]
        return sorted(contained, key=lambda pair: (-len(pair[0]), pair[0]))


def _looks_like_data(value: str) -> bool:
    return len(value) >= SHORTEST and not re.fullmatch(r"[a-z]+", value)
