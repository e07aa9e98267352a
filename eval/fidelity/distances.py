"""Distances between two distributions that are given as counts: Kolmogorov-Smirnov, total variation, Jensen-Shannon."""

import numpy as np


def ks_distance(candidate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the Kolmogorov-Smirnov distance of the present values, or the difference in missing share if larger.

    Args:
        candidate: counts (resamples x bins); bin 0 counts missing cells, the others are in order of value.
        reference: counts of the other side, in the same bins.
    """
    absent = np.abs(_shares(candidate)[:, 0] - _shares(reference)[:, 0])
    first, second = (np.cumsum(_shares(side[:, 1:]), axis=1) for side in (candidate, reference))
    if not first.shape[1]:
        return absent
    return np.maximum(absent, np.abs(first - second).max(axis=1))


def tv_distance(candidate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the total variation distance of counts (resamples x bins)."""
    return np.abs(_shares(candidate) - _shares(reference)).sum(axis=1) / 2


def js_distance(candidate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon distance (square root of the divergence, base 2) of counts (resamples x bins)."""
    first, second = np.broadcast_arrays(_shares(candidate), _shares(reference))
    middle = (first + second) / 2
    divergence = sum(
        np.where(side > 0, side * np.log2(np.maximum(side, 1e-300) / np.maximum(middle, 1e-300)), 0).sum(
            axis=1
        )
        / 2
        for side in (first, second)
    )
    return np.sqrt(np.maximum(divergence, 0.0))


def _shares(counts: np.ndarray) -> np.ndarray:
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.where(total > 0, total, 1.0)
