"""Propensity score (pMSE ratio): how confidently can a tree assign records to the synthetic side?

Snoke et al. 2018; with classification trees, Bowen & Snoke 2021.
"""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate, Metric, Result
from paracosm.eval.statistics.intervals import around

MOST_ROWS = 5000
MOST_LEAVES = 32
FEWEST_IN_LEAF = 10
FITTING = 2.3
"""Factor on the variance of the counts, because other records would have made another tree; measured by
bench/evaluation/coverage.py."""


def _interpret(result: Result) -> str:
    text = (
        f"The share of synthetic records varies {result.synthetic.value:.2f} times as much between groups of similar "
        "records as chance would make it"
    )
    if result.ceiling is not None:
        text += f"; for fresh real records it varies {result.ceiling.value:.2f} times as much"
    if (floor := result.estimates.get("floor")) is not None:
        text += f", for shuffled columns {floor.value:.2f} times"
    return text + "."


PMSE_RATIO = Metric(
    name="pmse_ratio",
    title="Propensity score: pMSE ratio",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Snoke et al. 2018, pMSE over its mean under permuted labels; a tree of one half, read on the other",
    what="How much more than by chance the share of synthetic records varies between groups of similar records; 1 is chance.",
    formula="mean of (p - c)^2 over records, p: share of synthetic records in a leaf of a tree that was fitted to the other half, "
    "c: the share overall; divided by its mean under permuted labels",
    read=_interpret,
    unit="plain",
)


def propensity(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `pmse_ratio` of a candidate against as many rows of train.

    A classification tree fitted to one half divides the records into leaves; in the other half the share of synthetic
    records in each leaf is compared with the share overall: pMSE = mean of (p - c)^2. Divided by its mean under permuted
    labels, 1 means that synthetic and real records cannot be told apart. Both halves take both roles.
    The interval resamples the records of both sides within the leaves, multiplied for the variance of the tree.
    """
    from paracosm.eval.representations.features import tree_features

    values, variances, leaves, seed = [], [], [], context.settings.seed
    random = np.random.default_rng([seed, 83])
    rows = min(context.size, len(candidate), len(context.train), MOST_ROWS)
    for synthetic, real in zip(context.parts(candidate, 5), context.parts(context.train, 6), strict=True):
        both = pd.concat([synthetic.iloc[:rows], real.iloc[:rows]], ignore_index=True)
        (matrix,), _ = tree_features(both, [both], context.fields)
        labels = np.repeat([1, 0], rows)
        halves = np.zeros(2 * rows, dtype=bool)
        for side in (0, 1):
            halves[random.permutation(np.flatnonzero(labels == side))[: rows // 2]] = True
        ratios = []
        for fitted in (halves, ~halves):
            leaf = _leaves(matrix, labels, fitted, seed)
            counts = [np.bincount(leaf[labels[~fitted] == side], minlength=leaf.max() + 1) for side in (1, 0)]
            ratios.append(_resampled(*counts, resamples=context.settings.bootstrap, random=random))
            leaves.append(len(counts[0]))
        means = np.mean(ratios, axis=0)
        values.append(float(means[0]))
        variances.append(float(means[1:].var(ddof=1)))
    distinct = min(context.distinct_parts(candidate), context.distinct_parts(context.train))
    fitting = np.var(values, ddof=1) / len(values) if len(values) > 1 else 0.0
    estimate = around(
        float(np.mean(values)),
        float(max(FITTING * np.mean(variances) / distinct, fitting)),
        (0.0, np.inf),
        facts={"rows_each_side": rows, "kinds": round(float(np.mean(leaves)), 1), "repeats": len(values)},
    )
    return {"pmse_ratio": estimate}


def pmse_ratio(synthetic: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return pMSE divided by its mean under permuted labels, for each row of counts of both sides (rows x leaves).

    With n records in a leaf among N and a share c of synthetic ones, a permutation gives the leaf's share the variance
    c (1 - c) / n * (N - n) / (N - 1); so the mean is c (1 - c) (leaves - 1) / (N - 1).
    """
    together = synthetic + real
    total = together.sum(axis=-1, keepdims=True)
    overall = synthetic.sum(axis=-1, keepdims=True) / total
    share = np.divide(
        synthetic, together, out=np.broadcast_to(overall, together.shape).copy(), where=together > 0
    )
    observed = (together / total * (share - overall) ** 2).sum(axis=-1)
    leaves = np.maximum((together > 0).sum(axis=-1), 2)
    expected = overall * (1 - overall) * (leaves - 1)[..., None] / (total - 1)
    return observed / expected[..., 0]


def _leaves(matrix: np.ndarray, labels: np.ndarray, fitted: np.ndarray, seed: int) -> np.ndarray:
    """Return the leaf of each record outside the half that the tree is fitted to, numbered from 0."""
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_leaf_nodes=MOST_LEAVES,
        min_samples_leaf=FEWEST_IN_LEAF,
        random_state=seed,
    ).fit(matrix[fitted], labels[fitted])
    return np.unique(tree.apply(matrix[~fitted]), return_inverse=True)[1]


def _resampled(
    synthetic: np.ndarray, real: np.ndarray, *, resamples: int, random: np.random.Generator
) -> np.ndarray:
    """Return the ratio of the counts, followed by those of resampled counts (1 + resamples)."""
    drawn = [
        np.vstack([side, random.multinomial(side.sum(), side / side.sum(), size=resamples)])
        for side in (synthetic, real)
    ]
    return pmse_ratio(*drawn)


MEASURE = Measure(propensity, (PMSE_RATIO,), same_context(fidelity_candidates), too_few)
