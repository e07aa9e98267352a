"""Near-duplicates: pairs of texts whose sets of five-word shingles overlap.

Candidates come from MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3);
every candidate pair is then compared exactly, so that nothing is reported that is not similar enough.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

WORDS = 5
FEWEST_SHINGLES = 8
PERMUTATIONS = 128
MISSED = 1e-3
SEED = 20_241
PRIME = np.uint64(2**61 - 1)


def near_duplicates(texts: Sequence[str], threshold: float) -> Iterator[tuple[int, int]]:
    """Yield pairs of positions of near-duplicates: enough to connect all of them, not every pair.

    Texts of fewer than twelve words are left out: `follow-up visit` twice says nothing about copying.

    Args:
        texts: one a record; may be empty.
        threshold: least Jaccard similarity of the shingle sets, in (0, 1].
    """
    sets = [shingles(text) for text in texts]
    long = [position for position, found in enumerate(sets) if len(found) >= FEWEST_SHINGLES]
    rows = rows_per_band(threshold)
    signatures = {position: _signature(sets[position]) for position in long}
    for start in range(0, PERMUTATIONS, rows):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for position in long:
            buckets[signatures[position][start : start + rows].tobytes()].append(position)
        for bucket in buckets.values():
            yield from _similar(bucket, sets, threshold)


def shingles(text: str) -> np.ndarray:
    """Return the sorted distinct hashes (uint64) of the text's five-word shingles, case and punctuation aside."""
    words = re.findall(r"\w+", text.casefold())
    if len(words) < WORDS:
        return np.zeros(0, dtype=np.uint64)
    hashed = np.array([_word(word) for word in words], dtype=np.uint64)
    mixed = np.zeros(len(words) - WORDS + 1, dtype=np.uint64)
    for offset in range(WORDS):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + hashed[offset : offset + len(mixed)]
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def rows_per_band(threshold: float) -> int:
    """Return the most rows a band may have so that a pair at the threshold is missed with probability below 0.001."""
    for rows in (16, 8, 4, 2):
        if (1 - threshold**rows) ** (PERMUTATIONS // rows) < MISSED:
            return rows
    return 1


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Jaccard similarity of two sorted sets of hashes."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


def _similar(bucket: list[int], sets: list[np.ndarray], threshold: float) -> Iterator[tuple[int, int]]:
    joined: set[int] = set()
    for one, other in combinations(bucket, 2):
        if one in joined:
            continue
        small, large = sorted((len(sets[one]), len(sets[other])))
        if small >= threshold * large and jaccard(sets[one], sets[other]) >= threshold:
            if large == small and np.array_equal(sets[one], sets[other]):
                joined.add(other)
            yield one, other


def _signature(hashes: np.ndarray) -> np.ndarray:
    draw = np.random.default_rng(SEED)
    factors = draw.integers(1, 2**63, size=PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
    shifts = draw.integers(0, 2**63, size=PERMUTATIONS, dtype=np.uint64)
    permuted = hashes[:, None] * factors + shifts
    permuted ^= permuted >> np.uint64(32)
    return (permuted * np.uint64(0x9E3779B97F4A7C15)).min(axis=0)


def _word(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
