"""Whole rows: precision and recall of the support, and maximum mean discrepancy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate, Metric
from paracosm.eval.measuring.readings import interpret_distance, interpret_share

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

    from paracosm.eval.representations.row_distance import RowVectors

MOST_ROWS = 1000
NEIGHBOURS = 5
COMPONENTS = 16
LEVELS = np.linspace(0.05, 1, 20)

ALPHA_PRECISION = Metric(
    name="alpha_precision",
    title="Alpha-precision (rows)",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Alaa et al. 2022, How Faithful is your Synthetic Data?, integrated alpha-precision",
    what="Whether synthetic rows lie among the real ones, in the middle and at the edge as often as real rows do.",
    formula="1 - 2 mean |P(a) - a|, P(a): share of rows within the ball that holds a share a of train",
    read=interpret_share,
    zero=None,
)
BETA_RECALL = Metric(
    name="beta_recall",
    title="Beta-recall (rows)",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Alaa et al. 2022, How Faithful is your Synthetic Data?, integrated beta-recall",
    what="Whether every kind of real row has synthetic rows near it; low where only the common cases are generated.",
    formula="1 - 2 mean (b - R(b))+, R(b): share of train with one of the most central share b of rows within its "
    "fifth-neighbour distance",
    read=interpret_share,
    zero=None,
)
ROW_MMD = Metric(
    name="row_mmd",
    title="Maximum mean discrepancy (rows)",
    section="fidelity",
    goal="down",
    range=(-1.0, 1.0),
    source="Gretton et al. 2012, A Kernel Two-Sample Test, unbiased MMD squared",
    what="0 if synthetic and real rows have the same distribution; grows with the difference in any smooth statistic of a row.",
    formula="unbiased MMD squared, Gaussian kernel of the median distance, 16 principal axes",
    read=interpret_distance,
    unit="plain",
)


def row_metrics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `alpha_precision`, `beta_recall` and `row_mmd` of a candidate against as many rows of train."""
    from scipy.spatial.distance import cdist

    from paracosm.eval.representations.row_distance import RowVectors
    from paracosm.eval.statistics.jackknife import jackknifed
    from paracosm.eval.statistics.two_sample import median_distance, unbiased_mmd

    vectors = context.once("row vectors of all", lambda: RowVectors(context.fields, context.real))
    most, seed = min(MOST_ROWS, context.size), context.settings.seed
    axes, real = context.once(f"real rows on axes {most}", lambda: _real_rows(context, vectors, most))
    drawn = candidate.iloc[drawn_rows(len(candidate), most, seed + 9)]
    synthetic = axes.transform(vectors(drawn)).astype(np.float64)
    real = real[: len(synthetic)]
    rows = (len(synthetic), len(real))
    inside, across, other = (
        cdist(*pair) for pair in ((synthetic, synthetic), (synthetic, real), (real, real))
    )
    width = median_distance(real)
    kernels = [np.exp(-(distances**2) / (2 * width**2)) for distances in (inside, across, other)]
    return {
        "alpha_precision": jackknifed(lambda a, b: precision(synthetic[a], real[b]), rows, seed, (0.0, 1.0)),
        "beta_recall": jackknifed(
            lambda a, b: recall(synthetic[a], across[np.ix_(a, b)], other[np.ix_(b, b)]),
            rows,
            seed,
            (0.0, 1.0),
        ),
        "row_mmd": jackknifed(
            lambda a, b: unbiased_mmd(
                kernels[0][np.ix_(a, a)], kernels[2][np.ix_(b, b)], kernels[1][np.ix_(a, b)]
            ),
            rows,
            seed,
        ),
    }


def _real_rows(context: Context, vectors: RowVectors, most: int) -> tuple[PCA, np.ndarray]:
    """Return the principal axes of at most `most` rows of train, and these rows on them (rows x axes)."""
    from sklearn.decomposition import PCA

    rows = vectors(context.train.iloc[drawn_rows(len(context.train), most, context.settings.seed + 9)])
    axes = PCA(min(COMPONENTS, *rows.shape), random_state=0).fit(rows)
    return axes, axes.transform(rows).astype(np.float64)


def precision(synthetic: np.ndarray, real: np.ndarray) -> float:
    """Return the integrated alpha-precision (Alaa et al. 2022): 1 - 2 times the mean of |P(a) - a|.

    P(a) is the share of synthetic rows within the ball around the centre of the real rows that holds a share a of them.

    Args:
        synthetic: rows x axes.
        real: rows x axes.
    """
    centre = real.mean(axis=0)
    radii = np.quantile(np.linalg.norm(real - centre, axis=1), LEVELS)
    away = np.linalg.norm(synthetic - centre, axis=1)
    shares = (away[:, None] <= radii + 1e-9).mean(axis=0)
    return float(1 - 2 * np.abs(shares - LEVELS).mean())


def recall(synthetic: np.ndarray, across: np.ndarray, other: np.ndarray) -> float:
    """Return the integrated beta-recall (Alaa et al. 2022): 1 - 2 times the mean shortfall of R(b) below b.

    R(b) is the share of real rows that have one of the most central share b of the synthetic rows no farther away than
    their fifth real neighbour.

    Args:
        synthetic: rows x axes.
        across: distances of synthetic rows to real rows.
        other: distances of real rows to each other.
    """
    reach = np.partition(other, min(NEIGHBOURS, len(other) - 1), axis=1)[:, min(NEIGHBOURS, len(other) - 1)]
    away = np.linalg.norm(synthetic - synthetic.mean(axis=0), axis=1)
    rank = (np.argsort(np.argsort(away)) + 1) / len(synthetic)
    first = np.where(across <= reach + 1e-9, rank[:, None], np.inf).min(axis=0)
    shares = (first[:, None] <= LEVELS + 1e-9).mean(axis=0)
    return float(1 - 2 * np.maximum(LEVELS - shares, 0).mean())


MEASURE = Measure(
    row_metrics, (ALPHA_PRECISION, BETA_RECALL, ROW_MMD), same_context(fidelity_candidates), too_few
)
