"""How far apart two records are, over fields of every type, and who is nearest to whom.

The squared distance of two records is the mean over fields of a squared distance in [0, 1]: numbers by the difference
of their ranks among the real records, categories 0 or 1, texts one minus the cosine of their hashed character 4-grams;
missing against present is 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from paracosm.eval.measuring.context import NUMERIC
from paracosm.eval.representations.features import MISSING, as_floats, as_texts, as_words
from paracosm.records.schema.schema import Field

TEXT_AXES = 1024
FEWEST_TEXT_AXES = 128
BLOCK_CELLS = 16_000_000
RESOLUTION = 1e-5


class RowVectors:
    """Turns tables into float32 vectors (rows x axes) whose Euclidean distance is the distance of the records."""

    def __init__(self, fields: Sequence[Field], real: pd.DataFrame) -> None:
        """Learn ranks and categories from `real`: the tables together of which none may be favoured."""
        self.fields = fields
        texts = sum(each.type == "text" for each in fields)
        axes = max(FEWEST_TEXT_AXES, TEXT_AXES // max(1, texts))
        self.hasher = HashingVectorizer(analyzer="char_wb", ngram_range=(4, 4), n_features=axes, norm="l2")
        self.sorted = {
            each.name: np.sort(as_floats(real[each.name].dropna(), each))
            for each in fields
            if each.type in NUMERIC
        }
        self.words = {
            each.name: sorted(set(as_words(real[each.name])) - {MISSING})
            for each in fields
            if each.type not in (*NUMERIC, "text")
        }

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        """Return the vectors of `table`'s rows."""
        return np.hstack(self.blocks(table)) / np.float32(np.sqrt(len(self.fields)))

    def blocks(self, table: pd.DataFrame) -> list[np.ndarray]:
        """Return the part of the vectors that each field makes, before their mean is taken."""
        return [self._block(each, table[each.name]).astype(np.float32) for each in self.fields]

    def _block(self, field: Field, column: pd.Series) -> np.ndarray:
        if field.type in NUMERIC:
            return self._ranks(field, column)
        if field.type == "text":
            return csr_matrix(self.hasher.transform(as_texts(column))).toarray() / np.sqrt(2)
        known = {word: number for number, word in enumerate(self.words[field.name])}
        words = as_words(column)
        codes = np.array(
            [known.get(word, len(known) if word == MISSING else len(known) + 1) for word in words]
        )
        one_hot = np.zeros((len(words), len(known) + 2))
        one_hot[np.arange(len(words)), codes] = np.sqrt(0.5)
        return one_hot

    def _ranks(self, field: Field, column: pd.Series) -> np.ndarray:
        values, known = as_floats(column, field), self.sorted[field.name]
        points, counts = np.unique(known, return_counts=True)
        middles = (np.cumsum(counts) - counts / 2) / max(1, len(known))
        absent = np.isnan(values)
        ranks = (
            np.interp(np.where(absent, 0, values), points, middles) if len(points) else np.zeros(len(values))
        )
        return np.column_stack([np.where(absent, 0.5, ranks), absent.astype(float)])


@dataclass(frozen=True)
class Nearest:
    """For each row of one table, its nearest rows of another, nearest first (rows x k)."""

    distance: np.ndarray
    index: np.ndarray


def nearest(rows: np.ndarray, others: np.ndarray, k: int) -> Nearest:
    """Return the `k` nearest of `others` for each of `rows`: exact search, in float32 blocks."""
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
