"""Perplexity ratio: how surprising are the texts to a 2-gram model of control, compared with those of train?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.fidelity.text.words import NO_WORDS
from paracosm.eval.measuring.anchors import unseen_text_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, text_obstacle
from paracosm.eval.measuring.metric import Estimate, Metric
from paracosm.eval.measuring.readings import interpret_ratio
from paracosm.records.text.words import count_words

if TYPE_CHECKING:
    from paracosm.eval.representations.texts import BigramModel

PERPLEXITY_RATIO = Metric(
    name="perplexity_ratio",
    title="Perplexity ratio (text)",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Perplexity under a 2-gram model of the control texts, over that of train",
    what="How surprising the wording is, over the same of real texts: above 1 it is odder, below 1 more predictable; 1 is right.",
    formula="exp(mean -log p of the candidate's words) over that of train, p: 2-gram model of control; the ceiling holds no text of "
    "control",
    read=interpret_ratio,
    unit="plain",
    zero=None,
    gates=(
        Gate(
            "at most",
            0.223,
            0.223,
            0.223,
            settled_by=HELD_OUT,
            quantity="departure",
            why="Odd wording is wrong, and wording that is too predictable lacks the rare cases, for every reader.",
        ),
    ),
    anchors="text",
)


def perplexity(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `perplexity_ratio` of the texts of a candidate; nothing where the texts of one side are all empty.

    The candidate may hold no text of control, since the model is fitted to control and would know it.
    """
    from paracosm.eval.representations.texts import BigramModel, compared_texts, documents

    synthetic, real = compared_texts(context, candidate), compared_texts(context, context.train)
    if not any(synthetic) or not any(real):
        return {}
    model = context.once("control model", lambda: BigramModel.of(documents(context.control, context.fields)))
    return {"perplexity_ratio": _perplexity_ratio(model, synthetic, real, context.settings.seed)}


def _perplexity_ratio(control: BigramModel, synthetic: list[str], real: list[str], seed: int) -> Estimate:
    """Return the perplexity of the candidate over that of train, both under a 2-gram model of control."""
    from paracosm.eval.statistics.jackknife import jackknifed

    sides = (synthetic, real)
    logs = [control.mean_log_probability(side) for side in sides]
    words = [np.array([max(1, count_words(text)) for text in side], dtype=float) for side in sides]

    def ratio(a: np.ndarray, b: np.ndarray) -> float:
        means = [
            (logs[side][rows] * words[side][rows]).sum() / words[side][rows].sum()
            for side, rows in ((0, a), (1, b))
        ]
        return float(np.exp(means[1] - means[0]))

    estimate = jackknifed(ratio, (len(synthetic), len(real)), seed, (0.0, np.inf))
    return replace(estimate, facts={"texts_each_side": len(synthetic), "model": "words, 2-grams of control"})


MEASURE = Measure(perplexity, (PERPLEXITY_RATIO,), unseen_text_candidates, text_obstacle, NO_WORDS)
