"""Out-of-fold scores of a classifier between two tables, and their AUC with its variance."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from paracosm.eval.measuring.context import Context
from paracosm.eval.representations.features import tree_features

FOLDS = 5
FITTING = 1.5
"""Factor on the DeLong variance of an AUC for the variance of fitting: other records would give another classifier.
There is no formula away from an AUC of 0.5; measured by bench/evaluation/coverage.py."""


def out_of_fold(
    context: Context, fake: pd.DataFrame, real: pd.DataFrame, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-fold scores of gradient boosting between two tables, and the labels (1: `fake`)."""
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
    """Return the AUC and its sampling variance due to the positive and due to the negative cases (DeLong 1988)."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[: len(positive)] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[len(positive) :] - rankdata(negative)) / len(positive)
    return float(above.mean()), float(above.var(ddof=1) / len(above)), float(below.var(ddof=1) / len(below))
