"""A smoothed bootstrap: in every epoch numbers and dates move to values near them in rank.

A column of mostly different numbers can be told apart by its last digits, and a model with many weights learns those
digits long before it has learnt how columns hang together. Moving each value a few ranks keeps the column's
distribution and its relations, and leaves no digits to remember (Silverman & Young 1987, The bootstrap: to smooth
or not to smooth?).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paracosm.records.schema.schema import Field, Record, Schema

FEWEST_VALUES = 20
"""Columns with fewer different values are steps of a scale or codes, and stay as they are."""


def default_ranks(records: int) -> int:
    """Return by how many ranks values move when the recipe does not say: the cube root of the number of records."""
    return round(records ** (1 / 3))


@dataclass(frozen=True)
class Smoothing:
    """Redraws the records of an epoch.

    Attributes:
        records: the training records as they are.
        columns: per field that moves, its present training values in ascending order, repeats included.
        ranks: the farthest move.
        seed: of the moves.
    """

    records: Sequence[Record]
    columns: dict[Field, list]
    ranks: int
    seed: int

    @classmethod
    def of(cls, records: Sequence[Record], schema: Schema, *, ranks: int, seed: int) -> "Smoothing":
        """Find the columns that move."""
        columns = {}
        for field in schema.modelled:
            # Padded with zeros, digits are a code (`00501`), and its neighbours mean nothing.
            if field.type not in ("integer", "number", "datetime") or field.width:
                continue
            present = sorted(record[field.name] for record in records if record[field.name] is not None)  # type: ignore[type-var]  # one type a column
            if len(set(present)) >= FEWEST_VALUES:
                columns[field] = present
        return cls(records, columns, ranks, seed)

    def __call__(self, index: int, epoch: int) -> Record:
        """Return record `index` as it is in `epoch`.

        All its values move by the same number of ranks, so that equal columns stay equal and ordered ones ordered.
        """
        random = np.random.default_rng([self.seed, epoch, index])
        shift, place = random.uniform(-self.ranks, self.ranks), random.random()
        moved = dict(self.records[index])
        for field, column in self.columns.items():
            value = moved[field.name]
            if value is not None:
                first, after = bisect_left(column, value), bisect_right(column, value)
                moved[field.name] = _at(column, first + (after - 1 - first) * place + shift, field)
        return moved


def _at(column: list, rank: float, field: Field) -> int | float:
    """Return the column's value at a rank; between two values that occur once each, a value between them.

    A value that occurs several times may be the only allowed one for a while around (120 mmHg, 500 dollars): beside such
    a value nothing is made up. Nor is it between dates or numbers in scientific notation, whose spelling has steps of
    its own.
    """
    last = len(column) - 1
    # Reflected at both ends: cut off there, extremes would become common.
    rank = abs(rank)
    rank = max(0.0, min(rank, 2 * last - rank))
    below = int(rank)
    above = min(below + 1, last)
    low, high, share = column[below], column[above], rank - below
    if field.type == "datetime" or field.scientific or not (_once(column, below) and _once(column, above)):
        return low if share < 0.5 else high
    between = low + (high - low) * share
    return round(between) if field.type == "integer" else round(between, field.decimals) + 0.0


def _once(column: list, at: int) -> bool:
    return (at == 0 or column[at - 1] != column[at]) and (
        at == len(column) - 1 or column[at + 1] != column[at]
    )
