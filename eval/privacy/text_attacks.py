"""Membership attacks on texts that see only the synthetic ones (Meeus et al. 2025, The Canary's Echo)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from paracosm.eval.privacy.copies import normal
from paracosm.eval.representations.features import as_texts
from paracosm.records.schema.schema import Field

NEIGHBOURS = 25
ROWS_A_BLOCK = 512
SMOOTHING = 0.1


def documents(table: pd.DataFrame, fields: Sequence[Field]) -> list[str]:
    """Return each record's texts as one, in NFKC, case-folded, with single spaces."""
    columns = [as_texts(table[each.name]) for each in fields if each.type == "text"]
    return [normal("\n".join(parts)) for parts in zip(*columns, strict=True)]


def text_scores(targets: list[str], candidate: list[str], reference: list[str]) -> dict[str, np.ndarray]:
    """Return the scores of three attacks, a target each.

    `bigrams`: mean log probability of a word under a smoothed 2-gram model of the synthetic texts minus the same under
    one of the reference texts. `similarity`: mean cosine of TF-IDF vectors with the 25 most similar synthetic texts
    minus the mean with the 25 most similar reference texts. `twin`: the cosine with the single most similar one.
    """
    ours, theirs = BigramModel.of(candidate), BigramModel.of(reference)
    vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\S+", max_features=50_000)
    if any(candidate):
        vectors.fit(candidate + reference)
        asked, known, strange = (
            csr_matrix(vectors.transform(each)) for each in (targets, candidate, reference)
        )
        to_known, to_strange = most_similar(asked, known), most_similar(asked, strange)
    else:
        to_known = to_strange = np.zeros((len(targets), 1))
    return {
        "bigrams": ours.mean_log_probability(targets) - theirs.mean_log_probability(targets),
        "similarity": to_known.mean(axis=1) - to_strange.mean(axis=1),
        "twin": to_known[:, 0],
    }


def most_similar(rows: csr_matrix, others: csr_matrix, count: int = NEIGHBOURS) -> np.ndarray:
    """Return the `count` largest products of each row with any other row, largest first (rows x count)."""
    count = min(count, len(others.indptr) - 1)
    turned, found = others.T.tocsr(), []
    for start in range(0, len(rows.indptr) - 1, ROWS_A_BLOCK):
        products = (rows[start : start + ROWS_A_BLOCK] @ turned).toarray()
        largest = -np.partition(-products, count - 1, axis=1)[:, :count]
        found.append(-np.sort(-largest, axis=1))
    return np.concatenate(found)


@dataclass(frozen=True)
class BigramModel:
    """Interpolated word 2-grams with additive smoothing."""

    words: dict[str, int]
    singles: np.ndarray
    pairs: np.ndarray
    """Codes of the pairs seen, ascending."""
    counts: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str]) -> "BigramModel":
        """Count the words of `texts`."""
        words: dict[str, int] = {"": 0}
        rows = [[words.setdefault(word, len(words)) for word in text.split()] for text in texts]
        singles = np.bincount(np.concatenate([[0], *rows]).astype(np.int64), minlength=len(words)).astype(
            float
        )
        singles[0] = len(texts)
        codes = [_codes(np.array(row, dtype=np.int64)) for row in rows]
        pairs, counts = np.unique(np.concatenate([np.zeros(0, np.int64), *codes]), return_counts=True)
        return cls(words, singles, pairs, counts)

    def mean_log_probability(self, texts: Sequence[str]) -> np.ndarray:
        """Return the mean log probability of each text's words; 0 for an empty text."""
        total, size = self.singles.sum(), len(self.words) + 1
        found = np.zeros(len(texts))
        for number, text in enumerate(texts):
            row = np.array([self.words.get(word, -1) for word in text.split()], dtype=np.int64)
            if not len(row):
                continue
            known = row >= 0
            single = (np.where(known, self.singles[row], 0.0) + SMOOTHING) / (total + SMOOTHING * size)
            before = np.concatenate([[0], row[:-1]])
            seen = np.where(before >= 0, self.singles[before], 0.0)
            pair = self._count(np.where(known & (before >= 0), _codes(row), -1))
            # Witten-Bell in spirit: a word seen often before trusts its own followers more.
            found[number] = np.log((pair + single) / (seen + 1.0)).mean()
        return found

    def _count(self, codes: np.ndarray) -> np.ndarray:
        if not len(self.pairs):
            return np.zeros(len(codes))
        place = np.minimum(np.searchsorted(self.pairs, codes), len(self.pairs) - 1)
        return np.where(self.pairs[place] == codes, self.counts[place], 0)


def _codes(row: np.ndarray) -> np.ndarray:
    """Return one number for each word with the word before it; 0 stands before the first."""
    return np.concatenate([[0], row[:-1]]) * 2**32 + row
