"""Normalised texts of records, and an n-gram language model of them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.representations.features import as_texts
from paracosm.records.schema.schema import Field
from paracosm.records.text.words import verbatim_words

MOST_TEXTS = 2000
"""Texts of each side that are compared."""
MOST_EMBEDDED = 1000
"""Texts of each side that are embedded, which is the most expensive part."""
SMOOTHING = 0.1


def normalise(text: str) -> str:
    """Return `text` in NFKC, case-folded, with single spaces."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def documents(table: pd.DataFrame, fields: Sequence[Field]) -> list[str]:
    """Return the texts of each record joined into one, in NFKC, case-folded, with single spaces."""
    columns = [as_texts(table[field.name]) for field in fields if field.is_text]
    return [normalise("\n".join(parts)) for parts in zip(*columns, strict=True)]


def compared_texts(context: Context, table: pd.DataFrame) -> list[str]:
    """Return a random sample of the documents of one side, in random order: what text metrics compare."""
    most = min(MOST_TEXTS, context.size)
    drawn = np.random.default_rng([context.settings.seed, 67]).permutation(len(table))[:most]
    return documents(table.iloc[drawn], context.fields)


@dataclass(frozen=True)
class BigramModel:
    """Interpolated word bigram model with additive smoothing."""

    words: dict[str, int]
    """Numbers of the words; 0 stands before the first word of a text."""
    counts: np.ndarray
    """Occurrences of each word."""
    pairs: np.ndarray
    """Codes of the word pairs that occur, ascending."""
    pair_counts: np.ndarray
    """Occurrences of each pair."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> "BigramModel":
        """Count the words and word pairs of `texts`."""
        words: dict[str, int] = {"": 0}
        rows = [[words.setdefault(word, len(words)) for word in verbatim_words(text)] for text in texts]
        counts = np.bincount(np.concatenate([[0], *rows]).astype(np.int64), minlength=len(words)).astype(
            float
        )
        counts[0] = len(texts)
        codes = [_pair_codes(np.array(row, dtype=np.int64)) for row in rows]
        pairs, pair_counts = np.unique(np.concatenate([np.zeros(0, np.int64), *codes]), return_counts=True)
        return cls(words, counts, pairs, pair_counts)

    def mean_log_probability(self, texts: Sequence[str]) -> np.ndarray:
        """Return the mean log probability of each text's words; 0 for an empty text."""
        total, size = self.counts.sum(), len(self.words) + 1
        means = np.zeros(len(texts))
        for index, text in enumerate(texts):
            row = np.array([self.words.get(word, -1) for word in verbatim_words(text)], dtype=np.int64)
            if not len(row):
                continue
            in_vocabulary = row >= 0
            unigram = (np.where(in_vocabulary, self.counts[row], 0.0) + SMOOTHING) / (
                total + SMOOTHING * size
            )
            previous = np.concatenate([[0], row[:-1]])
            previous_count = np.where(previous >= 0, self.counts[previous], 0.0)
            pair = self._pair_count(np.where(in_vocabulary & (previous >= 0), _pair_codes(row), -1))
            # As in Witten-Bell smoothing, the more often the previous word occurs, the more its own followers weigh.
            means[index] = np.log((pair + unigram) / (previous_count + 1.0)).mean()
        return means

    def _pair_count(self, codes: np.ndarray) -> np.ndarray:
        if not len(self.pairs):
            return np.zeros(len(codes))
        index = np.minimum(np.searchsorted(self.pairs, codes), len(self.pairs) - 1)
        return np.where(self.pairs[index] == codes, self.pair_counts[index], 0)


def _pair_codes(row: np.ndarray) -> np.ndarray:
    """Return a number for each word together with the word before it."""
    return np.concatenate([[0], row[:-1]]) * 2**32 + row
