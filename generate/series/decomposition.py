"""Division of a series into trend, season and remainder, or into steps where it has no season."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Decomposition:
    """The parts of a series on the scale on which they add up: logarithms where all values are positive.

    Attributes:
        logarithmic: per column, whether the scale is logarithmic.
        trend: (steps, columns).
        season: (period, columns), means of the phases; zeros without a season.
        remainder: (steps, columns), what is left.
        period: steps of a season; 1 for none.
    """

    logarithmic: np.ndarray
    trend: np.ndarray
    season: np.ndarray
    remainder: np.ndarray
    period: int

    def seasonal(self, begin: int, steps: int) -> np.ndarray:
        """Return the season of `steps` steps that start at step `begin`: (steps, columns)."""
        return self.season[(begin + np.arange(steps)) % self.period]

    def values(self, scaled: np.ndarray) -> np.ndarray:
        """Return values from the scale of the parts."""
        return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, scaled, 0.0)), scaled)


def decompose(values: np.ndarray, period: int) -> Decomposition:
    """Divide a series (Kendall's classical decomposition): a centred moving average of a season, means of phases, the rest.

    Args:
        values: (steps, columns).
        period: steps of a season; 1 for none. The trend is then the series itself.
    """
    logarithmic = np.asarray((values > 0).all(axis=0))
    scaled = np.where(logarithmic, np.log(np.where(logarithmic, values, 1.0)), values)
    if period == 1:
        zero = np.zeros((1, values.shape[1]))
        return Decomposition(logarithmic, scaled, zero, np.zeros_like(scaled), 1)
    trend = np.stack([_moving_average(column, period) for column in scaled.T], axis=1)
    phases = np.arange(len(scaled)) % period
    season = np.stack([(scaled - trend)[phases == phase].mean(axis=0) for phase in range(period)])
    season -= season.mean(axis=0)
    return Decomposition(logarithmic, trend, season, scaled - trend - season[phases], period)


def _moving_average(column: np.ndarray, period: int) -> np.ndarray:
    """Return the centred average over a season; at the ends, the line through the nearest averages of a season continues it."""
    weights = np.ones(period + 1 - period % 2) / period
    if period % 2 == 0:
        weights[[0, -1]] /= 2
    inner = np.convolve(column, weights, mode="valid")
    half = len(weights) // 2
    steps = np.arange(min(len(inner), 2 * period))
    first, last = np.polyfit(steps, inner[: len(steps)], 1), np.polyfit(steps, inner[-len(steps) :], 1)
    before = np.polyval(first, np.arange(-half, 0))
    after = np.polyval(last, len(steps) - 1 + np.arange(1, half + 1))
    return np.concatenate([before, inner, after])
