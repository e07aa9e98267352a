"""Confidence intervals of values, proportions and differences of proportions."""

import math
from typing import Any

from paracosm.eval.measuring.metric import NORMAL_95, Estimate


def around(value: float, variance: float, within: tuple[float, float], **rest: Any) -> Estimate:
    """Return the estimate whose 95% interval is normal around `value`, cut to the metric's range."""
    margin = NORMAL_95 * math.sqrt(max(variance, 0.0))
    return Estimate(value, max(within[0], value - margin), min(within[1], value + margin), **rest)


def wilson(events: float, trials: float) -> tuple[float, float]:
    """Return Wilson's 95% interval of a proportion (Wilson 1927)."""
    square = NORMAL_95**2
    centre = (events + square / 2) / (trials + square)
    margin = NORMAL_95 / (trials + square) * math.sqrt(events * (trials - events) / trials + square / 4)
    return max(0.0, centre - margin), min(1.0, centre + margin)


def excess(events: float, trials: float, control_events: float, control_trials: float) -> Estimate:
    """Return a rate minus control's rate, with Newcombe's interval (1998, method 10), sound at 0 events."""
    ours, theirs = events / trials, control_events / control_trials
    low, high = wilson(events, trials)
    control_low, control_high = wilson(control_events, control_trials)
    value = ours - theirs
    return Estimate(
        value,
        value - math.hypot(ours - low, control_high - theirs),
        value + math.hypot(high - ours, theirs - control_low),
    )
