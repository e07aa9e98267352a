"""Distance between records with fields of any type, and exact nearest neighbours.

The squared distance of two records is the mean over fields of a squared distance in [0, 1]: the difference of ranks
among the real records for numbers, 0 or 1 for categories, one minus the cosine of hashed character 4-grams for texts.
A missing cell is at distance 1 from a present one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from paracosm.eval.representations.features import MISSING, as_floats, as_texts, as_words
from paracosm.records.schema.schema import Field

TEXT_AXES = 1024
FEWEST_TEXT_AXES = 128
BLOCK_CELLS = 16_000_000
RESOLUTION = 1e-5


class RowVectors:
    """Maps tables to float32 vectors (rows x axes) whose Euclidean distance is the distance of the records."""

    def __init__(self, fields: Sequence[Field], real: pd.DataFrame) -> None:
        """Learn ranks and categories.

        Args:
            fields: of the tables.
            real: all real tables together, so that none of them is favoured.
        """
        self.fields = fields
        texts = sum(field.is_text for field in fields)
        axes = max(FEWEST_TEXT_AXES, TEXT_AXES // max(1, texts))
        self.hasher = HashingVectorizer(analyzer="char_wb", ngram_range=(4, 4), n_features=axes, norm="l2")
        self.sorted = {
            field.name: np.sort(as_floats(real[field.name].dropna(), field))
            for field in fields
            if field.ordered
        }
        self.words = {
            field.name: sorted(set(as_words(real[field.name])) - {MISSING})
            for field in fields
            if not field.ordered and not field.is_text
        }

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        """Return the vectors of `table`'s rows."""
        return np.hstack(self.blocks(table)) / np.float32(np.sqrt(len(self.fields)))

    def blocks(self, table: pd.DataFrame) -> list[np.ndarray]:
        """Return the axes of each field, before the mean over fields is taken."""
        return [self._block(field, table[field.name]).astype(np.float32) for field in self.fields]

    def _block(self, field: Field, column: pd.Series) -> np.ndarray:
        if field.ordered:
            return self._ranks(field, column)
        if field.is_text:
            return csr_matrix(self.hasher.transform(as_texts(column))).toarray() / np.sqrt(2)
        code = {word: number for number, word in enumerate(self.words[field.name])}
        words = as_words(column)
        codes = np.array([code.get(word, len(code) if word == MISSING else len(code) + 1) for word in words])
        one_hot = np.zeros((len(words), len(code) + 2))
        one_hot[np.arange(len(words)), codes] = np.sqrt(0.5)
        return one_hot

    def _ranks(self, field: Field, column: pd.Series) -> np.ndarray:
        """Return mid-ranks among the real values in [0, 1], and a missing flag as second axis."""
        values, reference = as_floats(column, field), self.sorted[field.name]
        points, counts = np.unique(reference, return_counts=True)
        middles = (np.cumsum(counts) - counts / 2) / max(1, len(reference))
        absent = np.isnan(values)
        ranks = (
            np.interp(np.where(absent, 0, values), points, middles) if len(points) else np.zeros(len(values))
        )
        return np.column_stack([np.where(absent, 0.5, ranks), absent.astype(float)])


@dataclass(frozen=True)
class Nearest:
    """The nearest rows of another table for each row, nearest first (arrays: rows x k)."""

    distance: np.ndarray
    index: np.ndarray


def nearest(rows: np.ndarray, others: np.ndarray, k: int) -> Nearest:
    """Return the `k` nearest of `others` for each of `rows` by exact search, in float32 blocks.

    Args:
        rows: vectors (rows x axes).
        others: vectors to search (others x axes).
        k: neighbours of each row; all of `others` where there are fewer.
    """
    k = min(k, len(others))
    distances, indices = [], []
    lengths = np.einsum("ij,ij->i", others, others)
    step = max(1, BLOCK_CELLS // len(others))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        # In place: passes over memory cost more than the products.
        squared = block @ others.T
        squared *= np.float32(-2)
        squared += lengths[None, :]
        squared += np.einsum("ij,ij->i", block, block)[:, None]
        np.maximum(squared, 0, out=squared)
        squared /= np.float32(RESOLUTION)
        np.rint(squared, out=squared)
        chosen = _smallest(squared, k)
        distances.append(np.sqrt(np.take_along_axis(squared, chosen, axis=1) * RESOLUTION))
        indices.append(chosen)
    return Nearest(np.concatenate(distances), np.concatenate(indices))


def _smallest(matrix: np.ndarray, k: int) -> np.ndarray:
    if k == 1:
        return matrix.argmin(axis=1)[:, None]
    chosen = (
        np.argpartition(matrix, k - 1, axis=1)[:, :k]
        if k < matrix.shape[1]
        else np.tile(np.arange(matrix.shape[1]), (len(matrix), 1))
    )
    order = np.argsort(np.take_along_axis(matrix, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)
