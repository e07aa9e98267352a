"""Nearest-neighbour distance ratio (NNDR): does a record lie beside one real record, far from every other one?

For each record, the distance to the nearest real record is divided by that to the second nearest. A record made from one person
lies much nearer to that person than to anybody else, however dense the table is, so that no radius has to be chosen. Records of
train that have a natural twin among the real records do not count: their second nearest is as near as the nearest.

Columns and texts are separate views, since a copied text beside other columns is a copy too. Columns have a second view, that of
rare cells: a record that shares a rare number and ten other cells with one person is made from that person, although some cells
were changed so that it lies near nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from paracosm.eval.privacy.copies.match_weight import MatchWeights
from paracosm.records.schema.schema import Field

if TYPE_CHECKING:
    from paracosm.eval.representations.row_distance import RowVectors

CANDIDATES = 24
"""Real records, nearest by vectors, among which the two nearest are searched by cells."""
SAME_RANK = 3.0
"""Factor of a difference of ranks: a third of all ranks counts as much as another category."""
OTHER_CELL = 10.0
DISAGREEING = 0.5
"""Factor of the bits of cells that differ in a match weight."""
SECOND = 0.5
"""Factor of the weight of the second best match."""
TEXT_AXES = 1024
LETTERS = (3, 3)
"""Length of the runs of letters that a text is compared by, within words: typing errors and another order of words change few."""


class View(Protocol):
    """Some fields of the real records, and the distances of other records to them."""

    near: float
    """Ratio up to which a record nearly repeats the one beside it; hardly any real record comes as close to another."""

    def two_nearest(self, table: pd.DataFrame, own: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of the two nearest real records and the distances to them (both rows x 2, nearest first).

        Args:
            table: typed records.
            own: number of the real record that each row is itself, which does not count; None for other records.
        """
        ...


@dataclass(frozen=True)
class Beside:
    """What each record lies beside.

    Attributes:
        record: number of the nearest real record, in the view in which the row is more of a copy; shape (rows,).
        ratio: distance to it over the distance to the second nearest; infinite where both are 0.
        is_near: whether the row nearly repeats it.
    """

    record: np.ndarray
    ratio: np.ndarray
    is_near: np.ndarray

    def within(self, limit: float, first: int, last: int) -> np.ndarray:
        """Return which rows have a ratio of at most `limit` to a real record with a number from `first` up to `last`."""
        return (self.ratio <= limit) & (self.record >= first) & (self.record < last)


class RealRecords:
    """The real records that others are compared with."""

    def __init__(self, fields: Sequence[Field], real: pd.DataFrame) -> None:
        """Prepare the views that the fields allow.

        Args:
            fields: of the tables.
            real: all real records, those of train first.
        """
        self.real = real
        columns, texts = (
            [field for field in fields if field.is_text == is_text] for is_text in (False, True)
        )
        self.views: list[View] = []
        if columns:
            nearby = _Columns(columns, real)
            self.views += [nearby, _RareCells(nearby, real)]
        if texts:
            self.views.append(_Texts(texts, real))

    def beside(self, table: pd.DataFrame, own: np.ndarray | None = None) -> Beside:
        """Return what each row of `table` lies beside; a real record itself (`own`) is left out."""
        records, ratios = [], []
        for view in self.views:
            numbers, distances = view.two_nearest(table, own)
            twins = distances[:, 1] <= 0
            ratios.append(np.where(twins, np.inf, distances[:, 0] / np.where(twins, 1, distances[:, 1])))
            records.append(numbers[:, 0])
        limits = np.array([view.near for view in self.views])
        copied = np.argmin(ratios / limits[:, None], axis=0)
        chosen = copied, np.arange(len(table))
        ratio = np.stack(ratios)[chosen]
        return Beside(np.stack(records)[chosen], ratio, ratio <= limits[copied])

    def match_weights(
        self, table: pd.DataFrame, last: int, own: np.ndarray | None = None
    ) -> MatchWeights | None:
        """Return the best match of each row among the real records with a number below `last`; None without columns."""
        rare_cells = next((view for view in self.views if isinstance(view, _RareCells)), None)
        return None if rare_cells is None else rare_cells.match_weights(table, last, own)

    def among_themselves(self) -> Beside:
        """Return what each real record lies beside, itself left out."""
        return self.beside(self.real, np.arange(len(self.real)))


class _Columns:
    """Columns that are not texts: mean over cells of a distance in [0, 1]: of ranks for numbers, 0 or 1 for categories (Gower 1971)."""

    near = 0.1

    def __init__(self, fields: Sequence[Field], real: pd.DataFrame) -> None:
        from paracosm.eval.representations.row_distance import RowVectors

        self.fields = fields
        self.vectors: RowVectors = RowVectors(fields, real)
        blocks = self.vectors.blocks(real)
        self.rows, self.cells = self._joined(blocks), self._cells(blocks)
        self._last: tuple[pd.DataFrame, np.ndarray] | None = None

    def candidates(self, table: pd.DataFrame) -> np.ndarray:
        """Return the numbers of the nearest real records by vectors (rows x candidates), kept for the view of rare cells."""
        from paracosm.eval.representations.row_distance import nearest

        last = self._last
        if last is None or last[0] is not table:
            last = (table, nearest(self._joined(self.vectors.blocks(table)), self.rows, CANDIDATES).index)
            self._last = last
        return last[1]

    def two_nearest(self, table: pd.DataFrame, own: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        blocks, found = self.vectors.blocks(table), self.candidates(table)
        cells, distances = self._cells(blocks), np.zeros(found.shape)
        for column in range(cells.shape[1]):
            distances += np.minimum(1.0, np.abs(cells[:, [column]] - self.cells[found, column]))
        return _first_two(found, distances / cells.shape[1], own)

    def _joined(self, blocks: list[np.ndarray]) -> np.ndarray:
        return np.hstack(blocks) / np.float32(np.sqrt(len(self.fields)))

    def _cells(self, blocks: list[np.ndarray]) -> np.ndarray:
        """Return one number for each cell; cells whose numbers differ by 1 or more have nothing in common."""
        return np.column_stack(
            [
                np.where(block[:, 1] > 0, -OTHER_CELL, SAME_RANK * block[:, 0])
                if field.ordered
                else OTHER_CELL * block.argmax(axis=1)
                for field, block in zip(self.fields, blocks, strict=True)
            ]
        ).round(4)


class _RareCells:
    """Columns that are not texts: information of the cells that differ, in bits; a cell that few real records share has many bits.

    Cells are compared by equality alone, so that a number of one person counts much and a sex little (as in record linkage,
    Fellegi & Sunter 1969).
    """

    near = 0.2

    def __init__(self, nearby: _Columns, real: pd.DataFrame) -> None:
        from paracosm.eval.representations.features import as_words

        self.nearby, self.names = nearby, [field.name for field in nearby.fields]
        self.bits, self.counts, self.numbers = [], [], []
        for name in self.names:
            words, counts = np.unique(as_words(real[name]).astype(str), return_counts=True)
            self.numbers.append({word: number for number, word in enumerate(words)})
            self.bits.append(np.append(np.log2(len(real) / counts), np.log2(len(real) + 1)))
            self.counts.append(np.append(counts, 0))
        self.real = self._codes(real)

    def two_nearest(self, table: pd.DataFrame, own: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        found, codes = self.nearby.candidates(table), self._codes(table)
        distances = np.zeros(found.shape)
        for column, bits in enumerate(self.bits):
            mine, theirs = codes[:, [column]], self.real[found, column]
            distances += np.where(mine == theirs, 0.0, (bits[mine] + bits[theirs]) / 2)
        return _first_two(found, distances, own)

    def match_weights(self, table: pd.DataFrame, last: int, own: np.ndarray | None) -> MatchWeights:
        """Return the best match of each row: cells that agree count by their bits, others against it.

        Half of the weight of the second best is subtracted, so that rows of a rare kind, of which a release may hold more than
        train, do not count for that alone. A real record (`own`) does not count in the shares of its own cells, so that it is
        weighed as a fresh record is.
        """
        found, codes = self.nearby.candidates(table), self._codes(table)
        itself = 0 if own is None else 1
        agreeing, total = np.zeros(found.shape), np.zeros(len(table))
        for column, counts in enumerate(self.counts):
            mine, theirs = codes[:, column], self.real[found, column]
            bits = np.log2((len(self.real) - itself) / np.maximum(counts[mine] - itself, 1))
            agreeing += np.where(mine[:, None] == theirs, bits[:, None], 0.0)
            total += bits
        weights = agreeing - DISAGREEING * (total[:, None] - agreeing)
        counted = (found < last) & (True if own is None else found != own[:, None])
        weights = np.where(counted, weights, -DISAGREEING * total[:, None])
        best = weights.argmax(axis=1)
        rows = np.arange(len(table))
        first = weights[rows, best]
        weights[rows, best] = -np.inf
        second = weights.max(axis=1) if weights.shape[1] > 1 else first
        return MatchWeights(first - SECOND * second, found[rows, best])

    def _codes(self, table: pd.DataFrame) -> np.ndarray:
        """Return the number of each cell's value; a value that no real record has gets the number after the last."""
        from paracosm.eval.representations.features import as_words

        return np.column_stack(
            [
                [numbers.get(str(word), len(numbers)) for word in as_words(table[name])]
                for name, numbers in zip(self.names, self.numbers, strict=True)
            ]
        )


class _Texts:
    """Texts: one minus the cosine of TF-IDF vectors over runs of three letters within words."""

    near = 0.3

    def __init__(self, fields: Sequence[Field], real: pd.DataFrame) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

        self.fields = fields
        self.letters = HashingVectorizer(
            analyzer="char_wb",
            ngram_range=LETTERS,
            n_features=TEXT_AXES,
            norm=None,  # type: ignore[arg-type]  # scikit-learn is untyped
            alternate_sign=False,
        )
        counts = self.letters.transform(self._texts(real))
        self.weights = TfidfTransformer(sublinear_tf=True).fit(counts)
        self.rows = self._vectors(real)

    def two_nearest(self, table: pd.DataFrame, own: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        from paracosm.eval.representations.row_distance import nearest

        # Squared, the distance of two unit vectors is twice one minus their cosine.
        found = nearest(self._vectors(table), self.rows, 3)
        return _first_two(found.index, found.distance.astype(np.float64) ** 2 / 2, own)

    def _texts(self, table: pd.DataFrame) -> list[str]:
        from paracosm.eval.representations.texts import documents

        return documents(table, self.fields)

    def _vectors(self, table: pd.DataFrame) -> np.ndarray:
        from scipy.sparse import csr_matrix

        counts = self.letters.transform(self._texts(table))
        return csr_matrix(self.weights.transform(counts)).toarray().astype(np.float32)


def _first_two(
    found: np.ndarray, distances: np.ndarray, own: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two nearest of the found records of each row and their distances, the row itself left out."""
    if own is not None:
        distances = np.where(found == own[:, None], np.inf, distances)
    if found.shape[1] < 2:
        found, distances = np.hstack([found, found]), np.hstack([distances, distances])
    order = np.argsort(distances, axis=1, kind="stable")[:, :2]
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(distances, order, axis=1)
