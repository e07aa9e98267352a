"""Redaction: removes values of training records from texts and metrics before they are published."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from paracosm.records.schema.schema import Schema

WITHHELD = "[a value of the records]"
SHORTEST = 3
"""Fewest characters of a value that is searched for by itself; shorter ones occur in most sentences by chance."""
KEPT = (
    "name", "title", "group", "goal", "range", "unit", "source", "what", "value", "interval", "ceiling", "floor", "worst",
    "normalised", "zero", "reading", "note", "closer_than_real", "reason_not_measured", "facts", "breakdown", "anchors",
)  # fmt: skip
"""Keys of a metric that are published; their texts are redacted."""
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

    def metrics(self, metrics: dict[str, Any]) -> dict[str, Any]:
        """Return the content of `metrics.json` in the form that may be published."""
        plain = self._plain({key: value for key, value in metrics.items() if key != "metrics"})
        entries = [{key: entry[key] for key in KEPT if key in entry} for entry in metrics["metrics"]]
        return plain | {"metrics": [self._metric(entry) for entry in entries]}

    def _metric(self, entry: dict[str, Any]) -> dict[str, Any]:
        entry = self._plain(entry)
        for key in ("facts", "breakdown"):
            if key in entry:
                entry[key] = self._numbers(entry[key])
        anchors = entry.get("anchors", {})
        return entry | {
            "anchors": {
                name: {key: anchor[key] for key in ("value", "interval") if key in anchor}
                for name, anchor in anchors.items()
            }
        }

    def _numbers(self, entries: dict[str, Any]) -> dict[str, Any]:
        return {
            key: value
            for key, value in entries.items()
            if isinstance(value, int | float) and not self.holds(key)
        }

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._plain(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self._plain(part) for part in value]
        return value


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
