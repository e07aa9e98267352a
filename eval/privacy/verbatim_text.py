"""Do synthetic texts repeat long runs of words of training texts?"""

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import FEWEST_ROWS, Estimate
from paracosm.eval.representations.texts import documents
from paracosm.eval.statistics.intervals import excess

RUNS = (8, 13, 50)
"""Words in a row that count as repeated; the second and the third are metrics."""
FACTOR = np.uint64(0x9E3779B97F4A7C15)


def text_replay(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `run_13` and `run_50`: the share of texts with that many words in a row from a training text, minus

    the share of control texts with such a run (boilerplate is no leak). A length that hardly any training text has is
    left out.
    """
    known = context.once("runs of train", lambda: _runs_of(documents(context.train, context.fields)))
    theirs = context.once(
        "runs of control", lambda: _repeating(documents(context.control, context.fields), known)
    )
    ours = _repeating(documents(candidate, context.fields), known)
    found = {}
    for length in RUNS:
        counts = {
            "copies": int(ours[length].sum()),
            "rows": len(candidate),
            "control_copies": int(theirs[length].sum()),
            "control_rows": len(context.control),
        }
        rate = excess(counts["copies"], len(candidate), counts["control_copies"], len(context.control))
        found[f"run_{length}"] = replace(rate, facts=counts)
    each = {f"{length} words": found[f"run_{length}"].value for length in RUNS}
    return {
        f"run_{length}": replace(found[f"run_{length}"], breakdown=each)
        for length in RUNS[1:]
        if len(known[length]) >= FEWEST_ROWS
    }


def _runs_of(texts: Sequence[str]) -> dict[int, np.ndarray]:
    """Return, per length, the sorted hashes of all runs of words."""
    found: dict[int, list[np.ndarray]] = {length: [] for length in RUNS}
    for text in texts:
        words = _word_hashes(text)
        for length in RUNS:
            found[length].append(_run_hashes(words, length))
    return {length: np.unique(np.concatenate(each)) for length, each in found.items()}


def _repeating(texts: Sequence[str], known: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Return, per length, which texts hold a run that is known."""
    flags = {length: np.zeros(len(texts), dtype=bool) for length in RUNS}
    for number, text in enumerate(texts):
        words = _word_hashes(text)
        for length in RUNS:
            flags[length][number] = _any_known(_run_hashes(words, length), known[length])
    return flags


def _any_known(hashes: np.ndarray, known: np.ndarray) -> bool:
    if not len(known):
        return False
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return bool((known[place] == hashes).any())


def _word_hashes(text: str) -> np.ndarray:
    return np.array([zlib.crc32(word.encode()) for word in text.split()], dtype=np.uint64)


def _run_hashes(words: np.ndarray, length: int) -> np.ndarray:
    if len(words) < length:
        return np.zeros(0, dtype=np.uint64)
    mixed = np.zeros(len(words) - length + 1, dtype=np.uint64)
    for offset in range(length):
        mixed = (mixed ^ words[offset : offset + len(mixed)]) * FACTOR
        mixed ^= mixed >> np.uint64(29)
    return mixed
