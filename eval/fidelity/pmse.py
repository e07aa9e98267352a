"""How surely can a record be taken for synthetic? (pMSE: Snoke et al. 2018; with trees, Bowen & Snoke 2021.)"""

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.representations.features import tree_features
from paracosm.eval.statistics.intervals import around

MOST_ROWS = 5000
MOST_LEAVES = 32
FEWEST_IN_LEAF = 10
FITTING = 2.3
"""By how much the variance grows over that of the counts, because other records would have made another tree; measured by
bench/evaluation/coverage.py."""


def propensity(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `pmse_ratio` of a candidate against as many rows of train.

    A classification tree divides the records of one half into kinds; in the other half, whose records it never saw, the
    share of synthetic ones among each kind is compared with the share among all: pMSE = mean of (p - c)^2. Over its
    mean when the labels are permuted, 1 says that synthetic and real cannot be told apart. Both halves take both roles.
    The interval resamples the records of both sides within the kinds, and is widened for the making of these.
    """
    values, variances, leaves, seed = [], [], [], context.settings.seed
    random = np.random.default_rng([seed, 83])
    rows = min(context.size, len(candidate), len(context.train), MOST_ROWS)
    for fake, real in zip(context.parts(candidate, 5), context.parts(context.train, 6), strict=True):
        both = pd.concat([fake.iloc[:rows], real.iloc[:rows]], ignore_index=True)
        (matrix,), _ = tree_features(both, [both], context.fields)
        labels = np.repeat([1, 0], rows)
        halves = np.zeros(2 * rows, dtype=bool)
        for side in (0, 1):
            halves[random.permutation(np.flatnonzero(labels == side))[: rows // 2]] = True
        ratios = []
        for learnt in (halves, ~halves):
            kinds = _kinds(matrix, labels, learnt, seed)
            counts = [
                np.bincount(kinds[labels[~learnt] == side], minlength=kinds.max() + 1) for side in (1, 0)
            ]
            ratios.append(_resampled(*counts, resamples=context.settings.bootstrap, random=random))
            leaves.append(len(counts[0]))
        means = np.mean(ratios, axis=0)
        values.append(float(means[0]))
        variances.append(float(means[1:].var(ddof=1)))
    distinct = min(context.distinct_parts(candidate), context.distinct_parts(context.train))
    fitting = np.var(values, ddof=1) / len(values) if len(values) > 1 else 0.0
    found = around(
        float(np.mean(values)),
        float(max(FITTING * np.mean(variances) / distinct, fitting)),
        (0.0, np.inf),
        facts={"rows_each_side": rows, "kinds": round(float(np.mean(leaves)), 1), "repeats": len(values)},
    )
    return {"pmse_ratio": found}


def pmse_ratio(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return pMSE over its mean under permuted labels, for each row of counts of both sides (rows x kinds).

    With n records of a kind among N and a share c of synthetic ones, a permutation gives the kind's share the variance
    c (1 - c) / n * (N - n) / (N - 1); so the mean is c (1 - c) (kinds - 1) / (N - 1).
    """
    together = ours + theirs
    total = together.sum(axis=-1, keepdims=True)
    overall = ours.sum(axis=-1, keepdims=True) / total
    share = np.divide(ours, together, out=np.broadcast_to(overall, together.shape).copy(), where=together > 0)
    observed = (together / total * (share - overall) ** 2).sum(axis=-1)
    kinds = np.maximum((together > 0).sum(axis=-1), 2)
    expected = overall * (1 - overall) * (kinds - 1)[..., None] / (total - 1)
    return observed / expected[..., 0]


def _kinds(matrix: np.ndarray, labels: np.ndarray, learnt: np.ndarray, seed: int) -> np.ndarray:
    """Return the leaf of each record that the tree did not see, numbered from 0."""
    tree = DecisionTreeClassifier(
        max_leaf_nodes=MOST_LEAVES,
        min_samples_leaf=FEWEST_IN_LEAF,
        random_state=seed,
    ).fit(matrix[learnt], labels[learnt])
    return np.unique(tree.apply(matrix[~learnt]), return_inverse=True)[1]


def _resampled(
    ours: np.ndarray, theirs: np.ndarray, *, resamples: int, random: np.random.Generator
) -> np.ndarray:
    """Return the ratio, and that of each resample of the records of both sides."""
    drawn = [
        np.vstack([side, random.multinomial(side.sum(), side / side.sum(), size=resamples)])
        for side in (ours, theirs)
    ]
    return pmse_ratio(*drawn)
