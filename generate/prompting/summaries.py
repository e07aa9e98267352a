"""Summaries of columns for prompts: shares of values and quartiles, without what few people have."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from paracosm.generate.prompting.natural_writing import shown
from paracosm.records.schema.schema import Field, Record, Schema, Value

MOST_VALUES = 12
"""Values of a closed list whose shares a prompt tells."""
QUARTILES = (0.25, 0.5, 0.75)
FEWEST = 4
"""Fewest people for quartiles, in multiples of the fewest people for a value."""


def summaries(schema: Schema, records: Sequence[Record], people: np.ndarray, fewest: int) -> dict[str, str]:
    """Return a summary of each column in words; a column of which nothing may be told has none.

    A share is told of a value that at least `fewest` people have. Quartiles are those of all people together, each moved to a value
    that at least `fewest` people share or exceed on both sides.

    Args:
        schema: of the records.
        records: the training records.
        people: (records,) number of the person whom each record is about.
        fewest: people that a value needs.
    """
    found = {}
    for field in schema.modelled:
        column = [record[field.name] for record in records]
        words = _words(field, column, people, fewest)
        if words:
            found[field.name] = "; ".join(words)
    return found


def _words(field: Field, column: Sequence[Value], people: np.ndarray, fewest: int) -> list[str]:
    present = [
        (value, person) for value, person in zip(column, people.tolist(), strict=True) if value is not None
    ]
    absent = {person for value, person in zip(column, people.tolist(), strict=True) if value is None}
    words = []
    if field.is_text:
        lengths = [len(str(value).split()) for value, _ in present]
        if len({person for _, person in present}) >= FEWEST * fewest:
            words.append(f"typically {_rounded(int(np.median(lengths)))} words")
    elif field.discrete:
        words += _shares(field, present, len(column), fewest)
    elif field.ordered and len({person for _, person in present}) >= FEWEST * fewest:
        number_of, value_of = field.kind.numbering(field)
        numbers = np.sort([number_of(value) for value, _ in present])
        low, middle, high = (
            value_of(int(number)) for number in np.quantile(numbers, QUARTILES, method="inverted_cdf")
        )
        words.append(
            f"half of them between {shown(field, low)} and {shown(field, high)}, median {shown(field, middle)}"
        )
    if len(absent) >= fewest:
        words.append(f"missing in {len([1 for value in column if value is None]) / len(column):.0%}")
    return words


def _shares(field: Field, present: Sequence[tuple[Value, Any]], rows: int, fewest: int) -> list[str]:
    persons: dict[Value, set[Any]] = {}
    counts: dict[Value, int] = {}
    for value, person in present:
        persons.setdefault(value, set()).add(person)
        counts[value] = counts.get(value, 0) + 1
    common = sorted(
        (value for value in counts if len(persons[value]) >= fewest),
        key=lambda value: (-counts[value], str(value)),
    )
    listed = [f"{shown(field, value)} {counts[value] / rows:.0%}" for value in common[:MOST_VALUES]]
    return [", ".join(listed)] if listed else []


def _rounded(count: int) -> int:
    """Return a count of words with one significant digit beyond ten, which tells nothing about a single text."""
    unit = 10 ** max(len(str(count)) - 1, 0)
    return max(1, round(count / unit) * unit) if count > 10 else max(1, count)
