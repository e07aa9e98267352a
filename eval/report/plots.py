"""The report's plots: a figure between its anchors, two distributions, a map of pairs, a loss curve."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from paracosm.eval.measuring.number_format import figure, interval
from paracosm.eval.report.svg import Scale, box, dot, line, path, scale_around, shortened, svg, words

WIDTH = 640
NARROW = 340
ANCHOR_NAMES = {"floor": "floor", "ceiling": "ceiling", "worst": "worst case"}
MOST_MAPPED = 40


def anchored(metric: Mapping[str, Any], limit: float | None, width: int = WIDTH) -> Markup:
    """Return one metric as a dot with its interval between its anchors, the gate's limit as a dashed line.

    Below full width it has fewer ticks: letters must not shrink with it on a phone.
    """
    unit, height, track = metric["unit"], 86, 42
    anchors = {name: metric["anchors"][name] for name in ANCHOR_NAMES if name in metric["anchors"]}
    spans = [bound for each in (metric, *anchors.values()) for bound in each["interval"]]
    values = [metric["value"], *spans, *(each["value"] for each in anchors.values())]
    scale = scale_around([*values, *([] if limit is None else [limit])], 30, width - 30)
    parts = [line(scale.start, track, scale.end, track, "track")]
    for tick in scale.ticks(5 if width == WIDTH else 3):
        x = scale(tick)
        parts += [line(x, track - 3, x, track + 3, "track"), words(x, height - 6, figure(tick, unit), "tick")]
    zero = anchors.get(metric["zero"]) if metric["zero"] else None
    if zero and "ceiling" in anchors:
        ends = sorted((scale(zero["value"]), scale(anchors["ceiling"]["value"])))
        parts.append(box(ends[0], track - 5, ends[1] - ends[0], 10, "between"))
    if limit is not None:
        parts.append(line(scale(limit), track - 22, scale(limit), track + 22, "limit"))
    parts += _anchor_marks(anchors, scale, track, unit, width)
    low, high = metric["interval"]
    parts.append(line(scale(low), track, scale(high), track, "interval"))
    hint = f"synthetic {figure(metric['value'], unit)}, 95% interval {interval(low, high, unit)}"
    parts.append(dot(scale(metric["value"]), track, 7, "synthetic", hint))
    spoken = "; ".join(
        f"{ANCHOR_NAMES[name]} {figure(each['value'], unit)}" for name, each in anchors.items()
    )
    return svg(width, height, f"{metric['title']}: {hint}; {spoken}", parts, "plot anchored")


def _anchor_marks(
    anchors: Mapping[str, Any], scale: Scale, track: float, unit: Any, width: int
) -> list[Markup]:
    """Return a tick and a name for each anchor; names that would collide step down below the track."""
    parts: list[Markup] = []
    above = below = float("-inf")
    for name, each in sorted(anchors.items(), key=lambda pair: pair[1]["value"]):
        x = scale(each["value"])
        text = f"{ANCHOR_NAMES[name]} {figure(each['value'], unit)}"
        half = 3.2 * len(text)
        centre = min(max(x, half + 4), width - half - 4)
        low, high = each["interval"]
        span = interval(low, high, unit)
        parts.append(
            line(scale(each["interval"][0]), track, scale(each["interval"][1]), track, f"spread {name}")
        )
        parts.append(line(x, track - 12, x, track + 12, f"anchor {name}"))
        if centre - half > above:
            y, above = track - 20, centre + half
        elif centre - half > below:
            y, below = track + 24, centre + half
        else:
            y, above = track - 33, centre + half
        parts.append(words(centre, y, text, f"name {name}"))
        parts.append(dot(x, track, 2.5, f"anchor {name}", f"{text}, 95% interval {span}"))
    return parts


def distribution(shares: Mapping[str, Any]) -> Markup:
    """Return train and synthetic shares side by side, one pair of bars a bin."""
    if shares["kind"] == "categories":
        return _category_bars(shares)
    width, height, base = 300, 120, 98
    top = max(*shares["train"], *shares["synthetic"], 1e-9)
    step = (width - 8) / len(shares["labels"])
    parts = []
    for number, label in enumerate(shares["labels"]):
        x = 4 + number * step
        for offset, side in ((0.08, "train"), (0.5, "synthetic")):
            share = shares[side][number]
            tall = share / top * (base - 10)
            hint = f"{label}: {share:.1%} of {side} records"
            parts.append(box(x + offset * step, base - tall, 0.42 * step, tall, f"bar {side}", hint=hint))
    parts.append(line(2, base, width - 2, base, "track"))
    parts.append(words(4, height - 6, shares["labels"][0], "tick", "start"))
    if len(shares["labels"]) > 1:
        parts.append(words(width - 4, height - 6, shares["labels"][-1], "tick", "end"))
    return svg(width, height, f"{shares['field']}: shares of train and synthetic records", parts)


def _category_bars(shares: Mapping[str, Any]) -> Markup:
    width, row = 300, 24
    top = max(*shares["train"], *shares["synthetic"], 1e-9)
    parts = []
    for number, label in enumerate(shares["labels"]):
        y = 4 + number * row
        parts.append(words(108, y + 13, shortened(label, 17), "tick", "end"))
        for offset, side in ((1, "train"), (10, "synthetic")):
            share = shares[side][number]
            hint = f"{label}: {share:.1%} of {side} records"
            parts.append(box(114, y + offset, share / top * (width - 152), 8, f"bar {side}", hint=hint))
        parts.append(words(width - 2, y + 13, f"{shares['synthetic'][number]:.0%}", "tick", "end"))
    height = 8 + row * len(shares["labels"])
    return svg(width, height, f"{shares['field']}: shares of train and synthetic records", parts)


def pair_map(fields: Sequence[str], ours: Mapping[str, float], real: Mapping[str, float]) -> Markup | None:
    """Return how far each pair of fields is off: below the diagonal synthetic records, above it fresh real ones."""
    names = [name for name in fields if any(name in pair.split(" × ") for pair in ours)][:MOST_MAPPED]
    if len(names) < 2:
        return None
    cell, left = (26 if len(names) <= 20 else 15), 130
    size = cell * len(names)
    worst = max([1 - each for each in (*ours.values(), *real.values())] or [1]) or 1
    parts = []
    for row, one in enumerate(names):
        parts.append(words(left - 6, 8 + row * cell + cell * 0.65, shortened(one, 18), "tick", "end"))
        parts.append(
            words(left + row * cell + cell * 0.65, size + 18, shortened(one, 18), "tick", "end", turn=-50)
        )
        for column, other in enumerate(names):
            if row == column:
                parts.append(box(left + column * cell, 8 + row * cell, cell - 1, cell - 1, "diagonal"))
                continue
            whose, side = ("synthetic", ours) if row > column else ("fresh real", real)
            first, second = (other, one) if row > column else (one, other)
            if (value := side.get(f"{first} × {second}")) is None:
                continue
            hint = f"{first} × {second}: {1 - value:.1%} off in {whose} records"
            kind = "cell synthetic" if row > column else "cell real"
            shade = 0.04 + 0.96 * (1 - value) / worst
            x, y = left + column * cell, 8 + row * cell
            parts.append(box(x, y, cell - 1, cell - 1, kind, hint=hint, opacity=shade))
    label = f"How far pairs of columns are off; at most {worst:.1%}"
    return svg(left + size + 12, size + 12 + 6 * min(18, max(map(len, names))), label, parts, "plot pairs")


def loss_curve(history: Sequence[Mapping[str, Any]]) -> Markup | None:
    """Return bits per record over epochs, on train and on control, with the minimum of control marked."""
    points = [each for each in history if each.get("control_bits") is not None]
    if len(points) < 2:
        return None
    height, left, bottom = 260, 52, 222
    across = scale_around([each["epoch"] for each in points], left, WIDTH - 20, 0.03)
    bits = [
        each[key] for each in points for key in ("train_bits", "control_bits") if each.get(key) is not None
    ]
    up = scale_around(bits, bottom, 16, 0.08)
    best = min(points, key=lambda each: each["control_bits"])
    parts = [line(left, bottom, WIDTH - 20, bottom, "track")]
    for tick in up.ticks(4):
        parts += [
            line(left, up(tick), WIDTH - 20, up(tick), "grid"),
            words(left - 6, up(tick) + 4, f"{tick:g}", "tick", "end"),
        ]
    parts += [words(across(tick), bottom + 16, f"{tick:g}", "tick") for tick in across.ticks(6)]
    parts.append(words(WIDTH / 2, height - 4, "epoch", "tick"))
    if best is not points[-1]:
        parts.append(
            box(
                across(best["epoch"]),
                16,
                across(points[-1]["epoch"]) - across(best["epoch"]),
                bottom - 16,
                "memorised",
            )
        )
    parts.append(line(across(best["epoch"]), 16, across(best["epoch"]), bottom, "limit"))
    for key, kind in (("train_bits", "train"), ("control_bits", "control")):
        drawn = [(across(each["epoch"]), up(each[key])) for each in points if each.get(key) is not None]
        if not drawn:
            continue
        parts.append(path(drawn, f"curve {kind}"))
        parts += [dot(x, y, 2.5, f"mark {kind}") for x, y in drawn]
    parts.append(dot(across(best["epoch"]), up(best["control_bits"]), 5, "mark control best"))
    label = (
        f"Bits per record by epoch; control is lowest, {best['control_bits']:.2f}, at epoch {best['epoch']:g}"
    )
    return svg(WIDTH, height, label, parts, "plot curve")
