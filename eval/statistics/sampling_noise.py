"""Statistics of one sample with their sampling variance: means, standard deviations, shares and correlations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST_RECORDS = 5
"""Records below which a statistic of real records is not shown, so that none speaks of one person."""


@dataclass(frozen=True)
class Measured:
    """A statistic, its sampling variance, and whether enough records stand behind it to be shown."""

    value: float
    variance: float
    shown: bool


NOTHING = Measured(np.nan, np.nan, False)


def mean(values: np.ndarray) -> Measured:
    """Return the mean of present values."""
    return Measured(float(values.mean()), float(values.var() / len(values)), True)


def spread(values: np.ndarray) -> Measured:
    """Return the standard deviation of present values; its variance follows from their fourth moment (Cramér 1946, 28.4)."""
    deviations = values - values.mean()
    square = float((deviations**2).mean())
    if square <= 0:
        return Measured(0.0, 0.0, True)
    excess = max(float((deviations**4).mean()) - square**2, 0.0)
    return Measured(float(np.sqrt(square)), excess / (4 * square * len(values)), True)


def share(flags: np.ndarray) -> Measured:
    """Return the share of records; a count of 1 to 4 is not shown.

    The variance is that of one more record on either side (Agresti & Coull 1998), since a share of 0 or 1 has none by itself.
    """
    count, rows = float(np.sum(flags)), len(flags)
    if not rows:
        return NOTHING
    smoothed = (count + 2) / (rows + 4)
    return Measured(count / rows, smoothed * (1 - smoothed) / (rows + 4), not 0 < count < FEWEST_RECORDS)


def correlation(one: np.ndarray, other: np.ndarray, *, ranked: bool) -> Measured:
    """Return the Pearson correlation of the rows where both values are present, or that of their ranks (Spearman).

    Its variance is that of its influence function, x y - r (x^2 + y^2) / 2 of standardised values.
    """
    from scipy.stats import rankdata

    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < FEWEST_RECORDS:
        return NOTHING
    x, y = (rankdata(side[both]) if ranked else side[both] for side in (one, other))
    if x.std() <= 0 or y.std() <= 0:
        return NOTHING
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    value = float((x * y).mean())
    influence = x * y - value * (x**2 + y**2) / 2
    return Measured(value, float(influence.var() / len(x)), True)


def cramers_v(one: np.ndarray, other: np.ndarray) -> Measured:
    """Return the square of the bias-corrected Cramér's V of two columns of words (Bergsma 2013).

    Its variance is that of the influence function of phi squared, and that which independent columns have.
    """
    rows, columns = (pd.factorize(side)[0] for side in (one, other))
    counts = np.zeros((rows.max(initial=0) + 1, columns.max(initial=0) + 1))
    np.add.at(counts, (rows, columns), 1.0)
    number, shape = len(one), np.array(counts.shape)
    if number < FEWEST_RECORDS or shape.min() < 2:
        return NOTHING
    joint = counts / number
    first, second = joint.sum(axis=1, keepdims=True), joint.sum(axis=0, keepdims=True)
    terms = joint**2 / (first * second)
    freedom = float((shape - 1).prod())
    phi = float(terms.sum() - 1)
    influence = (
        2 * joint / (first * second)
        - terms.sum(axis=1, keepdims=True) / first
        - terms.sum(axis=0, keepdims=True) / second
    )[rows, columns]
    corrected = shape - (shape - 1) ** 2 / (number - 1)
    scale = max(float(corrected.min()) - 1, 1e-9)
    variance = (float(influence.var()) / number + 2 * freedom / number**2) / scale**2
    return Measured(max(phi - freedom / (number - 1), 0.0) / scale, variance, True)
