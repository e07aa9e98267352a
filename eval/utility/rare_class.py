"""Scores of the rarest class of a prediction task: recall, F1 and the area under the precision-recall curve."""

import numpy as np
import pandas as pd

from paracosm.eval.utility.learners import Predictions
from paracosm.eval.utility.task import OTHER, Task

RARE_CLASS_SCORES = ("recall", "F1", "PR-AUC")


def rarest_class(task: Task, train: pd.DataFrame, truth: np.ndarray) -> int | None:
    """Return the number of the class that is rarest in train, among those that the test rows hold; None for regression.

    Args:
        task: the prediction task.
        train: records of train with a target.
        truth: classes of the test rows.
    """
    if not task.classes:
        return None
    counts = np.bincount(task.truth(train), minlength=len(task.classes))
    present = [code for code in np.unique(truth[truth >= 0]) if task.classes[code] != OTHER]
    return int(min(present, key=lambda code: counts[code])) if len(present) > 1 else None


def rare_class_scores(
    predictions: Predictions, truth: np.ndarray, code: int, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return recall, F1 and PR-AUC of one class for each row of weights, averaged over seeds and learners.

    A row counts as predicted where the class has the highest probability.

    Args:
        predictions: of the learners.
        truth: classes of the test rows.
        code: number of the class.
        weights: resamples x test rows.
    """
    positive = (truth == code).astype(np.float64)
    of_learners = []
    for of_seeds in predictions.values():
        of_learners.append(np.mean([_scores(one, positive, code, weights) for one in of_seeds], axis=0))
    return dict(zip(RARE_CLASS_SCORES, np.mean(of_learners, axis=0), strict=True))


def _scores(prediction: np.ndarray, positive: np.ndarray, code: int, weights: np.ndarray) -> np.ndarray:
    """Return the three scores of one prediction (3 x resamples)."""
    chosen = (prediction.argmax(axis=1) == code).astype(np.float64)
    hits, real, called = weights @ (chosen * positive), weights @ positive, weights @ chosen
    recall = hits / np.maximum(real, 1e-12)
    f1 = 2 * hits / np.maximum(real + called, 1e-12)
    return np.stack([recall, f1, _average_precision(prediction[:, code], positive, weights)])


def _average_precision(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean over positive rows of the precision among all rows that score at least as high."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # Rows of one score are called together.
    last = np.searchsorted(-ranked, -ranked, side="right") - 1
    drawn = weights[:, order]
    hits, called = np.cumsum(drawn * positive[order], axis=1)[:, last], np.cumsum(drawn, axis=1)[:, last]
    precision = hits / np.maximum(called, 1e-12)
    total = np.maximum((drawn * positive[order]).sum(axis=1), 1e-12)
    return (precision * drawn * positive[order]).sum(axis=1) / total
