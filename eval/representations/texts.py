"""Texts as they are compared: normalised documents, n-gram models."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.representations.features import as_texts
from paracosm.records.schema.schema import Field


def normal(text: str) -> str:
    """Return `text` in NFKC, case-folded, with single spaces."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def documents(table: pd.DataFrame, fields: Sequence[Field]) -> list[str]:
    """Return each record's texts as one, in NFKC, case-folded, with single spaces."""
    columns = [as_texts(table[each.name]) for each in fields if each.type == "text"]
    return [normal("\n".join(parts)) for parts in zip(*columns, strict=True)]


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


MOST_TEXTS = 2000
"""Texts of each side that are compared."""


MOST_MEANT = 1000
"""Texts of each side that are embedded, which is what costs most."""


def compared_texts(context: Context, table: pd.DataFrame) -> list[str]:
    """Return the texts of a side that are looked at, in random order."""
    most = min(MOST_TEXTS, context.size)
    drawn = np.random.default_rng([context.settings.seed, 67]).permutation(len(table))[:most]
    return documents(table.iloc[drawn], context.fields)


SMOOTHING = 0.1


def _codes(row: np.ndarray) -> np.ndarray:
    """Return one number for each word with the word before it; 0 stands before the first."""
    return np.concatenate([[0], row[:-1]]) * 2**32 + row
