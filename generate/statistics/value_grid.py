"""The grid of a field: its values numbered without gaps, in their order, in the precision of the field."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paracosm.records.schema.schema import Field, Value


@dataclass(frozen=True)
class Grid:
    """The numbered values of a field with a closed domain.

    Attributes:
        first: number of the smallest value, or of the first of a list.
        last: number of the largest value, or of the last of a list.
        index: returns the number of a value.
        value: returns the value of a number.
    """

    first: int
    last: int
    index: Callable[[Any], int]
    value: Callable[[int], Value]

    def __len__(self) -> int:
        return self.last - self.first + 1


def grid_of(field: Field) -> Grid:
    """Return the grid of a field that is not a text."""
    if not field.ordered:
        return _listed(field.kind.values(field, sys.maxsize) or [])
    index, value = field.kind.numbering(field)
    first = index(field.kind.round_inward(field, field.minimum, up=True))
    last = index(field.kind.round_inward(field, field.maximum, up=False))
    return Grid(first, last, index, value)


def _listed(values: list[Any]) -> Grid:
    numbers = {value: number for number, value in enumerate(values)}
    return Grid(0, len(values) - 1, numbers.__getitem__, values.__getitem__)
