"""How a figure is written for people."""

from typing import Literal

Unit = Literal["percent", "points", "plain"]


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
