"""Exact copies, and how often rows are equal by nature: the share of training records that equal another training record.

A split keeps copies of one record together, and texts that nearly repeat. Control then repeats train less often than fresh records
do. So the reference of all rates of copies is taken from within train, each record against all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from paracosm.records.schema.schema import Field


@dataclass(frozen=True)
class Rate:
    """A rate by nature.

    Attributes:
        events: number of reference records with a copy.
        records: number of reference records.
        trials: number of independent ones, from which the width of an interval follows; below `records`, because a copy makes
            two records.
    """

    events: int
    records: int
    trials: float

    @property
    def share(self) -> float:
        """The rate itself."""
        return self.events / self.records


def exact_flags(table: pd.DataFrame, train: pd.DataFrame, fields: Sequence[Field]) -> np.ndarray:
    """Return for each row of `table` whether a training record has the same value in every field."""
    return np.isin(row_hashes(table, fields), row_hashes(train, fields))


def row_hashes(table: pd.DataFrame, fields: Sequence[Field]) -> np.ndarray:
    """Return a number for each row that equal rows share; shape (rows,), uint64."""
    from paracosm.eval.representations.features import plain_frame

    return pd.util.hash_pandas_object(plain_frame(table, fields), index=False).to_numpy()


def distinct_units(train: pd.DataFrame, fields: Sequence[Field]) -> tuple[np.ndarray, np.ndarray, Rate]:
    """Return the training records without copies of one record, and how often the others are equal by chance.

    Copies of one record are more than the columns lead to expect; two people with the same few cells are not copies
    (`records.splitting.equal_rows`). Equal texts are boilerplate, which fresh records repeat too; so with texts only a table that
    is repeated as a whole (an export that was appended twice) counts once.

    Returns:
        The first row number of each unit, ascending; how many units are equal to it, itself included; and the share of units that
        equal another one (`share_of_repeats`).
    """
    from paracosm.records.splitting.equal_rows import equal_rows

    groups = equal_rows(train, fields)
    if any(field.is_text for field in fields):
        groups = replace(groups, copies=np.zeros_like(groups.copies))
    rows = np.sort(np.unique(np.column_stack([groups.group, groups.units()]), axis=0, return_index=True)[1])
    sizes = np.bincount(groups.group[rows])[groups.group[rows]]
    return rows, sizes, share_of_repeats(sizes)


def share_of_repeats(sizes: np.ndarray) -> Rate:
    """Return the share of units that equal another one, with the number of trials that its variance implies.

    Esty 1983, for Good and Turing's estimate of the share of classes seen before.

    Args:
        sizes: for each unit, how many are equal to it, itself included; not empty.
    """
    count, once, pairs_of_rows = len(sizes), int((sizes == 1).sum()), int((sizes == 2).sum())
    independent = once * (1 - once / count)
    spread = independent + pairs_of_rows
    # Without a single equal pair the formula is 0 / 0; its limit for few pairs is one half.
    trials = count * (independent / spread if spread > 0 else 0.5)
    return Rate(count - once, count, max(1.0, trials))


def rate_of(flags: np.ndarray, independent: float) -> Rate:
    """Return the rate of flagged reference records.

    Args:
        flags: of the reference records.
        independent: share of them that are independent; one half where two records make one event.
    """
    return Rate(int(flags.sum()), len(flags), max(1.0, independent * len(flags)))
