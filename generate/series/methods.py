"""The methods: each draws paths of a series over the steps it has, or continues it, from random numbers of its own."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np

from paracosm.foundation.extras import require_extra
from paracosm.generate.series.decomposition import Decomposition, decompose
from paracosm.generate.series.regimes import regime_steps
from paracosm.generate.series.series import Series

Method = Literal["bootstrap", "structural", "regime"]
METHODS: tuple[Method, ...] = get_args(Method)
Deviations = Callable[[int, np.random.Generator], np.ndarray]
"""Draws the random part of a path: (steps, columns)."""


def blocks(rows: np.ndarray, steps: int, length: int, random: np.random.Generator) -> np.ndarray:
    """Return `steps` rows in random blocks of neighbouring ones (moving-block bootstrap, Kuensch 1989); columns stay together."""
    length = min(length, len(rows))
    starts = random.integers(0, len(rows) - length + 1, -(-steps // length))
    return rows[(starts[:, None] + np.arange(length)).ravel()[:steps]]


def block_length(steps: int, period: int) -> int:
    """Return the length of a block: two seasons, or the third root of the number of steps times four without a season."""
    return 2 * period if period > 1 else max(5, round(4 * steps ** (1 / 3)))


def draw_path(
    method: Method, series: Series, period: int, ahead: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return one path: its middle, from which it deviates, and its values, both (steps, columns) on the scale of the decomposition.

    Args:
        method: `bootstrap` puts blocks of the remainder on trend and season, or joins blocks of steps where there is no season;
            `regime` joins steps of states that follow each other as they do in the series; `structural` simulates a fitted
            local linear trend with a stochastic season for each column.
        series: that the method is fitted to.
        period: steps of a season; 1 for none.
        ahead: steps after the last one; 0 for a path over the steps of the series.
        random: of this path.
    """
    parts = decompose(series.values, period)
    if method == "structural":
        return _structural(parts, ahead, random)
    if method == "regime" or period == 1:
        return _joined_steps(method, parts, ahead, random)
    steps, begin = (ahead, len(series)) if ahead else (len(series), 0)
    middle = _continued_trend(parts, ahead) if ahead else parts.trend
    middle = middle + parts.seasonal(begin, steps)
    length = block_length(len(series), period)
    deviations = blocks(parts.remainder, steps, length, random)
    if ahead:
        # The slope goes on changing as it did; over the steps of the series the trend is that of the series.
        slopes = np.diff(parts.trend, axis=0)
        deviations = deviations + np.cumsum(
            blocks(slopes - slopes.mean(axis=0), ahead, length, random), axis=0
        )
    return middle, middle + deviations


def _continued_trend(parts: Decomposition, ahead: int) -> np.ndarray:
    """Return the trend after the last step, by the mean slope of the last two seasons: (steps, columns)."""
    reach = min(2 * parts.period, len(parts.trend) - 1)
    slope = (parts.trend[-1] - parts.trend[-1 - reach]) / reach
    return parts.trend[-1] + slope * np.arange(1, ahead + 1)[:, None]


def _joined_steps(
    method: Method, parts: Decomposition, ahead: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a path whose differences between neighbouring steps are drawn from those of the series."""
    deseasoned = parts.trend + parts.remainder
    steps, count = np.diff(deseasoned, axis=0), ahead or len(deseasoned) - 1
    if method == "regime":
        drawn = regime_steps(steps, count, random, from_last=bool(ahead))
    else:
        drawn = blocks(steps, count, block_length(len(steps), 1), random)
    start = deseasoned[-1] if ahead else deseasoned[0]
    drift = start + steps.mean(axis=0) * np.arange(0 if not ahead else 1, count + 1)[:, None]
    path = start + np.cumsum(drawn, axis=0)
    if not ahead:
        path = np.concatenate([start[None], path])
    season = parts.seasonal(len(deseasoned) if ahead else 0, len(path))
    return drift + season, path + season


def _structural(
    parts: Decomposition, ahead: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a path of structural models, one for each column, so that columns do not move together (Harvey 1989)."""
    require_extra("statsmodels", "series", "method structural")
    import warnings

    from statsmodels.tsa.statespace.structural import UnobservedComponents

    scaled = parts.trend + parts.seasonal(0, len(parts.trend)) + parts.remainder
    columns, middles = [], []
    for column in scaled.T:
        settings: dict[str, Any] = {"level": "local linear trend", "autoregressive": 1}
        if parts.period > 1:
            settings["seasonal"] = parts.period
        model = UnobservedComponents(column, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted: Any = model.fit(disp=False, maxiter=50)
            if ahead:
                middles.append(np.asarray(fitted.forecast(ahead)))
                columns.append(np.asarray(fitted.simulate(ahead, anchor="end", rng=random)))
                continue
            # From the first state, smoothed by all that is known.
            start = np.asarray(fitted.smoothed_state)[:, 0]
            middles.append(np.asarray(fitted.fittedvalues))
            columns.append(np.asarray(fitted.simulate(len(column), initial_state=start, rng=random)))
    return np.stack(middles, axis=1), np.stack(columns, axis=1)
