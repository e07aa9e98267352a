"""Smoothed bootstrap: in every epoch, numbers and dates are replaced by values of nearby rank in their column.

The last digits of a column of mostly different numbers identify its records, and a model with many weights memorises
them before it has learnt the relations between columns. Moving each value by a few ranks preserves the distribution
of the column and its relations to others, and leaves no digits to memorise (Silverman & Young 1987, The bootstrap: to
smooth or not to smooth?).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paracosm.records.schema.schema import Field, Record, Schema

MIN_VALUES = 20
"""A column with fewer distinct values is an ordinal scale or a code, and is not smoothed."""


def default_ranks(records: int) -> int:
    """Return the default of `finetune.smoothing`: the cube root of the number of records."""
    return round(records ** (1 / 3))


@dataclass(frozen=True)
class Smoothing:
    """Smooths the training records of an epoch.

    Attributes:
        records: the training records.
        columns: per smoothed field, its training values in ascending order, with repetitions and without missing ones.
        ranks: maximum number of ranks by which a value moves.
        seed: of the random moves.
    """

    records: Sequence[Record]
    columns: dict[Field, list]
    ranks: int
    seed: int

    @classmethod
    def of(cls, records: Sequence[Record], schema: Schema, *, ranks: int, seed: int) -> "Smoothing":
        """Choose the columns to smooth: numbers and dates with enough distinct values."""
        columns = {}
        for field in schema.modelled:
            # Digits padded with zeros are a code (`00501`), whose neighbours are unrelated.
            if not field.ordered or field.width:
                continue
            present = sorted(record[field.name] for record in records if record[field.name] is not None)  # type: ignore[type-var]  # one type a column
            if len(set(present)) >= MIN_VALUES:
                columns[field] = present
        return cls(records, columns, ranks, seed)

    def __call__(self, index: int, epoch: int) -> Record:
        """Return record `index` as it is in `epoch`.

        All values of a record move by the same number of ranks, so that equal columns stay equal and ordered ones ordered.
        """
        rng = np.random.default_rng([self.seed, epoch, index])
        shift, within_ties = rng.uniform(-self.ranks, self.ranks), rng.random()
        moved = dict(self.records[index])
        for field, column in self.columns.items():
            value = moved[field.name]
            if value is not None:
                first, after = bisect_left(column, value), bisect_right(column, value)
                moved[field.name] = _at(column, first + (after - 1 - first) * within_ties + shift, field)
        return moved


def _at(column: list, rank: float, field: Field) -> int | float:
    """Return the column's value at a fractional rank: interpolated between two values that occur once each, else the nearer one.

    A value that occurs several times may be the only plausible one nearby (120 mmHg, 500 dollars), so no new value is made
    next to it. Dates and numbers in scientific notation are not interpolated, because their format has coarser steps.
    """
    last = len(column) - 1
    # Reflected at both ends; clipping there would make extreme values frequent.
    rank = abs(rank)
    rank = max(0.0, min(rank, 2 * last - rank))
    below = int(rank)
    above = min(below + 1, last)
    low, high, fraction = column[below], column[above], rank - below
    between = None
    if _occurs_once(column, below) and _occurs_once(column, above):
        between = field.kind.between(field, low, high, fraction)
    return between if between is not None else low if fraction < 0.5 else high


def _occurs_once(column: list, at: int) -> bool:
    return (at == 0 or column[at - 1] != column[at]) and (
        at == len(column) - 1 or column[at + 1] != column[at]
    )
