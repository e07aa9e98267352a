"""Records as a matrix of numbers for imputers, and back: numbers standardised, categories one-hot."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from paracosm.generate.statistics.value_grid import Grid, grid_of
from paracosm.records.schema.schema import Field, Record, Value

MOST_CATEGORIES = 30
"""Categories of a field that have a column each; rarer ones are known cells of none of them and are never filled in."""


@dataclass(frozen=True)
class Encoding:
    """The cells of some fields as numbers on their grids, with what the training records say about each.

    Attributes:
        fields: none is a text.
        train: (records, fields) numbers of the training cells, NaN where one is missing.
    """

    fields: tuple[Field, ...]
    train: np.ndarray

    @classmethod
    def of(cls, fields: Sequence[Field], records: Sequence[Record]) -> "Encoding":
        """Return the encoding of training records."""
        return cls(tuple(fields), numbers(fields, records))

    @cached_property
    def grids(self) -> list[Grid]:
        return [grid_of(field) for field in self.fields]

    @cached_property
    def modes(self) -> np.ndarray:
        """(fields,) most frequent number of each field, the smallest of equals; NaN for a field without any value."""
        return np.array([_mode(column) for column in self.train.T])

    def averages(self, average: str) -> np.ndarray:
        """Return `mean` or `median` of ordered fields, and the most frequent number of others: (fields,)."""
        take = {"mean": np.mean, "median": np.median}[average]
        found = self.modes.copy()
        for at, field in enumerate(self.fields):
            known = self.train[:, at][~np.isnan(self.train[:, at])]
            if field.ordered and len(known):
                found[at] = take(known)
        return found

    def value(self, at: int, number: float) -> Value:
        """Return the value of a field that is nearest to a number; None for NaN."""
        grid = self.grids[at]
        return None if np.isnan(number) else grid.value(int(np.clip(round(number), grid.first, grid.last)))

    @cached_property
    def _columns(self) -> list[tuple[int, float]]:
        """Per column of the matrix: its field, and its category; NaN for an ordered field."""
        columns: list[tuple[int, float]] = []
        for at, field in enumerate(self.fields):
            if field.ordered:
                columns.append((at, np.nan))
                continue
            found, counts = np.unique(self.train[:, at][~np.isnan(self.train[:, at])], return_counts=True)
            kept = np.sort(found[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]])
            columns += [(at, float(category)) for category in kept]
        return columns

    @cached_property
    def _scales(self) -> tuple[np.ndarray, np.ndarray]:
        """(fields,) mean and standard deviation of each field."""
        known = ~np.isnan(self.train)
        counts = np.maximum(known.sum(axis=0), 1)
        means = np.where(known, self.train, 0.0).sum(axis=0) / counts
        spreads = np.sqrt(np.where(known, (self.train - means) ** 2, 0.0).sum(axis=0) / counts)
        return means, np.where(spreads > 0, spreads, 1.0)

    def matrix(self, cells: np.ndarray) -> np.ndarray:
        """Return cells as columns of about the same spread: (records, columns), NaN where a cell is missing.

        Args:
            cells: (records, fields).
        """
        means, spreads = self._scales
        parts = []
        for at, category in self._columns:
            column = cells[:, at]
            if np.isnan(category):
                parts.append((column - means[at]) / spreads[at])
            else:
                # Two categories are as far from each other as two values one standard deviation apart.
                parts.append(np.where(np.isnan(column), np.nan, (column == category) / np.sqrt(2)))
        return np.stack(parts, axis=1) if parts else np.zeros((len(cells), 0))

    def cells(self, matrix: np.ndarray) -> np.ndarray:
        """Return the numbers of fields from the columns of a filled matrix; of a category, that of the largest column."""
        means, spreads = self._scales
        cells = np.full((len(matrix), len(self.fields)), np.nan)
        for at, field in enumerate(self.fields):
            own = [number for number, (of, _) in enumerate(self._columns) if of == at]
            if not own:
                continue
            if field.ordered:
                cells[:, at] = matrix[:, own[0]] * spreads[at] + means[at]
            else:
                categories = np.array([self._columns[number][1] for number in own])
                cells[:, at] = categories[matrix[:, own].argmax(axis=1)]
        return cells


def numbers(fields: Sequence[Field], records: Sequence[Record]) -> np.ndarray:
    """Return the cells of records as numbers on the grids of the fields: (records, fields), NaN where one is missing or unknown."""
    grids = [grid_of(field) for field in fields]
    return np.array(
        [
            [
                np.nan if record.get(field.name) is None else float(grid.index(record[field.name]))
                for field, grid in zip(fields, grids, strict=True)
            ]
            for record in records
        ]
    ).reshape(len(records), len(fields))


def _mode(column: np.ndarray) -> float:
    found, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    return float(found[counts.argmax()]) if len(found) else np.nan
