"""Exact and near copies: which records repeat a training record in every field, or a long text of one nearly.

The word shingles are those of `records.splitting.near_duplicates`, so that this metric and the copy filter of `generate` agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.records.schema.schema import Field
from paracosm.records.splitting.near_duplicates import shingles
from paracosm.records.text.words import count_words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LONG_TEXT_WORDS = 8
JACCARD = 0.7
"""Jaccard similarity of two sets of shingles from which texts are near copies (Broder 1997)."""
EDIT_RATIO = 90.0
ROWS_A_BLOCK = 256


def exact_flags(table: pd.DataFrame, train: pd.DataFrame, fields: Sequence[Field]) -> np.ndarray:
    """Return for each row of `table` whether a training record has the same value in every field."""
    from paracosm.eval.representations.features import plain_frame

    rows, train_rows = (
        pd.util.hash_pandas_object(plain_frame(side, fields), index=False).to_numpy()
        for side in (table, train)
    )
    return np.isin(rows, train_rows)


def text_flags(
    table: pd.DataFrame, train: pd.DataFrame, neighbour: np.ndarray, fields: Sequence[Field]
) -> np.ndarray:
    """Return for each row of `table` whether one of its long texts is a near copy of a training text.

    Near means a Jaccard similarity of 5-word shingles of at least 0.7 with any training text, or an edit ratio of at least 90%
    with the text of the nearest training record. Texts below 8 words repeat by nature and do not count.

    Args:
        table: records to check.
        train: training records.
        neighbour: row of the nearest training record, for each row of `table`.
        fields: of both tables.
    """
    from paracosm.eval.representations.features import as_texts
    from paracosm.eval.representations.texts import normalise

    flags = np.zeros(len(table), dtype=bool)
    for field in fields:
        if field.is_text:
            texts, train_texts = (
                np.array([normalise(text) for text in as_texts(side[field.name])], dtype=object)
                for side in (table, train)
            )
            long = np.array([count_words(text) >= LONG_TEXT_WORDS for text in texts])
            rows = np.flatnonzero(long & ~flags)
            flags[rows] = _near_text(texts[rows], train_texts, train_texts[neighbour[rows]])
    return flags


def _near_text(texts: np.ndarray, train: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    from rapidfuzz import fuzz

    if not len(texts):
        return np.zeros(0, dtype=bool)
    similar = [
        fuzz.ratio(text, other, score_cutoff=EDIT_RATIO) > 0
        for text, other in zip(texts, neighbours, strict=True)
    ]
    return np.array(similar) | (_largest_jaccard(texts, train) >= JACCARD)


def _largest_jaccard(texts: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the largest Jaccard similarity of 5-word shingles that each text has with any other text."""
    sets = [[shingles(text) for text in side] for side in (texts, others)]
    vocabulary = np.unique(np.concatenate([*sets[0], np.zeros(0, dtype=np.uint64)]))
    matrix, other_matrix = (_incidence(side, vocabulary) for side in sets)
    sizes, other_sizes = (np.array([len(hashes) for hashes in side]) for side in sets)
    transposed, largest = other_matrix.T.tocsr(), np.zeros(len(texts))
    for start in range(0, len(texts), ROWS_A_BLOCK):
        shared = (matrix[start : start + ROWS_A_BLOCK] @ transposed).tocoo()
        union = sizes[start + shared.row] + other_sizes[shared.col] - shared.data
        np.maximum.at(largest, start + shared.row, shared.data / union)
    return largest


def _incidence(sets: Sequence[np.ndarray], vocabulary: np.ndarray) -> csr_matrix:
    """Return which shingles of a sorted vocabulary each set holds (sets x vocabulary)."""
    from scipy.sparse import csr_matrix

    shape = (len(sets), max(1, len(vocabulary)))
    if not len(vocabulary):
        return csr_matrix(shape)
    hashes = np.concatenate(sets)
    rows = np.repeat(np.arange(len(sets)), [len(of_set) for of_set in sets])
    columns = np.minimum(np.searchsorted(vocabulary, hashes), len(vocabulary) - 1)
    present = vocabulary[columns] == hashes
    return csr_matrix((np.ones(int(present.sum())), (rows[present], columns[present])), shape=shape)
