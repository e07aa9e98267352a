"""SVG plots of the report: a metric between its anchors, curves of the loss and of augmentation."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from paracosm.eval.measuring.number_format import Unit, figure, interval
from paracosm.eval.report.svg import Scale, box, dot, line, path, scale_around, svg, words
from paracosm.eval.results.metric_entry import AnchorValue, MeasuredMetric, ReferenceAnchor

WIDTH = 640
NARROW = 340
ANCHOR_NAMES: dict[ReferenceAnchor, str] = {"floor": "floor", "ceiling": "ceiling", "worst": "worst case"}


def anchored(metric: MeasuredMetric, limit: float | None, width: int = WIDTH) -> Markup:
    """Return one metric as a dot with its interval between its anchors, and the gate's limit as a dashed line.

    Args:
        metric: what to draw.
        limit: the limit of a gate on the metric's value, where there is one.
        width: in pixels; below full width there are fewer ticks, so that letters keep their size on a phone.
    """
    unit, height, track = metric.unit, 86, 42
    anchors: dict[ReferenceAnchor, AnchorValue] = {
        name: metric.anchors[name] for name in ANCHOR_NAMES if name in metric.anchors
    }
    spans = [bound for entry in (metric, *anchors.values()) for bound in entry.interval]
    values = [metric.value, *spans, *(anchor.value for anchor in anchors.values())]
    scale = scale_around([*values, *([] if limit is None else [limit])], 30, width - 30)
    parts = [line(scale.start, track, scale.end, track, "track")]
    for tick in scale.ticks(5 if width == WIDTH else 3):
        x = scale(tick)
        parts += [line(x, track - 3, x, track + 3, "track"), words(x, height - 6, figure(tick, unit), "tick")]
    zero = anchors.get(metric.zero) if metric.zero else None
    if zero and "ceiling" in anchors:
        ends = sorted((scale(zero.value), scale(anchors["ceiling"].value)))
        parts.append(box(ends[0], track - 5, ends[1] - ends[0], 10, "between"))
    if limit is not None:
        parts.append(line(scale(limit), track - 22, scale(limit), track + 22, "limit"))
    parts += _anchor_marks(anchors, scale, track, unit, width)
    low, high = metric.interval
    parts.append(line(scale(low), track, scale(high), track, "interval"))
    hint = f"synthetic {figure(metric.value, unit)}, 95% interval {interval(low, high, unit)}"
    parts.append(dot(scale(metric.value), track, 7, "synthetic", hint))
    spoken = "; ".join(
        f"{ANCHOR_NAMES[name]} {figure(anchor.value, unit)}" for name, anchor in anchors.items()
    )
    return svg(width, height, f"{metric.title}: {hint}; {spoken}", parts, "plot anchored")


def _anchor_marks(
    anchors: Mapping[ReferenceAnchor, AnchorValue], scale: Scale, track: float, unit: Unit, width: int
) -> list[Markup]:
    """Return a tick and a name for each anchor; a name that would overlap another one moves below the track."""
    parts: list[Markup] = []
    end_above = end_below = float("-inf")
    for name, anchor in sorted(anchors.items(), key=lambda pair: pair[1].value):
        x = scale(anchor.value)
        text = f"{ANCHOR_NAMES[name]} {figure(anchor.value, unit)}"
        half = 3.2 * len(text)
        centre = min(max(x, half + 4), width - half - 4)
        low, high = anchor.interval
        parts.append(line(scale(low), track, scale(high), track, f"spread {name}"))
        parts.append(line(x, track - 12, x, track + 12, f"anchor {name}"))
        if centre - half > end_above:
            y, end_above = track - 20, centre + half
        elif centre - half > end_below:
            y, end_below = track + 24, centre + half
        else:
            y, end_above = track - 33, centre + half
        parts.append(words(centre, y, text, f"name {name}"))
        hint = f"{text}, 95% interval {interval(low, high, unit)}"
        parts.append(dot(x, track, 2.5, f"anchor {name}", hint))
    return parts


def loss_curve(history: Sequence[Mapping[str, Any]]) -> Markup | None:
    """Return bits per record over epochs, on train and on control, with the minimum of control marked.

    None with fewer than two points that have a control loss.
    """
    points = [point for point in history if point.get("control_bits") is not None]
    if len(points) < 2:
        return None
    height, left, bottom, top = 260, 52, 222, 16
    across = scale_around([point["epoch"] for point in points], left, WIDTH - 20, 0.03)
    keys = ("train_bits", "control_bits")
    up = scale_around(
        [point[key] for point in points for key in keys if point.get(key) is not None], bottom, top, 0.08
    )
    best = min(points, key=lambda point: point["control_bits"])
    best_x = across(best["epoch"])
    parts = [line(left, bottom, WIDTH - 20, bottom, "track")]
    for tick in up.ticks(4):
        parts.append(line(left, up(tick), WIDTH - 20, up(tick), "grid"))
        parts.append(words(left - 6, up(tick) + 4, f"{tick:g}", "tick", "end"))
    parts += [words(across(tick), bottom + 16, f"{tick:g}", "tick") for tick in across.ticks(6)]
    parts.append(words(WIDTH / 2, height - 4, "epoch", "tick"))
    if best is not points[-1]:
        beyond = across(points[-1]["epoch"]) - best_x
        parts.append(box(best_x, top, beyond, bottom - top, "memorised"))
    parts.append(line(best_x, top, best_x, bottom, "limit"))
    for key, kind in zip(keys, ("train", "control"), strict=True):
        curve = [(across(point["epoch"]), up(point[key])) for point in points if point.get(key) is not None]
        if curve:
            parts.append(path(curve, f"curve {kind}"))
            parts += [dot(x, y, 2.5, f"mark {kind}") for x, y in curve]
    parts.append(dot(best_x, up(best["control_bits"]), 5, "mark control best"))
    label = (
        f"Bits per record by epoch; control is lowest, {best['control_bits']:.2f}, at epoch {best['epoch']:g}"
    )
    return svg(WIDTH, height, label, parts, "plot curve")


def augmentation_curve(metric: MeasuredMetric) -> Markup | None:
    """Return the score of learners over the share of train, with and without synthetic records added.

    None where the metric has no such breakdown.
    """
    points = []
    for name, alone in metric.breakdown.items():
        share, found, _ = name.partition("% of train alone")
        together = metric.breakdown.get(f"{share}% and the candidate")
        if found and together is not None:
            points.append((float(share), float(alone), float(together)))
    if len(points) < 2:
        return None
    height, left, bottom, top = 260, 58, 212, 16
    across = Scale(-0.3, len(points) - 0.7, left, WIDTH - 20)
    up = scale_around([score for _, *both in points for score in both], bottom, top, 0.12)
    parts = [line(left, bottom, WIDTH - 20, bottom, "track")]
    for tick in up.ticks(4):
        parts.append(line(left, up(tick), WIDTH - 20, up(tick), "grid"))
        parts.append(words(left - 6, up(tick) + 4, f"{tick:.2f}", "tick", "end"))
    for index, (share, *_) in enumerate(points):
        parts.append(words(across(index), bottom + 16, f"{share:g}%", "tick"))
    parts.append(
        words((left + WIDTH) / 2, height - 8, "share of the training records that learners get", "tick")
    )
    parts.append(words(14, (top + bottom) / 2, "score", "tick", turn=-90))
    for kind, position in (("train", 1), ("synthetic", 2)):
        curve = [(across(index), up(point[position])) for index, point in enumerate(points)]
        parts.append(path(curve, f"curve {kind}"))
        for (x, y), point in zip(curve, points, strict=True):
            who = "real records alone" if kind == "train" else "real records with synthetic ones"
            parts.append(
                dot(x, y, 4, f"mark {kind}", f"{point[0]:g}% of train, {who}: {point[position]:.3f}")
            )
    return svg(
        WIDTH, height, "Score of learners, with and without synthetic records added", parts, "plot curve"
    )
