"""N-gram overlap: do synthetic texts repeat long runs of words of training texts?"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.found_counts import interpret_count
from paracosm.eval.measuring.gate import COPIES, Gate
from paracosm.eval.measuring.measure import Measure, text_obstacle
from paracosm.eval.measuring.metric import FEWEST_ROWS, Estimate, Metric, Obstacle
from paracosm.eval.measuring.non_members import non_member_candidates
from paracosm.eval.privacy.copies.exact import Rate, distinct_units, rate_of
from paracosm.eval.privacy.copies.natural_rate import beyond_chance
from paracosm.records.splitting.near_duplicates import ngram_hashes
from paracosm.records.text.words import verbatim_words

RUNS = (8, 10, 13, 20, 30, 50, 100)
"""Lengths of a run in words."""
METRICS = (8, 13, 50)
"""Those that are metrics."""


WORDS = "synthetic texts {{holds|hold}} {length} words in a row of a training text"

RUN_8 = Metric(
    name="run_8",
    title="8-gram overlap with training texts",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="n-gram overlap, as in Brown et al. 2020 (GPT-3), appendix C, with n = 8; rate minus that by chance",
    what="Share of synthetic texts with a run of 8 words of a training text, minus the share that would by chance.",
    formula="share of texts with an 8-gram of train - share of training texts with one of another training text; Newcombe",
    read=interpret_count,
    zero="worst",
    unit="points",
    gates=(
        Gate(
            "at most",
            0.02,
            0.01,
            0.005,
            settled_by=COPIES,
            proof_for=(),
            why="Short runs are boilerplate in many texts, so that their rate is rarely proven low; `run_13` gives the proof.",
        ),
    ),
)
RUN_13 = Metric(
    name="run_13",
    title="13-gram overlap with training texts",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="13-gram overlap, as in Brown et al. 2020 (GPT-3), appendix C; rate minus that by chance",
    what="Share of synthetic texts with a run of 13 words of a training text, minus the share that would by chance.",
    formula="share of texts with a 13-gram of train - share of training texts with one of another training text; Newcombe",
    read=interpret_count,
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
    source="Verbatim run of 50, as in Lee et al. 2022, Deduplicating Training Data; rate minus that by chance",
    what="Share of synthetic texts with a run of 50 words of a training text, a memorised passage, minus the share that would by chance.",
    formula="share of texts with a 50-gram of train - share of training texts with one of another training text; Newcombe",
    read=interpret_count,
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
    """Return `run_8`, `run_13` and `run_50`: the rate of texts with a run of that many words of train, minus that by chance.

    Training texts among each other show how much of it is boilerplate, also where a split keeps similar texts on one side; copies
    of one record count once. Where subjects are named, non-members show it. A length that hardly any training text has is left
    out. The facts hold the longest run that a synthetic text shares with train, and that a training text shares with another.
    """
    from paracosm.eval.representations.texts import documents

    real: _Runs = context.once("runs of train", lambda: _Runs.of(context))
    synthetic = _repeating(documents(candidate, context.fields), real.runs)
    longest = {
        "longest_run": max((length for length in RUNS if synthetic[length].any()), default=0),
        "longest_run_by_chance": max((length for length in RUNS if real.by_chance[length].events), default=0),
    }
    rates = {
        length: beyond_chance(
            synthetic[length],
            np.arange(len(candidate)),
            real.by_chance[length],
            WORDS.format(length=length),
        )
        for length in RUNS
    }
    breakdown = {f"{length} words": rate.value for length, rate in rates.items()}
    return {
        f"run_{length}": replace(rates[length], breakdown=breakdown, facts=rates[length].facts | longest)
        for length in METRICS
        if len(real.runs[length]) >= FEWEST_ROWS
    }


@dataclass(frozen=True)
class _Runs:
    """The runs of words of the training texts (length -> sorted hashes), and how often texts share one by chance."""

    runs: dict[int, np.ndarray]
    by_chance: dict[int, Rate]

    @classmethod
    def of(cls, context: Context) -> _Runs:
        from paracosm.eval.representations.texts import documents

        units, _, _ = distinct_units(context.train, context.fields)
        texts = documents(context.train.iloc[units], context.fields)
        hashes = {
            length: [np.unique(ngram_hashes(_word_hashes(text), length)) for text in texts] for length in RUNS
        }
        runs, by_chance = {}, {}
        for length, of_texts in hashes.items():
            runs[length], counts = np.unique(np.concatenate(of_texts), return_counts=True)
            shared = runs[length][counts > 1]
            by_chance[length] = rate_of(np.array([_any_in(of_text, shared) for of_text in of_texts]), 0.5)
        if context.subjects:
            others = _repeating(documents(context.control, context.fields), runs)
            by_chance = {length: rate_of(flags, 1.0) for length, flags in others.items()}
        return cls(runs, by_chance)


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
    (RUN_8, RUN_13, RUN_50),
    non_member_candidates,
    text_obstacle,
    Obstacle("hardly any training text is that long", curable=False),
)
