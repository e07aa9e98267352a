"""Warnings about words that are nearly numbers or dates: a few cells keep such a column from being read as what it is."""

import re
from collections.abc import Callable, Mapping
from itertools import islice

from paracosm.records.formats.datetimes.detection import datetime_formats, reproduces
from paracosm.records.formats.identifier_pattern import shape
from paracosm.records.formats.numbers.detection import is_quantity, number_format
from paracosm.records.inference.round_trip import lost_cell

PADDED = re.compile(r"\D?0\d")
MANY = 20
MOSTLY = 0.5
"""Share of numbers or dates from which on a column of words gets a warning."""
LONGEST_SHAPE = 40


def near_misses(name: str, counts: Mapping[str, int], total: int) -> tuple[str, ...]:
    """Return a warning if some cells keep a column of words from being numbers or dates; it is then not an identifier.

    Args:
        name: the column's name.
        counts: distinct cell -> number of occurrences.
        total: number of cells.
    """
    if (
        not any(PADDED.match(cell) for cell in islice(counts, MANY))
        and _share(counts, total, is_quantity) >= MOSTLY
    ):
        return _nearly_numbers(name, counts)
    formats = next((codes for cell in islice(counts, MANY) if (codes := datetime_formats([cell]))), [])
    for code in formats:
        if _share(counts, total, lambda cell, code=code: reproduces(cell, code)) >= MOSTLY:
            rest = next(cell for cell in counts if not reproduces(cell, code))
            return (
                f"column {name!r}: holds dates like {code} except for {sample_shape(rest)}; if these mean missing,"
                " add them to data.missing",
            )
    return ()


def sample_shape(cell: str) -> str:
    """Return words that show the shape of a cell, not its content."""
    return f"cells such as one of the shape {shape(cell)[:LONGEST_SHAPE]!r}"


def _nearly_numbers(name: str, counts: Mapping[str, int]) -> tuple[str, ...]:
    numbers = [cell for cell in counts if is_quantity(cell)]
    form = number_format(numbers)
    rest = next((cell for cell in counts if not is_quantity(cell)), None)
    if len(counts) < MANY and (form is None or (rest is not None and rest[:1].isalpha())):
        # Classes such as `<=50K` and `>50K`, or 1, 2, 3, K, are meant to be a category.
        return ()
    if form is None:
        return (
            f"column {name!r}: holds numbers in several units or paddings; use one unit and padding to model them as numbers",
        )
    if rest is not None:
        return (
            f"column {name!r}: holds numbers except for {sample_shape(rest)}; if these mean missing, add them"
            " to data.missing",
        )
    lost = lost_cell("number", form, numbers) or numbers[0]
    if len(counts) < MANY:
        return ()
    return (
        f"column {name!r}: holds numbers, but {sample_shape(lost)} would be written in another way; if these mean missing,"
        f" add them to data.missing; data.fields.{name}.type: number reads the column as numbers",
    )


def _share(counts: Mapping[str, int], total: int, holds: Callable[[str], bool]) -> float:
    return sum(count for cell, count in counts.items() if holds(cell)) / total
