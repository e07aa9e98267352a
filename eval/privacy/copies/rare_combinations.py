"""Records with a rare combination of cells: no other real record differs from them in one cell alone.

Where many people have the same few cells, records repeat each other by nature, and a few copies do not show among them. They show
among records without a close relative: hardly any fresh record repeats one of these. What a record is compared with depends on its
cells alone, in the same way for released and for real records.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from paracosm.eval.privacy.copies.exact import row_hashes
from paracosm.records.schema.schema import Field

ODD = np.uint64(0x9E3779B97F4A7C15)
"""Odd multiplier, one power of which tells the columns of a sum of hashes apart."""


class RareCombinations:
    """The real records among which a combination of cells is rare or not."""

    def __init__(self, fields: Sequence[Field], real: pd.DataFrame) -> None:
        self.fields = fields
        parts = self._parts(real)
        whole = parts.sum(axis=1)
        self.whole = np.sort(whole)
        self.without = [np.sort(whole - parts[:, column]) for column in range(parts.shape[1])]

    def rare(self, table: pd.DataFrame) -> np.ndarray:
        """Return which rows of `table` have no other real record that differs in exactly one cell.

        Real records that are equal in every cell do not count, so that a real record is treated like a copy of it.
        """
        parts = self._parts(table)
        whole = parts.sum(axis=1)
        equal, rare = _occurrences(self.whole, whole), np.ones(len(table), dtype=bool)
        for column, reference in enumerate(self.without):
            rare &= _occurrences(reference, whole - parts[:, column]) == equal
        return rare

    def _parts(self, table: pd.DataFrame) -> np.ndarray:
        """Return a number for each cell; their sum (modulo 2^64) is a number for the row (rows x columns, uint64)."""
        parts, factor = [], ODD
        with np.errstate(over="ignore"):
            for field in self.fields:
                parts.append(row_hashes(table, [field]) * factor)
                factor = factor * ODD
        return np.column_stack(parts)


def _occurrences(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return how often each value occurs in an ordered array."""
    return np.searchsorted(ordered, values, "right") - np.searchsorted(ordered, values, "left")
