"""Confidence intervals of values, proportions and differences of proportions."""

import math
from typing import Any

from paracosm.eval.measuring.metric import NORMAL_95, Estimate


def around(value: float, variance: float, within: tuple[float, float], **rest: Any) -> Estimate:
    """Return an estimate with a normal 95% interval around `value`, clipped to the metric's range; its deviation is not.

    Args:
        value: the point estimate.
        variance: its sampling variance.
        within: the metric's range.
        rest: further attributes of the estimate.
    """
    deviation = math.sqrt(max(variance, 0.0))
    margin = NORMAL_95 * deviation
    low, high = max(within[0], value - margin), min(within[1], value + margin)
    return Estimate(value, low, high, sampling_deviation=deviation, **rest)


def wilson(events: float, trials: float, deviations: float = NORMAL_95) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927), 95% unless `deviations` says otherwise."""
    square = deviations**2
    centre = (events + square / 2) / (trials + square)
    margin = deviations / (trials + square) * math.sqrt(events * (trials - events) / trials + square / 4)
    return max(0.0, centre - margin), min(1.0, centre + margin)


def excess(
    events: float,
    trials: float,
    control_events: float,
    control_trials: float,
    deviations: float = NORMAL_95,
) -> Estimate:
    """Return a rate minus the control rate, with Newcombe's interval (1998, method 10), valid at 0 events too.

    The interval is the 95% one unless `deviations` says otherwise.
    """
    rate, control_rate = events / trials, control_events / control_trials
    low, high = wilson(events, trials, deviations)
    control_low, control_high = wilson(control_events, control_trials, deviations)
    value = rate - control_rate
    return Estimate(
        value,
        value - math.hypot(rate - low, control_high - control_rate),
        value + math.hypot(high - rate, control_rate - control_low),
    )
