"""Do synthetic texts mean, vary and read as the real ones do?"""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.representations.text_embedder import embed
from paracosm.eval.representations.texts import MOST_EMBEDDED, BigramModel, compared_texts, documents
from paracosm.eval.statistics.classifier import FITTING, FOLDS, auc_with_variances
from paracosm.eval.statistics.intervals import around
from paracosm.eval.statistics.jackknife import jackknifed
from paracosm.eval.statistics.two_sample import (
    FRECHET_AXES,
    cluster_labels,
    frechet,
    kernel,
    mauve_of_clusters,
    median_distance,
    unbiased_mmd,
    vendi,
)

MOST_VARIED = 500
"""Texts whose variety is measured: its cost grows with the square or the cube."""
WORDS = 20_000


def word_figures(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `text_auc`, `distinct_ratio` and `self_bleu_ratio` of a candidate's texts.

    Nothing where one side's texts are all empty.
    """
    ours, theirs = (
        compared_texts(context, candidate),
        context.once("texts", lambda: compared_texts(context, context.train)),
    )
    theirs = theirs[: len(ours)]
    if not any(ours) or not any(theirs):
        return {}
    return {
        "text_auc": _text_auc(ours, theirs, context.settings.seed),
        "distinct_ratio": _distinct_ratio(ours, theirs, context.settings.seed),
        "self_bleu_ratio": _self_bleu_ratio(ours[:MOST_VARIED], theirs[:MOST_VARIED]),
    }


def perplexity(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `perplexity_ratio` of a candidate's texts; nothing where one side's are all empty.

    The candidate may hold no text of control, which the model was made from: it would be no surprise at all.
    """
    ours, theirs = compared_texts(context, candidate), compared_texts(context, context.train)
    if not any(ours) or not any(theirs):
        return {}
    model = context.once("control model", lambda: BigramModel.of(documents(context.control, context.fields)))
    return {"perplexity_ratio": _perplexity_ratio(model, ours, theirs, context.settings.seed)}


def meaning_figures(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `embedding_auc`, `mauve`, `frechet`, `text_mmd` and `vendi_ratio` of a candidate's embedded texts."""
    settings = context.settings
    theirs = context.once(
        "embedded texts",
        lambda: embed(compared_texts(context, context.train)[:MOST_EMBEDDED], settings.embedder).astype(
            np.float64
        ),
    )
    ours = embed(compared_texts(context, candidate)[:MOST_EMBEDDED], settings.embedder).astype(np.float64)
    theirs = theirs[: len(ours)]
    rows, facts = (len(ours), len(theirs)), {"texts_each_side": len(ours), "embedder": settings.embedder}
    clusters = cluster_labels(ours, theirs, seed=settings.seed)
    axes = PCA(min(FRECHET_AXES, len(theirs) // 4, theirs.shape[1]), random_state=0).fit(theirs)
    low, known = axes.transform(ours), axes.transform(theirs)
    width = median_distance(theirs)
    inside, across, other = (
        kernel(ours, ours, width),
        kernel(ours, theirs, width),
        kernel(theirs, theirs, width),
    )
    varied = min(MOST_VARIED, *rows)
    ours_alike, theirs_alike = ours[:varied] @ ours[:varied].T, theirs[:varied] @ theirs[:varied].T
    seed = settings.seed
    found = {
        "embedding_auc": _logistic_auc(ours, theirs, seed),
        "mauve": jackknifed(
            lambda a, b: mauve_of_clusters(clusters[0][a], clusters[1][b]), rows, seed, (0.0, 1.0)
        ),
        "frechet": jackknifed(lambda a, b: frechet(low[a], known[b]), rows, seed, (0.0, np.inf)),
        "text_mmd": jackknifed(
            lambda a, b: unbiased_mmd(inside[np.ix_(a, a)], other[np.ix_(b, b)], across[np.ix_(a, b)]),
            rows,
            seed,
        ),
        "vendi_ratio": jackknifed(
            lambda a, b: _share(
                vendi(ours_alike[np.ix_(a, a)]), len(a), vendi(theirs_alike[np.ix_(b, b)]), len(b)
            ),
            (varied, varied),
            seed,
            (0.0, np.inf),
        ),
    }
    return {name: replace(estimate, facts=dict(facts)) for name, estimate in found.items()}


def _share(ours: float, rows: int, theirs: float, other_rows: int) -> float:
    """Return a ratio of two numbers of different texts, each a share of its rows when groups are left out."""
    return (ours / rows) / (theirs / other_rows)


def _text_auc(ours: list[str], theirs: list[str], seed: int) -> Estimate:
    """Return the out-of-fold AUC of logistic regression on TF-IDF vectors of words and pairs of words."""
    learner = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\S+", ngram_range=(1, 2), max_features=WORDS),
        LogisticRegression(C=5.0, max_iter=300),
    )
    return _auc(learner, np.array([*ours, *theirs], dtype=object), len(ours), seed)


def _logistic_auc(ours: np.ndarray, theirs: np.ndarray, seed: int) -> Estimate:
    return _auc(LogisticRegression(C=5.0, max_iter=500), np.vstack([ours, theirs]), len(ours), seed)


def _auc(learner, features: np.ndarray, ours: int, seed: int) -> Estimate:
    labels = (np.arange(len(features)) < ours).astype(int)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    scores = cross_val_predict(learner, features, labels, cv=folds, method="decision_function")
    auc, *variances = auc_with_variances(np.asarray(scores), labels)
    return around(auc, FITTING * sum(variances), (0.0, 1.0), facts={"texts_each_side": ours})


def _perplexity_ratio(control: BigramModel, ours: list[str], theirs: list[str], seed: int) -> Estimate:
    """Return perplexity of the candidate over that of train, both under a 2-gram model of the control texts."""
    logs = [control.mean_log_probability(each) for each in (ours, theirs)]
    words = [np.array([text.count(" ") + 1 for text in each], dtype=float) for each in (ours, theirs)]

    def ratio(a: np.ndarray, b: np.ndarray) -> float:
        means = [
            (logs[side][rows] * words[side][rows]).sum() / words[side][rows].sum()
            for side, rows in ((0, a), (1, b))
        ]
        return float(np.exp(means[1] - means[0]))

    found = jackknifed(ratio, (len(ours), len(theirs)), seed, (0.0, np.inf))
    return replace(found, facts={"texts_each_side": len(ours), "model": "words, 2-grams of control"})


def _distinct_ratio(ours: list[str], theirs: list[str], seed: int) -> Estimate:
    """Return the distinct pairs of words of the candidate over those of train, at the same number of words."""
    sides = [[text.split() for text in each] for each in (ours, theirs)]
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

    found = jackknifed(
        lambda a, b: distinct(sides[0], a) / distinct(sides[1], b),
        (len(ours), len(theirs)),
        seed,
        (0.0, np.inf),
    )
    return replace(found, facts={"words_each_side": budget})


def _self_bleu_ratio(ours: list[str], theirs: list[str]) -> Estimate:
    """Return the mean self-BLEU of the candidate over that of train (Zhu et al. 2018); above 1: less varied."""
    sides = [self_bleu(each) for each in (ours, theirs)]
    means = [max(1e-9, float(side.mean())) for side in sides]
    ratio = means[0] / means[1]
    variance = ratio**2 * sum(
        side.var() / len(side) / mean**2 for side, mean in zip(sides, means, strict=True)
    )
    return around(ratio, variance, (0.0, np.inf), facts={"texts_each_side": len(ours)})


def self_bleu(texts: list[str], longest: int = 4) -> np.ndarray:
    """Return each text's BLEU against all others as references: geometric mean of clipped 1- to 4-gram precisions."""
    split = [text.split() for text in texts]
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
            # Among the others the highest count is the second highest of all where this text holds the highest.
            clipped = sum(
                min(number, most[gram][1] if most[gram][0] == number else most[gram][0])
                for gram, number in count.items()
            )
            logs[row] += np.log(max(clipped, 1e-9) / max(1, sum(count.values()))) / longest
    return np.exp(logs)
