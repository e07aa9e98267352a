"""AUC and R² under row weights, computed for all resamples of a bootstrap at once."""

import numpy as np


def weighted_auc(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve for each row of weights; NaN where one side has no weight.

    Args:
        scores: one for each row of the test set; ties count half.
        positive: mask of the positive rows.
        weights: resamples x rows.
    """
    order = np.argsort(scores, kind="stable")
    if len(np.unique(scores)) == len(scores):
        return _auc_without_ties(order, positive, weights)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(scores[order]) > 0]))
    ordered = weights[:, order]
    above = np.add.reduceat(ordered * positive[order], starts, axis=1)
    below = np.add.reduceat(ordered * ~positive[order], starts, axis=1)
    won = (above * (np.cumsum(below, axis=1) - below / 2)).sum(axis=1)
    total = above.sum(axis=1) * below.sum(axis=1)
    return np.where(total > 0, won / np.where(total > 0, total, 1.0), np.nan)


def _auc_without_ties(order: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the same as `weighted_auc` where every score occurs once, in fewer passes over the weights."""
    is_positive = positive[order]
    losing = np.cumsum(~is_positive)[is_positive]
    below = np.cumsum(weights[:, order[~is_positive]], axis=1)
    above = weights[:, order[is_positive]]
    won = np.einsum("ij,ij->i", above, np.pad(below, ((0, 0), (1, 0)))[:, losing])
    total = above.sum(axis=1) * (below[:, -1] if below.shape[1] else 0.0)
    return np.where(total > 0, won / np.where(total > 0, total, 1.0), np.nan)


def weighted_r2(predictions: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return R² (1 - residual / total sum of squares) for each row of weights; 0 where the truth is constant."""
    total_weight = weights.sum(axis=1)
    mean = weights @ truth / total_weight
    total = weights @ (truth * truth) - total_weight * mean**2
    residual = weights @ (truth - predictions) ** 2
    varies = total > 1e-12 * np.maximum(1.0, weights @ (truth * truth))
    return np.where(varies, 1 - residual / np.where(varies, total, 1.0), 0.0)
