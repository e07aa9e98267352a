"""Meaning of texts, by sentence embeddings: classifier two-sample test, MAUVE, Fréchet distance, MMD and Vendi score."""

from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import text_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context
from paracosm.eval.measuring.metric import Estimate, Metric
from paracosm.eval.measuring.readings import (
    interpret_classifier,
    interpret_distance,
    interpret_ratio,
    interpret_share,
)
from paracosm.eval.representations.text_embedder import embedder_obstacle

MOST_VARIED = 500
"""Texts whose diversity is measured: the cost of the Vendi score grows with the cube of their number."""

EMBEDDING_AUC = Metric(
    name="embedding_auc",
    title="Classifier two-sample test (text, embeddings): AUC",
    section="fidelity",
    goal="target",
    target=0.5,
    range=(0.0, 1.0),
    source="Lopez-Paz & Oquab 2017, on sentence embeddings (Reimers & Gurevych 2019)",
    what="How often a linear classifier of meanings, given one synthetic and one real text, knows which is which; 50% is guessing.",
    formula="out-of-fold AUC of logistic regression on sentence embeddings",
    read=interpret_classifier,
    unit="plain",
    anchors="text",
)
KINDS_KEPT = Gate(
    "at least",
    0.8,
    0.8,
    0.8,
    settled_by=HELD_OUT,
    quantity="normalised",
    why="Texts that miss kinds of real texts, or invent some, mislead every reader.",
)
"""The gate on each distance between the meanings of synthetic and of real texts."""
MAUVE = Metric(
    name="mauve",
    title="MAUVE (text)",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Pillutla et al. 2021, MAUVE, on sentence embeddings",
    what="Overlap of the distributions of synthetic and real texts: low if texts are unrealistic or if kinds of real texts are missing.",
    formula="area under exp(-5 KL) of both sides to 25 mixtures, k-means with n/10 clusters on axes that explain 90%",
    read=interpret_share,
    gates=(KINDS_KEPT,),
    anchors="text",
)
FRECHET = Metric(
    name="frechet",
    title="Fréchet distance (text embeddings)",
    section="fidelity",
    goal="down",
    range=(0.0, float("inf")),
    source="Heusel et al. 2017, on 50 principal axes of sentence embeddings",
    what="How far the mean and the spread of the meanings of synthetic texts are from those of real texts.",
    formula="|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2) on 50 axes",
    read=interpret_distance,
    unit="plain",
    gates=(KINDS_KEPT,),
    anchors="text",
)
TEXT_MMD = Metric(
    name="text_mmd",
    title="Maximum mean discrepancy (text embeddings)",
    section="fidelity",
    goal="down",
    range=(-1.0, 1.0),
    source="Gretton et al. 2012, unbiased MMD squared, on sentence embeddings",
    what="0 if synthetic and real texts have the same distribution of meanings; grows with the difference in any smooth statistic.",
    formula="unbiased MMD squared on sentence embeddings",
    read=interpret_distance,
    unit="plain",
    anchors="text",
)
VENDI_RATIO = Metric(
    name="vendi_ratio",
    title="Vendi score ratio (text embeddings)",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Friedman & Dieng 2023, The Vendi Score, over that of train",
    what="Number of effectively different synthetic texts, over that of as many real texts.",
    formula="exp(entropy of the eigenvalues of K / n), K: cosines of 500 embeddings, over that of train",
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


def embedding_metrics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `embedding_auc`, `mauve`, `frechet`, `text_mmd` and `vendi_ratio` of the embedded texts of a candidate."""
    from sklearn.decomposition import PCA

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

    settings, seed = context.settings, context.settings.seed
    real = context.once("embedded texts", lambda: _embedded(context, context.train))
    synthetic = _embedded(context, candidate)
    real = real[: len(synthetic)]
    rows = (len(synthetic), len(real))
    facts = {"texts_each_side": len(synthetic), "embedder": settings.embedder}
    clusters = cluster_labels(synthetic, real, seed=seed)
    axes = PCA(min(FRECHET_AXES, len(real) // 4, real.shape[1]), random_state=0).fit(real)
    synthetic_on_axes, real_on_axes = axes.transform(synthetic), axes.transform(real)
    width = median_distance(real)
    inside, across, other = (
        kernel(synthetic, synthetic, width),
        kernel(synthetic, real, width),
        kernel(real, real, width),
    )
    varied = min(MOST_VARIED, *rows)
    cosines = [side[:varied] @ side[:varied].T for side in (synthetic, real)]
    estimates = {
        "embedding_auc": _logistic_auc(synthetic, real, seed),
        "mauve": jackknifed(
            lambda a, b: mauve_of_clusters(clusters[0][a], clusters[1][b]), rows, seed, (0.0, 1.0)
        ),
        "frechet": jackknifed(
            lambda a, b: frechet(synthetic_on_axes[a], real_on_axes[b]), rows, seed, (0.0, np.inf)
        ),
        "text_mmd": jackknifed(
            lambda a, b: unbiased_mmd(inside[np.ix_(a, a)], other[np.ix_(b, b)], across[np.ix_(a, b)]),
            rows,
            seed,
        ),
        # Scores per text, because the jackknife leaves out groups of different sizes on the two sides.
        "vendi_ratio": jackknifed(
            lambda a, b: (
                (vendi(cosines[0][np.ix_(a, a)]) / len(a)) / (vendi(cosines[1][np.ix_(b, b)]) / len(b))
            ),
            (varied, varied),
            seed,
            (0.0, np.inf),
        ),
    }
    return {name: replace(estimate, facts=dict(facts)) for name, estimate in estimates.items()}


def _embedded(context: Context, table: pd.DataFrame) -> np.ndarray:
    """Return the embeddings of the texts of a table that are compared (texts x axes)."""
    from paracosm.eval.representations.text_embedder import embed
    from paracosm.eval.representations.texts import MOST_EMBEDDED, compared_texts

    texts = compared_texts(context, table)[:MOST_EMBEDDED]
    return embed(texts, context.settings.embedder).astype(np.float64)


def _logistic_auc(synthetic: np.ndarray, real: np.ndarray, seed: int) -> Estimate:
    from sklearn.linear_model import LogisticRegression

    from paracosm.eval.fidelity.text.classifier import out_of_fold_auc

    learner = LogisticRegression(C=5.0, max_iter=500)
    return out_of_fold_auc(learner, np.vstack([synthetic, real]), len(synthetic), seed)


MEASURE = Measure(
    embedding_metrics,
    (EMBEDDING_AUC, MAUVE, FRECHET, TEXT_MMD, VENDI_RATIO),
    same_context(text_candidates),
    embedder_obstacle,
)
