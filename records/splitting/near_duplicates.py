"""Word shingles, their Jaccard similarity, and near-duplicate texts.

Two texts are near-duplicates if the Jaccard similarity of their sets of five-word shingles reaches a threshold. Words are those of
`records.text.words` for splits, the copy filter and the copy metrics alike, in every script.

All pairs of a table are found with MinHash and banding (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive
Datasets, chapter 3). Every candidate pair is then compared exactly, so there are no false positives.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from paracosm.records.text.words import words

SHINGLE_WORDS = 5
FEWEST_SHINGLES = 8
"""Shorter texts (fewer than twelve words) repeat by nature: two records `follow-up visit` are not copies."""
PERMUTATIONS = 128
MISSED = 1e-3
"""Largest probability of missing a pair whose similarity equals the threshold."""
SEED = 20_241
MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2**64 divided by the golden ratio: multiplying by it spreads hashes (Knuth, The Art of Computer Programming, 6.4)."""
REMEMBERED_WORDS = 100_000


def word_hashes(text: str) -> np.ndarray:
    """Return the hashes (uint64) of the words of a text, in order."""
    return np.array([_word_hash(word) for word in words(text)], dtype=np.uint64)


def ngram_hashes(hashes: np.ndarray, size: int) -> np.ndarray:
    """Return the hashes (uint64) of all runs of `size` words, in order.

    Args:
        hashes: what `word_hashes` returned.
        size: words in a run.

    Returns:
        Array of max(0, len(hashes) - size + 1) hashes.
    """
    count = max(0, len(hashes) - size + 1)
    mixed = np.zeros(count, dtype=np.uint64)
    for offset in range(size if count else 0):
        mixed = mixed * MIXER + hashes[offset : offset + count]
        mixed ^= mixed >> np.uint64(29)
    return mixed


def shingles(text: str, size: int = SHINGLE_WORDS) -> np.ndarray:
    """Return the sorted distinct hashes (uint64) of the shingles of a text: its runs of `size` words."""
    return np.unique(ngram_hashes(word_hashes(text), size))


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Jaccard similarity of two sorted sets of hashes, of which at least one is not empty."""
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)


def near_duplicates(texts: Sequence[str], threshold: float) -> Iterator[tuple[int, int]]:
    """Yield index pairs of near-duplicates: enough pairs to connect all near-duplicates, not every pair.

    Texts with fewer than `FEWEST_SHINGLES` shingles are left out.

    Args:
        texts: one text a record; may be empty.
        threshold: least Jaccard similarity of the shingle sets, in (0, 1].
    """
    sets = [shingles(text) for text in texts]
    long_texts = [index for index, hashes in enumerate(sets) if len(hashes) >= FEWEST_SHINGLES]
    rows = rows_per_band(threshold)
    signatures = {index: _signature(sets[index]) for index in long_texts}
    for start in range(0, PERMUTATIONS, rows):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for index in long_texts:
            buckets[signatures[index][start : start + rows].tobytes()].append(index)
        for bucket in buckets.values():
            yield from _similar_pairs(bucket, sets, threshold)


def rows_per_band(threshold: float) -> int:
    """Return the most rows a band may have so that a pair at the threshold is missed with probability below `MISSED`."""
    for rows in (16, 8, 4, 2):
        if (1 - threshold**rows) ** (PERMUTATIONS // rows) < MISSED:
            return rows
    return 1


def _similar_pairs(bucket: list[int], sets: list[np.ndarray], threshold: float) -> Iterator[tuple[int, int]]:
    joined: set[int] = set()
    for first, second in combinations(bucket, 2):
        if first in joined:
            continue
        smaller, larger = sorted((len(sets[first]), len(sets[second])))
        if smaller >= threshold * larger and jaccard(sets[first], sets[second]) >= threshold:
            if larger == smaller and np.array_equal(sets[first], sets[second]):
                joined.add(second)
            yield first, second


def _signature(hashes: np.ndarray) -> np.ndarray:
    """Return the MinHash signature (`PERMUTATIONS` values) of a set of hashes."""
    random = np.random.default_rng(SEED)
    factors = random.integers(1, 2**63, size=PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
    shifts = random.integers(0, 2**63, size=PERMUTATIONS, dtype=np.uint64)
    permuted = hashes[:, None] * factors + shifts
    permuted ^= permuted >> np.uint64(32)
    return (permuted * MIXER).min(axis=0)


@lru_cache(maxsize=REMEMBERED_WORDS)
def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
