"""Do train and control look alike? If a classifier tells them apart, no membership figure means anything."""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.statistics.classifier import FOLDS, auc_with_variances, out_of_fold
from paracosm.eval.statistics.intervals import around

MOST_ROWS = 4000
FOLD_DEPENDENCE = 1 + FOLDS / (FOLDS - 1)
"""Folds share most of their training rows, so their scores vary together (Nadeau & Bengio 2003, corrected variance)."""


def split_guard(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the out-of-fold AUC of gradient boosting between train and control, at equal sizes.

    The candidate is not looked at: the guard is about the real records alone. Averaged over `settings.repeats` draws
    of train; control is the smaller side and its variance is counted once.
    """
    values, train_variance, control_variance = [], [], []
    control = context.control.iloc[drawn_rows(len(context.control), MOST_ROWS, context.settings.seed)]
    for number in range(context.settings.repeats):
        seed = context.settings.seed + number
        train = context.train.iloc[drawn_rows(len(context.train), len(control), seed)]
        scores, labels = out_of_fold(context, train, control, seed=seed)
        auc, train_side, control_side = auc_with_variances(scores, labels)
        values.append(auc)
        train_variance.append(train_side)
        control_variance.append(control_side)
    distinct = max(1, min(len(values), len(context.train) // max(1, len(control))))
    variance = FOLD_DEPENDENCE * (np.mean(train_variance) / distinct + np.mean(control_variance))
    facts = {"rows_each_side": min(len(control), len(context.train)), "repeats": len(values)}
    return {"split_guard": around(float(np.mean(values)), float(variance), (0.0, 1.0), facts=facts)}
