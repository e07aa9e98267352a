"""Can a classifier tell synthetic records from real ones? (Lopez-Paz & Oquab 2017, classifier two-sample test.)"""

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate, around
from paracosm.eval.representations.features import tree_features

FOLDS = 5
FITTING = 1.5
"""By how much the variance of an AUC grows over that of its scores, because other records would have made another
classifier. Away from 0.5 there is no formula; measured by bench/evaluation/coverage.py."""


def classifier_auc(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the out-of-fold AUC of gradient boosting between a candidate and train, at equal sizes.

    Averaged over `settings.repeats` pairs of parts. 0.5: cannot tell. Well below 0.5: rows of the candidate have
    their twin on the other side of a fold, which is what copying looks like.
    The interval holds the sampling variance of both sides (DeLong, DeLong & Clarke-Pearson 1988), grown for that of the
    classifier.
    """
    values, candidate_variance, train_variance = [], [], []
    pairs = zip(context.parts(candidate, 1), context.parts(context.train, 2), strict=True)
    for number, (fake, real) in enumerate(pairs):
        real = real.iloc[: len(fake)]
        scores, labels = out_of_fold(context, fake, real, seed=context.settings.seed + number)
        auc, fake_side, real_side = auc_with_variances(scores, labels)
        values.append(auc)
        candidate_variance.append(fake_side)
        train_variance.append(real_side)
    independent = (context.distinct_parts(candidate), context.distinct_parts(context.train))
    sampling = np.mean(candidate_variance) / independent[0] + np.mean(train_variance) / independent[1]
    sampling *= FITTING
    fitting = np.var(values, ddof=1) / len(values) if len(values) > 1 else 0.0
    estimate = around(
        float(np.mean(values)),
        float(max(sampling, fitting)),
        (0.0, 1.0),
        breakdown={f"repeat {number + 1}": float(value) for number, value in enumerate(values)},
        facts={"rows_each_side": min(context.size, len(candidate)), "repeats": len(values)},
    )
    return {"c2st_auc": estimate}


def out_of_fold(
    context: Context, fake: pd.DataFrame, real: pd.DataFrame, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-fold scores and labels (1: `fake`) of gradient boosting between two tables."""
    both = pd.concat([fake, real], ignore_index=True)
    (matrix,), is_code = tree_features(both, [both], context.fields)
    labels = np.repeat([1, 0], [len(fake), len(real)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    with threadpool_limits(1 if len(both) < 5000 else None):
        booster = _booster(len(both), is_code, seed)
        scores = np.asarray(cross_val_predict(booster, matrix, labels, cv=folds, method="predict_proba"))
    return scores[:, 1], labels


def _booster(rows: int, is_code: np.ndarray, seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=0.08,
        max_iter=120,
        max_leaf_nodes=16,
        min_samples_leaf=int(np.clip(rows // 60, 4, 20)),
        l2_regularization=1.0,
        categorical_features=is_code,  # type: ignore[arg-type]  # scikit-learn is untyped
        early_stopping=False,  # type: ignore[arg-type]  # scikit-learn is untyped
        random_state=seed,
    )


def auc_with_variances(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Return the AUC and its sampling variance from the positive and from the negative side (DeLong 1988)."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    everyone = rankdata(np.concatenate([positive, negative]))
    above = (everyone[: len(positive)] - rankdata(positive)) / len(negative)
    below = 1 - (everyone[len(positive) :] - rankdata(negative)) / len(positive)
    return float(above.mean()), float(above.var(ddof=1) / len(above)), float(below.var(ddof=1) / len(below))
