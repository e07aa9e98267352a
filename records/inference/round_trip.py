"""The round-trip law: a column has a type only if every one of its cells is written again as it was read."""

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

from paracosm.recipes.sections.data import FieldType
from paracosm.records.formats.numbers.written import INT64
from paracosm.records.schema.schema import Field

LARGEST = 1e15
"""Below it, a number with a few decimals is the nearest one to its text."""
SAMPLE = 200
"""Cells that are tried before all others, because most formats that do not fit fail there."""


def lost_cell(kind: FieldType, attributes: dict[str, Any], cells: Collection[str]) -> str | None:
    """Return a cell that a format does not give back, or None if it gives back all of them.

    Args:
        kind: type of the column.
        attributes: `Field` attributes of its format.
        cells: the distinct cells.
    """
    field = Field(name="", type=kind, **attributes)
    if kind == "integer" and not any(attributes.values()) and _are_plain_integers(cells):
        return None
    if kind == "number" and set(attributes) >= {"decimals"} and _are_plain_decimals(attributes, cells):
        return None
    for cell in [*islice(cells, SAMPLE), *islice(cells, SAMPLE, None)]:
        try:
            value = field.read(cell)
            written = field.write(value)
        except (ValueError, KeyError, OverflowError):
            return cell
        if written != cell:
            return cell
    return None


def _are_plain_integers(cells: Collection[str]) -> bool:
    """Return whether all cells are integers of 64 bits as Python writes them: the common case, decided at once."""
    try:
        return all(str(whole := int(cell)) == cell and -INT64 <= whole < INT64 for cell in cells)
    except ValueError:
        return False


def _are_plain_decimals(attributes: dict[str, Any], cells: Collection[str]) -> bool:
    """Return whether all cells are decimal numbers as Python writes them with as many digits: decided at once, too."""
    decimals = attributes["decimals"]
    if any(value for name, value in attributes.items() if name != "decimals"):
        return False
    form = f".{decimals}f"
    try:
        return all(
            format(value := float(cell), form) == cell and -LARGEST < value < LARGEST for cell in cells
        )
    except ValueError:
        return False


def first_lossless(
    kind: FieldType, candidates: Iterable[dict[str, Any]], cells: Collection[str]
) -> dict[str, Any] | None:
    """Return the first of several formats that gives back every cell, or None."""
    return next((form for form in candidates if lost_cell(kind, form, cells) is None), None)


def has_negative_zero(attributes: dict[str, Any], cells: Collection[str]) -> bool:
    """Return whether a column of numbers holds a zero with a minus, which synthetic records have without it."""
    field = Field(name="", type="number", **attributes)
    minus_zero, zero = field.write(-0.0), field.write(0.0)
    return minus_zero != zero and any(cell == minus_zero for cell in cells)
