"""Pictures for the cards: each metric of a group between its anchors, as a PNG that looks the same on every machine."""

import io
from typing import Any

WIDTH, ROW, HEAD = 8.0, 0.78, 0.62
"""Inches."""
INK, PALE, ACCENT = "#1f2933", "#9aa5b1", "#0b6e8f"
ANCHORS = {
    "floor": ("columns shuffled", "#b45309", "v"),
    "ceiling": ("real records", "#2f855a", "^"),
    "worst": ("copy of train", "#9b2c2c", "X"),
}
LONGEST_TITLE = 60


def group_picture(metrics: list[dict[str, Any]], limits: dict[str, float]) -> bytes:
    """Draw one row per metric: the value with its 95% interval, the anchors, and the gate's limit where there is one.

    Args:
        metrics: measured entries of `metrics.json`.
        limits: metric -> the limit of the gate on its value.

    Returns:
        A PNG, the same bytes for the same figures and version of matplotlib.
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
            left=0.03, right=0.97, top=1 - HEAD / height, bottom=0.3 / height, hspace=1.25
        )
        for axes, metric in zip(rows, metrics, strict=True):
            _draw(axes, metric, limits.get(metric["name"]))
        _explain(drawing, rows[0])
        content = io.BytesIO()
        drawing.savefig(content, format="png", dpi=130, metadata={"Software": None})
    return content.getvalue()


def _draw(axes: Any, metric: dict[str, Any], limit: float | None) -> None:
    anchors = {name: metric[name] for name in ANCHORS if metric.get(name) is not None}
    low, high = metric.get("interval") or (metric["value"], metric["value"])
    shown = [metric["value"], low, high, *anchors.values(), *([] if limit is None else [limit])]
    room = (max(shown) - min(shown)) * 0.06 or max(abs(max(shown)), 1.0) * 0.06
    axes.set_xlim(min(shown) - room, max(shown) + room)
    axes.set_ylim(-1, 1)
    axes.axhline(0, color=PALE, linewidth=1, zorder=1)
    if limit is not None:
        axes.axvline(limit, color=INK, linewidth=1, linestyle=(0, (3, 2)), zorder=2)
    for name, value in anchors.items():
        _, colour, marker = ANCHORS[name]
        axes.plot([value], [0], marker=marker, color=colour, markersize=8, linestyle="none", zorder=4)
    axes.plot([low, high], [0, 0], color=ACCENT, linewidth=4, solid_capstyle="round", zorder=3)
    axes.plot([metric["value"]], [0], marker="o", color=ACCENT, markersize=8, linestyle="none", zorder=5)
    title = metric.get("title", metric["name"])
    title = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
    axes.set_title(
        f"{title.replace('$', chr(92) + '$')}: {metric['value']:.3g}",
        loc="left",
        fontsize=9,
        color=INK,
        pad=3,
    )
    axes.yaxis.set_visible(False)
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="x", length=2, labelsize=7, colors=INK, pad=1)
    axes.locator_params(axis="x", nbins=7)


def _explain(drawing: Any, axes: Any) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker="o", color=ACCENT, linewidth=4, label="synthetic, 95% interval")]
    marks += [
        Line2D([], [], marker=marker, color=colour, linestyle="none", label=label)
        for label, colour, marker in ANCHORS.values()
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
