"""Warnings about words that are nearly numbers or dates: a few cells keep such a column from being read as what it is."""

import re
from collections.abc import Callable, Mapping
from itertools import islice

from paracosm.records.formats.coordinate_pairs import are_pairs
from paracosm.records.formats.datetimes.detection import datetime_formats, reproduces
from paracosm.records.formats.identifier_pattern import shape
from paracosm.records.formats.numbers.detection import is_quantity, number_format
from paracosm.records.inference.round_trip import lost_cell

PADDED = re.compile(r"\D?0\d")
MANY = 20
MOSTLY = 0.5
"""Share of numbers or dates from which on a column of words gets a warning."""
NEARLY_ALL = 0.9
"""Share of the different cells from which on a column gets a warning, however often the others repeat."""
LONGEST_SHAPE = 40
DIGITS = re.compile(r"\d+")
PLAIN = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


def near_misses(name: str, counts: Mapping[str, int], total: int) -> tuple[str, ...]:
    """Return a warning if some cells keep a column of words from being numbers or dates; it is then not an identifier.

    Args:
        name: the column's name.
        counts: distinct cell -> number of occurrences.
        total: number of cells.
    """
    if are_pairs(counts):
        return (
            f"column {name!r}: holds pairs of numbers such as coordinates; modelled as text; as two columns they would be numbers",
        )
    if not any(PADDED.match(cell) for cell in islice(counts, MANY)) and _are_mostly(
        counts, total, is_quantity
    ):
        return _nearly_numbers(name, counts)
    formats = next((codes for cell in islice(counts, MANY) if (codes := datetime_formats([cell]))), [])
    for code in formats:
        if _are_mostly(counts, total, lambda cell, code=code: reproduces(cell, code)):
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
    odd = _odd_number(counts)
    if len(counts) < MANY or odd is None:
        return ()
    return (
        f"column {name!r}: holds numbers, but {sample_shape(odd)} would be written in another way; if these mean missing,"
        f" add them to data.missing; data.fields.{name}.type: number reads the column as numbers",
    )


def _odd_number(counts: Mapping[str, int]) -> str | None:
    """Return a cell that most others, which form a column of numbers alone, are not written like; None if there is no such column."""
    by_form: dict[str, list[str]] = {}
    for cell in counts:
        by_form.setdefault(DIGITS.sub("9", cell.lstrip("-")), []).append(cell)
    usual, *others = sorted(by_form.values(), key=lambda cells: -sum(counts[cell] for cell in cells))
    form = number_format(usual)
    if form is None:
        return None
    lost = lost_cell("number", form, usual)
    if lost is None:
        return others[0][0] if others else None
    # Version numbers (1.1, 1.10) look like numbers; what has several points or quotes does not.
    return lost if all(map(PLAIN.fullmatch, usual)) else None


def _are_mostly(counts: Mapping[str, int], total: int, holds: Callable[[str], bool]) -> bool:
    """Return whether most cells, or nearly all that differ, are what `holds` tells: a mark for missing cells can be frequent."""
    held = sum(map(holds, counts))
    return _share(counts, total, holds) >= MOSTLY or (held >= MANY and held >= NEARLY_ALL * len(counts))


def _share(counts: Mapping[str, int], total: int, holds: Callable[[str], bool]) -> float:
    return sum(count for cell, count in counts.items() if holds(cell)) / total
