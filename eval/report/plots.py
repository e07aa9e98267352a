"""SVG plots of the report: a metric between its anchors, two distributions, a map of pairs, a loss curve."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from paracosm.eval.measuring.number_format import Unit, figure, interval
from paracosm.eval.report.svg import Scale, box, dot, line, path, scale_around, shortened, svg, words
from paracosm.eval.results.metric_entry import AnchorValue, MeasuredMetric, ReferenceAnchor
from paracosm.eval.results.report_data import Distribution

WIDTH = 640
NARROW = 340
ANCHOR_NAMES: dict[ReferenceAnchor, str] = {"floor": "floor", "ceiling": "ceiling", "worst": "worst case"}
MAX_MAPPED = 40
"""Columns in the map of pairs; more would be too small to read."""


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


def distribution(shares: Distribution) -> Markup:
    """Return the shares of train and of synthetic records side by side, one pair of bars for each bin."""
    if shares.kind == "categories":
        return _category_bars(shares)
    width, height, base = 300, 120, 98
    top = max(*shares.train, *shares.synthetic, 1e-9)
    step = (width - 8) / len(shares.labels)
    parts = []
    for index, label in enumerate(shares.labels):
        x = 4 + index * step
        for offset, side, values in ((0.08, "train", shares.train), (0.5, "synthetic", shares.synthetic)):
            share = values[index]
            tall = share / top * (base - 10)
            hint = f"{label}: {share:.1%} of {side} records"
            parts.append(box(x + offset * step, base - tall, 0.42 * step, tall, f"bar {side}", hint=hint))
    parts.append(line(2, base, width - 2, base, "track"))
    parts.append(words(4, height - 6, shares.labels[0], "tick", "start"))
    if len(shares.labels) > 1:
        parts.append(words(width - 4, height - 6, shares.labels[-1], "tick", "end"))
    return svg(width, height, f"{shares.field}: shares of train and synthetic records", parts)


def _category_bars(shares: Distribution) -> Markup:
    width, row = 300, 24
    top = max(*shares.train, *shares.synthetic, 1e-9)
    parts = []
    for index, label in enumerate(shares.labels):
        y = 4 + index * row
        parts.append(words(108, y + 13, shortened(label, 17), "tick", "end"))
        for offset, side, values in ((1, "train", shares.train), (10, "synthetic", shares.synthetic)):
            share = values[index]
            hint = f"{label}: {share:.1%} of {side} records"
            parts.append(box(114, y + offset, share / top * (width - 152), 8, f"bar {side}", hint=hint))
        parts.append(words(width - 2, y + 13, f"{shares.synthetic[index]:.0%}", "tick", "end"))
    height = 8 + row * len(shares.labels)
    return svg(width, height, f"{shares.field}: shares of train and synthetic records", parts)


def pair_map(
    fields: Sequence[str], synthetic: Mapping[str, float], real: Mapping[str, float]
) -> Markup | None:
    """Return the error of each pair of fields as a shaded cell; None with fewer than two fields.

    Args:
        fields: names in the order of the table.
        synthetic: `A × B` -> similarity of the synthetic records, drawn below the diagonal.
        real: the same for fresh real records, drawn above it.
    """
    names = [name for name in fields if any(name in pair.split(" × ") for pair in synthetic)][:MAX_MAPPED]
    if len(names) < 2:
        return None
    cell, left = (26 if len(names) <= 20 else 15), 130
    size = cell * len(names)
    largest = max([1 - score for score in (*synthetic.values(), *real.values())] or [1]) or 1
    parts = []
    for row, row_name in enumerate(names):
        label = shortened(row_name, 18)
        parts.append(words(left - 6, 8 + row * cell + cell * 0.65, label, "tick", "end"))
        parts.append(words(left + row * cell + cell * 0.65, size + 18, label, "tick", "end", turn=-50))
        for column, column_name in enumerate(names):
            x, y = left + column * cell, 8 + row * cell
            if row == column:
                parts.append(box(x, y, cell - 1, cell - 1, "diagonal"))
                continue
            below = row > column
            scores, kind, records = (
                (synthetic, "cell synthetic", "synthetic") if below else (real, "cell real", "fresh real")
            )
            pair = f"{column_name} × {row_name}" if below else f"{row_name} × {column_name}"
            if (score := scores.get(pair)) is None:
                continue
            hint = f"{pair}: error {1 - score:.1%} in {records} records"
            shade = 0.04 + 0.96 * (1 - score) / largest
            parts.append(box(x, y, cell - 1, cell - 1, kind, hint=hint, opacity=shade))
    label = f"Error of each pair of columns; at most {largest:.1%}"
    height = size + 12 + 6 * min(18, max(map(len, names)))
    return svg(left + size + 12, height, label, parts, "plot pairs")


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
