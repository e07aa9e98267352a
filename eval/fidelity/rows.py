"""Do whole rows lie where real rows lie? Precision and recall, mean discrepancy, triples of columns, moved mass."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance
from sklearn.decomposition import PCA

from paracosm.eval.measuring.context import NUMERIC, Context, drawn_rows
from paracosm.eval.measuring.measure import too_few
from paracosm.eval.measuring.metric import Estimate, Obstacle
from paracosm.eval.representations.features import as_floats, as_words
from paracosm.eval.representations.row_distance import RowVectors
from paracosm.eval.statistics.jackknife import jackknifed
from paracosm.eval.statistics.two_sample import median_distance, unbiased_mmd

MOST_ROWS = 1000
NEIGHBOURS = 5
COMPONENTS = 16
LEVELS = np.linspace(0.05, 1, 20)
TRIPLE_BINS = 10
MOST_TRIPLES = 60


def row_figures(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `alpha_precision`, `beta_recall` and `row_mmd` of a candidate against as many rows of train."""
    vectors = context.once("row vectors of all", lambda: RowVectors(context.fields, context.real))
    most, seed = min(MOST_ROWS, context.size), context.settings.seed
    axes, known = context.once(f"known rows {most}", lambda: _known(context, vectors, most))
    ours = axes.transform(vectors(candidate.iloc[drawn_rows(len(candidate), most, seed + 9)])).astype(
        np.float64
    )
    known = known[: len(ours)]
    rows = (len(ours), len(known))
    inside, across, other = (cdist(*pair) for pair in ((ours, ours), (ours, known), (known, known)))
    width = median_distance(known)
    kernels = [np.exp(-(each**2) / (2 * width**2)) for each in (inside, across, other)]
    return {
        "alpha_precision": jackknifed(lambda a, b: precision(ours[a], known[b]), rows, seed, (0.0, 1.0)),
        "beta_recall": jackknifed(
            lambda a, b: recall(ours[a], across[np.ix_(a, b)], other[np.ix_(b, b)]), rows, seed, (0.0, 1.0)
        ),
        "row_mmd": jackknifed(
            lambda a, b: unbiased_mmd(
                kernels[0][np.ix_(a, a)], kernels[2][np.ix_(b, b)], kernels[1][np.ix_(a, b)]
            ),
            rows,
            seed,
        ),
    }


def _known(context: Context, vectors: RowVectors, most: int) -> tuple[PCA, np.ndarray]:
    rows = vectors(context.train.iloc[drawn_rows(len(context.train), most, context.settings.seed + 9)])
    axes = PCA(min(COMPONENTS, *rows.shape), random_state=0).fit(rows)
    return axes, axes.transform(rows).astype(np.float64)


def precision(ours: np.ndarray, known: np.ndarray) -> float:
    """Return 1 - 2 times the mean distance of P(a) from a, where P(a) is the share of rows within the ball around the

    centre of the known rows that holds a share a of them (Alaa et al. 2022, integrated alpha-precision).
    """
    centre = known.mean(axis=0)
    radii = np.quantile(np.linalg.norm(known - centre, axis=1), LEVELS)
    away = np.linalg.norm(ours - centre, axis=1)
    shares = (away[:, None] <= radii + 1e-9).mean(axis=0)
    return float(1 - 2 * np.abs(shares - LEVELS).mean())


def recall(ours: np.ndarray, across: np.ndarray, other: np.ndarray) -> float:
    """Return 1 - 2 times the mean distance of R(b) from b, where R(b) is the share of known rows that have one of the

    most central share b of our rows within reach of their fifth known neighbour (Alaa et al. 2022, beta-recall).

    Args:
        ours: rows x axes.
        across: distances of our rows to known rows.
        other: distances of known rows to each other.
    """
    reach = np.partition(other, min(NEIGHBOURS, len(other) - 1), axis=1)[:, min(NEIGHBOURS, len(other) - 1)]
    away = np.linalg.norm(ours - ours.mean(axis=0), axis=1)
    rank = (np.argsort(np.argsort(away)) + 1) / len(ours)
    first = np.where(across <= reach + 1e-9, rank[:, None], np.inf).min(axis=0)
    shares = (first[:, None] <= LEVELS + 1e-9).mean(axis=0)
    return float(1 - 2 * np.maximum(LEVELS - shares, 0).mean())


def triples_obstacle(context: Context) -> Obstacle | None:
    """Return why triples of columns cannot be compared, or None."""
    count = sum(each.type != "text" for each in context.fields)
    if count < 3:
        return Obstacle(f"triples need three columns that are no text, and there are {count}", curable=False)
    return too_few(context)


def column_figures(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `triples` and, where there are numbers, `wasserstein` of a candidate."""
    most, seed = min(context.size, context.settings.max_rows), context.settings.seed
    ours = candidate.iloc[drawn_rows(len(candidate), most, seed + 11)]
    theirs = context.train.iloc[drawn_rows(len(context.train), most, seed + 11)]
    rows = (len(ours), len(theirs))
    fields = [each for each in context.fields if each.type != "text"]
    codes = [
        np.column_stack(each) for each in zip(*(_bins(one, ours, theirs) for one in fields), strict=True)
    ]
    every = list(combinations(range(len(fields)), 3))
    chosen = [every[number] for number in drawn_rows(len(every), MOST_TRIPLES, seed)]
    joint = [[_joined(side, triple) for side in codes] for triple in chosen]

    def overlap(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([1 - _moved(one[a], other[b]) for one, other in joint]))

    found = {"triples": jackknifed(overlap, rows, seed, (0.0, 1.0))}
    numbers = [each for each in fields if each.type in NUMERIC]
    if numbers:
        columns = [(as_floats(ours[each.name], each), as_floats(theirs[each.name], each)) for each in numbers]
        found["wasserstein"] = jackknifed(
            lambda a, b: float(np.mean([_earth(one[a], other[b]) for one, other in columns])),
            rows,
            seed,
            (0.0, np.inf),
        )
    for estimate in found.values():
        estimate.facts["rows_each_side"] = most
    found["triples"].facts["triples"] = len(chosen)
    return found


def _bins(field, ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return at most ten bins of a column, the same for both sides: deciles of train, or its nine commonest words."""
    if field.type in NUMERIC:
        values = [as_floats(side[field.name], field) for side in (ours, theirs)]
        known = values[1][~np.isnan(values[1])]
        edges = (
            np.unique(np.quantile(known, np.linspace(0, 1, TRIPLE_BINS + 1)[1:-1]))
            if len(known)
            else np.empty(0)
        )
        return tuple(
            np.where(np.isnan(each), len(edges) + 1, np.searchsorted(edges, each, side="right"))
            for each in values
        )  # type: ignore[return-value]
    words = [as_words(side[field.name]).astype(str) for side in (ours, theirs)]
    common = pd.Series(words[1]).value_counts().index[: TRIPLE_BINS - 1]
    number = {word: place for place, word in enumerate(common)}
    return tuple(np.array([number.get(word, len(number)) for word in each]) for each in words)  # type: ignore[return-value]


def _joined(codes: np.ndarray, triple: tuple[int, int, int]) -> np.ndarray:
    one, other, third = triple
    size = TRIPLE_BINS + 2
    return (codes[:, one] * size + codes[:, other]) * size + codes[:, third]


def _moved(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the total variation distance of two samples of codes."""
    count = int(max(ours.max(), theirs.max())) + 1
    shares = [np.bincount(each, minlength=count) / len(each) for each in (ours, theirs)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _earth(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the Wasserstein-1 distance in interquartile ranges of train (its range where those are 0)."""
    ours, theirs = ours[~np.isnan(ours)], theirs[~np.isnan(theirs)]
    if not len(ours) or not len(theirs):
        return float(len(ours) != len(theirs))
    low, high = np.quantile(theirs, [0.25, 0.75])
    scale = (high - low) or float(np.ptp(theirs)) or 1.0
    return float(wasserstein_distance(ours, theirs) / scale)
