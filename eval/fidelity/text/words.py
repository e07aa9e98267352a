"""Wording of texts: classifier two-sample test on TF-IDF, distinct-2 and self-BLEU."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import text_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context, text_obstacle
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle
from paracosm.eval.measuring.readings import interpret_classifier, interpret_ratio
from paracosm.eval.statistics.intervals import around
from paracosm.records.text.words import NO_PATTERN, verbatim_words

MOST_VARIED = 500
"""Texts whose diversity is measured: the cost of self-BLEU grows with the square of their number."""
WORDS = 20_000

NO_WORDS = Obstacle("the texts hold no words", curable=False)

TEXT_AUC = Metric(
    name="text_auc",
    title="Classifier two-sample test (text, TF-IDF): AUC",
    section="fidelity",
    goal="target",
    target=0.5,
    range=(0.0, 1.0),
    source="Lopez-Paz & Oquab 2017, on TF-IDF vectors of words and pairs of words",
    what="How often a linear classifier of words, given one synthetic and one real text, knows which is which; 50% is guessing.",
    formula="out-of-fold AUC of logistic regression on TF-IDF of words and pairs of words",
    read=interpret_classifier,
    unit="plain",
    gates=(
        Gate(
            "at most",
            0.75,
            0.75,
            0.75,
            settled_by=HELD_OUT,
            why="It sees wrong wording, which a reader of any audience would see.",
            excludes="a classifier that knows synthetic from real texts in more than {of_100} of 100 pairs",
        ),
    ),
    anchors="text",
)
DISTINCT_RATIO = Metric(
    name="distinct_ratio",
    title="Distinct-2 ratio (text)",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Distinct-2 (Li et al. 2016) at the same number of words, over that of train",
    what="How many different pairs of words the synthetic texts use for each one that real texts of the same length use.",
    formula="distinct pairs of words in the first N words, over those of train",
    read=interpret_ratio,
    unit="plain",
    zero=None,
    gates=(
        Gate(
            "at least",
            0.8,
            0.8,
            0.8,
            settled_by=HELD_OUT,
            why="Texts that repeat each other look like more evidence than they are.",
        ),
    ),
    anchors="text",
)
SELF_BLEU_RATIO = Metric(
    name="self_bleu_ratio",
    title="Self-BLEU ratio (text)",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Self-BLEU (Zhu et al. 2018) over that of train",
    what="How similar the synthetic texts are to each other, over the same of real texts; above 1 they repeat each other more.",
    formula="mean BLEU-4 of a text against 499 others, over that of train",
    read=interpret_ratio,
    unit="plain",
    zero=None,
    anchors="text",
)


def word_metrics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `text_auc`, `distinct_ratio` and `self_bleu_ratio` of the texts of a candidate.

    Returns nothing where the texts of one side are all empty.
    """
    from paracosm.eval.representations.texts import compared_texts

    synthetic = compared_texts(context, candidate)
    real = context.once("texts", lambda: compared_texts(context, context.train))[: len(synthetic)]
    if not any(synthetic) or not any(real):
        return {}
    return {
        "text_auc": _text_auc(synthetic, real, context.settings.seed),
        "distinct_ratio": _distinct_ratio(synthetic, real, context.settings.seed),
        "self_bleu_ratio": _self_bleu_ratio(synthetic[:MOST_VARIED], real[:MOST_VARIED]),
    }


def _text_auc(synthetic: list[str], real: list[str], seed: int) -> Estimate:
    """Return the out-of-fold AUC of logistic regression on TF-IDF vectors of words and pairs of words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from paracosm.eval.fidelity.text.classifier import out_of_fold_auc

    learner = make_pipeline(
        TfidfVectorizer(
            sublinear_tf=True,
            token_pattern=NO_PATTERN,
            tokenizer=verbatim_words,
            ngram_range=(1, 2),
            max_features=WORDS,
        ),
        LogisticRegression(C=5.0, max_iter=300),
    )
    return out_of_fold_auc(learner, np.array([*synthetic, *real], dtype=object), len(synthetic), seed)


def _distinct_ratio(synthetic: list[str], real: list[str], seed: int) -> Estimate:
    """Return the distinct pairs of words of the candidate over those of train, at the same number of words."""
    from paracosm.eval.statistics.jackknife import jackknifed

    sides = [[verbatim_words(text) for text in side] for side in (synthetic, real)]
    budget = int(0.9 * min(sum(map(len, side)) for side in sides))

    def distinct(texts: list[list[str]], rows: np.ndarray) -> int:
        seen, left = set(), budget
        for row in rows:
            words = texts[row][:left]
            seen.update(pairwise(words))
            left -= len(words)
            if left <= 0:
                break
        return max(1, len(seen))

    ratio = jackknifed(
        lambda a, b: distinct(sides[0], a) / distinct(sides[1], b),
        (len(synthetic), len(real)),
        seed,
        (0.0, np.inf),
    )
    return replace(ratio, facts={"words_each_side": budget})


def _self_bleu_ratio(synthetic: list[str], real: list[str]) -> Estimate:
    """Return the mean self-BLEU of the candidate over that of train (Zhu et al. 2018); above 1: less varied."""
    sides = [self_bleu(side) for side in (synthetic, real)]
    means = [max(1e-9, float(side.mean())) for side in sides]
    ratio = means[0] / means[1]
    variance = ratio**2 * sum(
        side.var() / len(side) / mean**2 for side, mean in zip(sides, means, strict=True)
    )
    return around(ratio, variance, (0.0, np.inf), facts={"texts_each_side": len(synthetic)})


def self_bleu(texts: list[str], longest: int = 4) -> np.ndarray:
    """Return the BLEU of each text against all others: the geometric mean of clipped 1- to 4-gram precisions."""
    split = [verbatim_words(text) for text in texts]
    logs = np.zeros(len(texts))
    for length in range(1, longest + 1):
        counts = [Counter(zip(*(words[shift:] for shift in range(length)), strict=False)) for words in split]
        most: dict[tuple[str, ...], list[int]] = {}
        for count in counts:
            for gram, number in count.items():
                top = most.setdefault(gram, [0, 0])
                if number >= top[0]:
                    top[0], top[1] = number, top[0]
                elif number > top[1]:
                    top[1] = number
        for row, count in enumerate(counts):
            # If this text has the highest count of all, the highest among the others is the second highest of all.
            clipped = sum(
                min(number, most[gram][1] if most[gram][0] == number else most[gram][0])
                for gram, number in count.items()
            )
            logs[row] += np.log(max(clipped, 1e-9) / max(1, sum(count.values()))) / longest
    return np.exp(logs)


MEASURE = Measure(
    word_metrics,
    (TEXT_AUC, DISTINCT_RATIO, SELF_BLEU_RATIO),
    same_context(text_candidates),
    text_obstacle,
    NO_WORDS,
)
