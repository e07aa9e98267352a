"""Confidence interval for any statistic of two samples, by the delete-a-group jackknife."""

from collections.abc import Callable

import numpy as np
from scipy.stats import t as student

from paracosm.eval.measuring.metric import Estimate

GROUPS = 10


def jackknifed(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    rows: tuple[int, int],
    seed: int,
    within: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Return a statistic with its 95% interval by the delete-a-group jackknife over both samples (Kott 2001).

    Args:
        statistic: function of the row numbers of the first and of the second sample.
        rows: sizes of the samples.
        seed: of the division into groups.
        within: range of the statistic; the interval is clipped to it.
    """
    value = float(statistic(np.arange(rows[0]), np.arange(rows[1])))
    random, variance = np.random.default_rng([seed, 59]), 0.0
    for side in (0, 1):
        group_of = random.permutation(np.arange(rows[side]) % GROUPS)
        values = []
        for group in range(GROUPS):
            kept = [np.arange(count) for count in rows]
            kept[side] = np.flatnonzero(group_of != group)
            values.append(statistic(*kept))
        variance += (GROUPS - 1) / GROUPS * float(np.sum((np.array(values) - np.mean(values)) ** 2))
    # Student's t, since so few groups estimate a variance badly.
    margin = float(student.ppf(0.975, 2 * (GROUPS - 1))) * float(np.sqrt(variance))
    return Estimate(value, max(within[0], value - margin), min(within[1], value + margin))
