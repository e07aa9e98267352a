"""Which records repeat a training record: the same in every field, or a long text that is nearly the same."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rapidfuzz import fuzz
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from paracosm.eval.representations.features import as_texts, plain_frame
from paracosm.eval.representations.texts import normalise
from paracosm.records.schema.schema import Field

SHINGLE_WORDS = 5
LONG_TEXT_WORDS = 8
JACCARD = 0.7
EDIT_RATIO = 90.0
ROWS_A_BLOCK = 256


def exact_flags(table: pd.DataFrame, train: pd.DataFrame, fields: Sequence[Field]) -> np.ndarray:
    """Return, for each row of `table`, whether some training record has the same value in every field."""
    ours, known = (
        pd.util.hash_pandas_object(plain_frame(each, fields), index=False).to_numpy()
        for each in (table, train)
    )
    return np.isin(ours, known)


def text_flags(
    table: pd.DataFrame, train: pd.DataFrame, neighbour: np.ndarray, fields: Sequence[Field]
) -> np.ndarray:
    """Return, for each row of `table`, whether one of its long texts is a near copy of a training text.

    Near: Jaccard of 5-word shingles at least 0.7 with any training text, or an edit ratio of at least 90% with the
    text of the training record that is nearest (`neighbour`, a row number of train for each row of `table`).
    Texts below 8 words repeat by nature and are judged with the rest of their record only.
    """
    flags = np.zeros(len(table), dtype=bool)
    for each in fields:
        if each.type == "text":
            ours, known = (
                np.array([normalise(text) for text in as_texts(side[each.name])], dtype=object)
                for side in (table, train)
            )
            long = np.array([text.count(" ") + 1 >= LONG_TEXT_WORDS for text in ours])
            rows = np.flatnonzero(long & ~flags)
            flags[rows] = _near_text(ours[rows], known, known[neighbour[rows]])
    return flags


def _near_text(texts: np.ndarray, known: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    if not len(texts):
        return np.zeros(0, dtype=bool)
    edits = [
        fuzz.ratio(one, other, score_cutoff=EDIT_RATIO) > 0
        for one, other in zip(texts, neighbours, strict=True)
    ]
    return np.array(edits) | (_most_shared(texts, known) >= JACCARD)


def _most_shared(texts: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the largest Jaccard index of 5-word shingles that each text has with any known text."""
    shingles = HashingVectorizer(
        analyzer="word",
        token_pattern=r"(?u)\S+",
        ngram_range=(SHINGLE_WORDS, SHINGLE_WORDS),
        norm=None,  # type: ignore[arg-type]  # scikit-learn is untyped
        alternate_sign=False,
        binary=True,
        n_features=2**22,
    )
    ours, theirs = csr_matrix(shingles.transform(texts)), csr_matrix(shingles.transform(known))
    sizes, known_sizes = np.diff(ours.indptr), np.diff(theirs.indptr)
    other, best = theirs.T.tocsr(), np.zeros(len(texts))
    for start in range(0, len(texts), ROWS_A_BLOCK):
        shared = (ours[start : start + ROWS_A_BLOCK] @ other).tocoo()
        union = sizes[start + shared.row] + known_sizes[shared.col] - shared.data
        np.maximum.at(best, start + shared.row, shared.data / union)
    return best
