"""N-gram overlap: do synthetic texts repeat long runs of words of training texts?"""

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import leakage_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import COPIES, Gate
from paracosm.eval.measuring.measure import Measure, text_obstacle
from paracosm.eval.measuring.metric import FEWEST_ROWS, Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.readings import interpret_copies
from paracosm.eval.statistics.intervals import excess
from paracosm.records.splitting.near_duplicates import ngram_hashes
from paracosm.records.text.words import verbatim_words

RUNS = (8, 13, 50)
"""Lengths of a run in words; the second and the third are metrics."""


def _interpret(result: Result) -> str:
    words = result.metric.name.removeprefix("run_")
    return interpret_copies(
        result, f"synthetic texts {{holds|hold}} {words} words in a row of a training text"
    )


RUN_13 = Metric(
    name="run_13",
    title="13-gram overlap with training texts",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="13-gram overlap, as in Brown et al. 2020 (GPT-3), appendix C; rate minus control's",
    what="Share of synthetic texts with a run of 13 words of a training text, minus the share of unseen real texts with one.",
    formula="share of texts with a 13-gram of train - that of control; Newcombe",
    read=_interpret,
    zero="worst",
    unit="points",
    gates=(
        Gate(
            "at most",
            0.02,
            0.01,
            0.005,
            settled_by=COPIES,
            why="A released passage of a training text is a disclosure to any reader.",
            excludes="{one_in} released records",
        ),
    ),
)
RUN_50 = Metric(
    name="run_50",
    title="50-gram overlap with training texts",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Verbatim run of 50, as in Lee et al. 2022, Deduplicating Training Data; rate minus control's",
    what="Share of synthetic texts with a run of 50 words of a training text, a memorised passage, minus that of unseen real texts.",
    formula="share of texts with a 50-gram of train - that of control; Newcombe",
    read=_interpret,
    zero="worst",
    unit="points",
    gates=(
        Gate(
            "at most",
            0.01,
            0.005,
            0.001,
            settled_by=COPIES,
            why="A released page of a training text is a disclosure to any reader.",
            excludes="{one_in} released records",
        ),
    ),
)


def ngram_overlap(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `run_13` and `run_50`: the rate of texts with a run of that many words of train, minus that of control.

    Control shows how much of it is boilerplate. A length that hardly any training text has is left out.
    """
    from paracosm.eval.representations.texts import documents

    train_runs = context.once("runs of train", lambda: _runs_of(documents(context.train, context.fields)))
    control = context.once(
        "runs of control", lambda: _repeating(documents(context.control, context.fields), train_runs)
    )
    synthetic = _repeating(documents(candidate, context.fields), train_runs)
    rates = {}
    for length in RUNS:
        counts = {
            "copies": int(synthetic[length].sum()),
            "rows": len(candidate),
            "control_copies": int(control[length].sum()),
            "control_rows": len(context.control),
        }
        rate = excess(counts["copies"], len(candidate), counts["control_copies"], len(context.control))
        rates[length] = replace(rate, facts=counts)
    breakdown = {f"{length} words": rate.value for length, rate in rates.items()}
    return {
        f"run_{length}": replace(rates[length], breakdown=breakdown)
        for length in RUNS[1:]
        if len(train_runs[length]) >= FEWEST_ROWS
    }


def _runs_of(texts: Sequence[str]) -> dict[int, np.ndarray]:
    """Return, per length, the sorted hashes of all runs of words."""
    hashes: dict[int, list[np.ndarray]] = {length: [] for length in RUNS}
    for text in texts:
        words = _word_hashes(text)
        for length in RUNS:
            hashes[length].append(ngram_hashes(words, length))
    return {length: np.unique(np.concatenate(of_length)) for length, of_length in hashes.items()}


def _repeating(texts: Sequence[str], runs: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Return, per length, which texts hold one of the runs."""
    flags = {length: np.zeros(len(texts), dtype=bool) for length in RUNS}
    for number, text in enumerate(texts):
        words = _word_hashes(text)
        for length in RUNS:
            flags[length][number] = _any_in(ngram_hashes(words, length), runs[length])
    return flags


def _any_in(hashes: np.ndarray, ordered: np.ndarray) -> bool:
    """Return whether one of the hashes is in a sorted array."""
    if not len(ordered):
        return False
    index = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return bool((ordered[index] == hashes).any())


def _word_hashes(text: str) -> np.ndarray:
    # Split at spaces, unlike shingles: a verbatim run repeats the punctuation too.
    return np.array([zlib.crc32(word.encode()) for word in verbatim_words(text)], dtype=np.uint64)


MEASURE = Measure(
    ngram_overlap,
    (RUN_13, RUN_50),
    leakage_candidates,
    text_obstacle,
    Obstacle("hardly any training text is that long", curable=False),
)
