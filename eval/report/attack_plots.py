"""Plots of attacks and of whole records: ROC curves on logarithmic axes, a map of records."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from paracosm.eval.report.svg import Scale, box, dot, line, path, svg, words

SIDE = 340
LEFT, BOTTOM, TOP = 54, 292, 14


def roc_plot(metric: Mapping[str, Any]) -> Markup | None:
    """Return the attack's true over its false positives, both on log axes, beside chance and the worst case."""
    ours = metric.get("curves", {}).get("roc")
    if not ours:
        return None
    worst = metric["anchors"].get("worst", {}).get("curves", {}).get("roc", [])
    lowest = min(each[0] for each in ours)
    decades = max(1, math.ceil(-math.log10(lowest) - 1e-9))
    across, up = Scale(-decades, 0, LEFT, SIDE - 12), Scale(-decades, 0, BOTTOM, TOP)
    parts: list[Markup] = []
    for power in range(-decades, 1):
        label = f"{10.0**power:.0%}" if power > -2 else f"{100 * 10.0**power:g}%"
        parts += [
            line(LEFT, up(power), SIDE - 12, up(power), "grid"),
            line(across(power), TOP, across(power), BOTTOM, "grid"),
            words(LEFT - 6, up(power) + 4, label, "tick", "end"),
            words(across(power), BOTTOM + 16, label, "tick"),
        ]
    parts.append(line(across(-decades), up(-decades), across(0), up(0), "limit"))
    for curve, kind in ((worst, "worst"), (ours, "synthetic")):
        points = [(across(_log(x, decades)), up(_log(y, decades))) for x, y in curve]
        if points:
            parts.append(path(points, f"curve {kind}"))
    parts.append(words((LEFT + SIDE - 12) / 2, SIDE - 8, "strangers named by mistake", "tick"))
    parts.append(words(14, (TOP + BOTTOM) / 2, "members named", "tick", turn=-90))
    return svg(
        SIDE, SIDE, f"{metric['title']}: members named over strangers named by mistake", parts, "plot roc"
    )


def _log(value: float, decades: int) -> float:
    return max(-decades, math.log10(value)) if value > 0 else -decades


def map_plot(places: Mapping[str, Any]) -> Markup | None:
    """Return training records as shaded cells and synthetic ones as dots."""
    shares: Sequence[Sequence[float]] = places["train"]
    if not shares or not places["synthetic"]:
        return None
    size, edge = 420, 8
    cell = (size - 2 * edge) / places["cells"]
    most = max(share for _, _, share in shares)
    parts = [
        box(
            edge + x * cell,
            size - edge - (y + 1) * cell,
            cell,
            cell,
            "bar train",
            hint=f"{share:.1%} of train records",
            opacity=0.15 + 0.85 * share / most,
        )
        for x, y, share in shares
    ]
    inner = size - 2 * edge
    parts += [dot(edge + x * inner, size - edge - y * inner, 2.5, "mapped") for x, y in places["synthetic"]]
    return svg(
        size, size, "Map of records: train as shaded cells, synthetic records as dots", parts, "plot map"
    )
