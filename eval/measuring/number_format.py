"""Numbers as text: the one place that decides units, digits and intervals."""

import math
from typing import Literal

Unit = Literal["percent", "points", "plain"]
MAX_DECIMALS = 3


def figure(value: float, unit: Unit) -> str:
    """Return `value` as text: 0.9613 is 96.1% (percent), 96.1 pp (points: a difference of rates) or 0.961 (plain)."""
    if unit == "plain":
        return f"{value:.3f}" if abs(value) < 100 else f"{value:.4g}"
    percent = 100 * value
    text = f"{percent:.1f}" if abs(percent) >= 1 or percent == 0 else f"{percent:.2g}"
    return text + ("%" if unit == "percent" else " pp")


def interval(low: float, high: float, unit: Unit) -> str:
    """Return a 95% interval as text."""
    return f"{figure(low, unit)} to {figure(high, unit)}"


def bracketed(low: float, high: float, unit: Unit) -> str:
    """Return a 95% interval without its unit, such as `[1.2, 3.4]`, with two significant digits of its width."""
    scale = 1 if unit == "plain" else 100
    width = scale * (high - low)
    decimals = 1 - math.floor(math.log10(width)) if width > 0 else 2
    decimals = min(max(decimals, 0), MAX_DECIMALS)
    ends = (round(scale * end, decimals) + 0.0 for end in (low, high))
    return f"[{', '.join(f'{end:.{decimals}f}' for end in ends)}]"


def bound_forms(bound: float) -> dict[str, str]:
    """Return a positive bound in the forms that sentences use: `percent`, `lost` (1 - bound), `one_in`, `of_100` and `plain`."""
    return {
        "percent": figure(bound, "percent"),
        "lost": figure(max(0.0, 1 - bound), "percent"),
        "one_in": f"1 in {math.floor(1 / bound):,}" if bound <= 0.2 else f"{figure(bound, 'percent')} of the",
        "of_100": of_100(bound),
        "plain": figure(bound, "plain"),
    }


def percentage(share: float, digits: int = 0) -> str:
    """Return a share as a percentage with a fixed number of digits, for running text."""
    return f"{100 * share:.{digits}f}%"


def of_100(share: float) -> str:
    """Return a share as a whole number out of 100, for sentences such as `in 57 of 100 pairs`."""
    return f"{100 * share:.0f}"
