"""SVG plots of attacks and of whole records: ROC curves on logarithmic axes, a map of records."""

import math

from markupsafe import Markup

from paracosm.eval.report.svg import Scale, box, dot, line, path, svg, words
from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.eval.results.report_data import RecordMap

SIDE = 340
LEFT, RIGHT, TOP, BOTTOM = 54, SIDE - 12, 14, 292
MAP_SIDE, MAP_EDGE = 420, 8


def roc_plot(metric: MeasuredMetric) -> Markup | None:
    """Return the attack's true positive rate over its false positive rate, beside chance and the worst case.

    Both axes are logarithmic. None where the metric has no ROC curve.
    """
    curve = (metric.curves or {}).get("roc")
    if not curve:
        return None
    worst_anchor = metric.anchors.get("worst")
    worst = ((worst_anchor.curves if worst_anchor else None) or {}).get("roc", [])
    lowest = min(point[0] for point in curve)
    decades = max(1, math.ceil(-math.log10(lowest) - 1e-9))
    across, up = Scale(-decades, 0, LEFT, RIGHT), Scale(-decades, 0, BOTTOM, TOP)
    parts: list[Markup] = []
    for power in range(-decades, 1):
        label = f"{10.0**power:.0%}" if power > -2 else f"{100 * 10.0**power:g}%"
        parts += [
            line(LEFT, up(power), RIGHT, up(power), "grid"),
            line(across(power), TOP, across(power), BOTTOM, "grid"),
            words(LEFT - 6, up(power) + 4, label, "tick", "end"),
            words(across(power), BOTTOM + 16, label, "tick"),
        ]
    parts.append(line(across(-decades), up(-decades), across(0), up(0), "limit"))
    for rates, kind in ((worst, "worst"), (curve, "synthetic")):
        points = [(across(_log(x, decades)), up(_log(y, decades))) for x, y in rates]
        if points:
            parts.append(path(points, f"curve {kind}"))
    parts.append(words((LEFT + RIGHT) / 2, SIDE - 8, "false positive rate", "tick"))
    parts.append(words(14, (TOP + BOTTOM) / 2, "true positive rate", "tick", turn=-90))
    label = f"{metric.title}: true positive rate over false positive rate"
    return svg(SIDE, SIDE, label, parts, "plot roc")


def _log(value: float, decades: int) -> float:
    return max(-decades, math.log10(value)) if value > 0 else -decades


def map_plot(record_map: RecordMap) -> Markup | None:
    """Return training records as shaded cells and synthetic ones as dots; None where one side is empty."""
    if not record_map.train or not record_map.synthetic:
        return None
    inner = MAP_SIDE - 2 * MAP_EDGE
    bottom = MAP_SIDE - MAP_EDGE
    cell = inner / record_map.cells
    largest = max(share for _, _, share in record_map.train)
    parts = [
        box(
            MAP_EDGE + x * cell,
            bottom - (y + 1) * cell,
            cell,
            cell,
            "bar train",
            hint=f"{share:.1%} of train records",
            opacity=0.15 + 0.85 * share / largest,
        )
        for x, y, share in record_map.train
    ]
    parts += [dot(MAP_EDGE + x * inner, bottom - y * inner, 2.5, "mapped") for x, y in record_map.synthetic]
    label = "Map of records: train as shaded cells, synthetic records as dots"
    return svg(MAP_SIDE, MAP_SIDE, label, parts, "plot map")
