"""Paths of a series: over the steps it has, or after them, under a scenario, each with its own random stream."""

import numpy as np
import pandas as pd

from paracosm.generate.series.decomposition import decompose
from paracosm.generate.series.methods import Method, draw_path
from paracosm.generate.series.scenario import Scenario
from paracosm.generate.series.series import Series


def paths(
    method: Method,
    series: Series,
    *,
    count: int,
    period: int = 1,
    ahead: int = 0,
    scenario: Scenario = Scenario(),  # noqa: B008  # frozen
    seed: int = 0,
) -> np.ndarray:
    """Draw paths: (count, steps, columns). A path follows from the seed and its number alone.

    Args:
        method: see `draw_path`.
        series: to fit.
        count: number of paths.
        period: steps of a season; 1 for none.
        ahead: steps after the last one; 0 for paths over the steps of the series.
        scenario: changes of the paths.
        seed: of the random numbers.
    """
    parts = decompose(series.values, period)
    base = series.values[-1] if ahead else series.values[0]
    drawn = []
    for number in range(count):
        random = np.random.default_rng([seed, number])
        middle, path = draw_path(method, series, period, ahead, random)
        drawn.append(scenario.applied(parts.values(scenario.scaled(middle, path)), base))
    return np.stack(drawn)


def as_table(drawn: np.ndarray, series: Series, time: str, *, ahead: int = 0) -> pd.DataFrame:
    """Return paths as a table: number of the path, time, and the columns of the series."""
    times = series.times_after(ahead) if ahead else series.times
    count, steps, _ = drawn.shape
    table = pd.DataFrame(drawn.reshape(count * steps, -1), columns=list(series.names))
    table.insert(0, time, np.tile(times.to_numpy(), count))
    table.insert(0, "path", np.repeat(np.arange(1, count + 1), steps))
    return table
