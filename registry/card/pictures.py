"""Pictures of the cards: the metrics of a section between their anchors, as a PNG that is the same on every machine."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from paracosm.eval.measuring.number_format import figure
from paracosm.eval.results.metric_entry import MeasuredMetric, ReferenceAnchor

WIDTH, ROW, HEAD = 8.0, 0.95, 0.62
"""Inches."""
INK, PALE, ACCENT = "#1f2933", "#7b8794", "#0b6e8f"
ANCHOR_MARKS: dict[ReferenceAnchor, tuple[str, str, str, str]] = {
    "floor": ("floor", "#b45309", "v", "▼"),
    "ceiling": ("ceiling", "#2f855a", "^", "▲"),
    "worst": ("worst case", "#9b2c2c", "X", "✖"),
}
"""Anchor -> its name, colour, marker, and the marker as a letter."""
LONGEST_TITLE = 90


def section_picture(
    metrics: Sequence[MeasuredMetric],
    limits: Mapping[str, float],
    labels: Mapping[str, Mapping[str, str]],
) -> bytes:
    """Draw one row for each metric: its value with the 95% interval, its anchors, and the gate's limit where there is one.

    Args:
        metrics: at least one.
        limits: metric -> the limit of the gate on its value.
        labels: metric -> anchor -> what the anchor is.

    Returns:
        A PNG, the same bytes for the same metrics and version of matplotlib.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({**mpl.rcParamsDefault, "font.family": "DejaVu Sans", "font.size": 9}):
        height = HEAD + ROW * len(metrics)
        drawing = Figure(figsize=(WIDTH, height), facecolor="white", layout=None)
        FigureCanvasAgg(drawing)
        rows = drawing.subplots(len(metrics), 1, squeeze=False)[:, 0]
        drawing.subplots_adjust(
            left=0.03, right=0.97, top=1 - (HEAD + 0.12) / height, bottom=0.3 / height, hspace=1.6
        )
        for axes, metric in zip(rows, metrics, strict=True):
            _draw(axes, metric, limits.get(metric.name), labels.get(metric.name, {}))
        _legend(drawing)
        content = io.BytesIO()
        drawing.savefig(content, format="png", dpi=130, metadata={"Software": None})
    return content.getvalue()


def _draw(axes: Any, metric: MeasuredMetric, limit: float | None, labels: Mapping[str, str]) -> None:
    anchors: dict[ReferenceAnchor, float] = {
        name: metric.anchors[name].value for name in ANCHOR_MARKS if name in metric.anchors
    }
    low, high = metric.interval
    shown = [metric.value, low, high, *anchors.values(), *([] if limit is None else [limit])]
    margin = (max(shown) - min(shown)) * 0.06 or max(abs(max(shown)), 1.0) * 0.06
    axes.set_xlim(min(shown) - margin, max(shown) + margin)
    axes.set_ylim(-1, 1)
    axes.axhline(0, color=PALE, linewidth=1, zorder=1)
    if limit is not None:
        axes.axvline(limit, color=INK, linewidth=1, linestyle=(0, (3, 2)), zorder=2)
    for name, value in anchors.items():
        _, colour, marker, _ = ANCHOR_MARKS[name]
        axes.plot([value], [0], marker=marker, color=colour, markersize=8, linestyle="none", zorder=4)
    axes.plot([low, high], [0, 0], color=ACCENT, linewidth=4, solid_capstyle="round", zorder=3)
    axes.plot([metric.value], [0], marker="o", color=ACCENT, markersize=8, linestyle="none", zorder=5)
    title = metric.title
    title = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
    title = f"{title}: {figure(metric.value, metric.unit)}"
    axes.set_title(title.replace("$", r"\$"), loc="left", fontsize=9, color=INK, pad=14)
    described = "   ".join(f"{ANCHOR_MARKS[name][3]} {labels[name]}" for name in anchors if name in labels)
    axes.text(0, 1.15, described, transform=axes.transAxes, fontsize=7, color=PALE, va="bottom")
    axes.yaxis.set_visible(False)
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="x", length=2, labelsize=7, colors=INK, pad=1)
    axes.locator_params(axis="x", nbins=7)
    axes.xaxis.set_major_formatter(lambda tick, _: figure(tick, metric.unit))


def _legend(drawing: Any) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker="o", color=ACCENT, linewidth=4, label="synthetic, 95% interval")]
    marks += [
        Line2D([], [], marker=marker, color=colour, linestyle="none", label=name)
        for name, colour, marker, _ in ANCHOR_MARKS.values()
    ]
    marks.append(Line2D([], [], color=INK, linewidth=1, linestyle=(0, (3, 2)), label="limit of the gate"))
    drawing.legend(
        handles=marks,
        loc="upper left",
        bbox_to_anchor=(0.02, 1.0),
        ncols=5,
        frameon=False,
        fontsize=8,
        handletextpad=0.4,
        columnspacing=1.2,
    )
