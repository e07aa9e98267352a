"""Evidence for a relation: how unlikely it is that it holds in all records by chance.

Under the assumption that one column is independent of the others, which a random permutation of it imitates, a relation
would hold in a share q of the records. That it holds in all n of them by chance has the probability q ** n. A relation is
kept where this is below e ** -20 (2e-9) for each of its columns: thousands of candidates then give none by chance.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from paracosm.records.relations.columns import SAMPLE, NumberColumn

ENOUGH = 20.0
"""Least evidence of a relation, in nats."""
FEWEST_VALUES = 3
"""Fewest distinct values of every column of a sum or product."""
FEWEST_RECORDS = 12
"""Fewest records in which a relation can be seen."""
MOST_PERMUTED = 20_000
"""Records that are permuted; a share is as exact with these as with all."""

Columns = tuple[NDArray[np.float64], ...]


def has_evidence(columns: Columns, holds: Callable[[Columns], NDArray[np.bool_]]) -> bool:
    """Return whether a relation that holds in all records is more than chance, for each of its columns.

    Args:
        columns: numbers of the same records, none of them missing.
        holds: tells for columns in which records the relation holds.
    """
    count = len(columns[0])
    if count < FEWEST_RECORDS:
        return False
    shown = tuple(column[:MOST_PERMUTED] for column in columns)
    random = np.random.default_rng(0)
    for index, column in enumerate(shown):
        permuted = [*shown]
        permuted[index] = random.permutation(column)
        by_chance = (int(holds(tuple(permuted)).sum()) + 0.5) / (len(column) + 1)
        if -count * math.log(by_chance) < ENOUGH:
            return False
    return True


def holds_throughout(
    columns: Sequence[NumberColumn], differs: Callable[[Columns], NDArray[np.bool_]]
) -> bool:
    """Return whether a relation of several columns holds in all records without missing cells, by more than chance.

    Args:
        columns: the columns, in the order in which `differs` takes them.
        differs: tells for columns in which records the relation does not hold; a missing cell, NaN, does not differ.
    """
    parts = tuple(column.values for column in columns)
    with np.errstate(invalid="ignore"):
        for rows in (8 * SAMPLE, len(parts[0])):
            if differs(tuple(part[:rows] for part in parts)).any():
                return False
    table = np.stack(parts)
    table = table[:, ~np.isnan(table).any(axis=0)]
    if table.shape[1] < FEWEST_RECORDS or min(len(np.unique(row)) for row in table) < FEWEST_VALUES:
        return False
    return has_evidence(tuple(table), lambda numbers: ~differs(numbers))
