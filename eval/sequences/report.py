"""Report of a series: its paths, and autocorrelations beside those of the real series, as pictures in one page."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup, escape

from paracosm.eval.sequences.metrics import LAGS, Measured, autocorrelations, steps_of
from paracosm.generate.series.series import Series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SHOWN = 20
"""Paths that are drawn."""
STYLE = "body{font:15px sans-serif;max-width:960px;margin:2em auto;padding:0 1em}td,th{padding:.2em .8em;text-align:right}"


def series_report(
    series: Series,
    past: Series,
    judged: Sequence[np.ndarray],
    drawn: np.ndarray,
    measured: Sequence[Measured],
    *,
    title: str,
    ahead: int,
) -> str:
    """Return the page.

    Args:
        series: the whole real series.
        past: the part that the judged paths were fitted to.
        judged: paths over the steps of `past`: (steps, columns) each.
        drawn: (paths, steps, columns), the paths that were asked for.
        measured: the metrics of the judged paths.
        title: heading.
        ahead: steps of `drawn` after the series; 0 for paths over its own steps.
    """
    rows = [
        Markup(
            "<tr><td>{}</td><td>{:.3f} [{:.3f}, {:.3f}]</td><td>{:.3f}</td><td>{:.3f}</td><td>{}</td></tr>"
        ).format(
            each.metric.name, each.value, each.low, each.high, each.ceiling, each.floor, each.metric.what
        )
        for each in measured
    ]
    head = Markup(
        "<tr><th></th><th>paths (95%)</th><th>later real stretch</th><th>shuffled</th><th></th></tr>"
    )
    parts = [
        Markup("<h1>{}</h1>").format(title),
        _as_svg(_paths_figure(series, drawn, ahead)),
        Markup("<table>") + head + Markup("").join(rows) + Markup("</table>"),
        _as_svg(_autocorrelation_figure(past, judged, sizes=False)),
        _as_svg(_autocorrelation_figure(past, judged, sizes=True)),
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"
        + "".join(parts)
        + "</html>\n"
    )


def _paths_figure(series: Series, drawn: np.ndarray, ahead: int) -> "Figure":
    figure, axes = _figure(len(series.names))
    times = series.times_after(ahead) if ahead else series.times
    for at, (name, axis) in enumerate(zip(series.names, axes, strict=True)):
        for path in drawn[:MOST_SHOWN]:
            axis.plot(times, path[:, at], color="C1", alpha=0.25, linewidth=0.8)
        axis.plot(series.times, series.values[:, at], color="C0", linewidth=1.2, label="real")
        axis.plot([], [], color="C1", label="synthetic")
        axis.set_title(name)
        axis.legend(loc="upper left")
    return figure


def _autocorrelation_figure(past: Series, judged: Sequence[np.ndarray], *, sizes: bool) -> "Figure":
    figure, axes = _figure(len(past.names))
    lags = max(1, min(LAGS, (len(past) - 1) // 3))

    def of(values: np.ndarray, at: int) -> np.ndarray:
        steps = steps_of(values)[:, at]
        return autocorrelations(np.abs(steps - steps.mean()) if sizes else steps, lags)

    for at, (name, axis) in enumerate(zip(past.names, axes, strict=True)):
        found = np.stack([of(path, at) for path in judged])
        low, high = np.quantile(found, [0.025, 0.975], axis=0)
        axis.fill_between(np.arange(1, lags + 1), low, high, color="C1", alpha=0.3, label="95% of the paths")
        axis.plot(np.arange(1, lags + 1), of(past.values, at), "o-", color="C0", markersize=3, label="real")
        axis.axhline(0, color="grey", linewidth=0.6)
        axis.set_title(f"{name}: autocorrelation of {'the size of ' * sizes}steps, by lag")
        axis.legend(loc="upper right")
    return figure


def _figure(columns: int) -> "tuple[Figure, list[Any]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.8 * columns), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(columns, 1)))


def _as_svg(figure: "Figure") -> Markup:
    import matplotlib as mpl

    file = io.StringIO()
    # Without a date and with fixed names of elements, so that equal paths give equal bytes.
    with mpl.rc_context({"svg.hashsalt": "paracosm"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    return Markup(text[text.index("<svg") :])
