"""SVG plots of columns: two distributions with axes, correlation matrices with a scale, distances to train."""

from collections.abc import Sequence

from markupsafe import Markup

from paracosm.eval.report.svg import Scale, box, line, shortened, svg, words
from paracosm.eval.results.report_data import Correlations, Distribution, NearestDistances

MISSING = "(missing)"


def distribution(shares: Distribution) -> Markup:
    """Return the shares of train and of synthetic records side by side, one pair of bars for each bin."""
    if shares.kind == "categories":
        return _category_bars(shares)
    label = f"{shares.field}: shares of train and synthetic records"
    sides = (("train", shares.train), ("synthetic", shares.synthetic))
    return _histogram(shares.labels, sides, label, height=190)


def _histogram(
    labels: Sequence[str],
    sides: Sequence[tuple[str, Sequence[float]]],
    label: str,
    *,
    height: int,
    width: int = 340,
) -> Markup:
    """Return bars of two sides over bins, with an axis of percentages and the first, middle and last label."""
    left, base, top_edge = 40, height - 32, 10
    top = max(*(share for _, shares in sides for share in shares), 1e-9)
    up = Scale(0, top * 1.05, base, top_edge)
    step = (width - left - 6) / len(labels)
    parts = [line(left, base, width - 4, base, "track")]
    for tick in up.ticks(4):
        parts.append(line(left, up(tick), width - 4, up(tick), "grid"))
        parts.append(
            words(left - 5, up(tick) + 4, f"{tick:.3g}%" if top < 0.01 else f"{tick:.0%}", "tick", "end")
        )
    for index, name in enumerate(labels):
        x = left + 2 + index * step
        for offset, (side, shares) in zip((0.08, 0.5), sides, strict=True):
            hint = f"{name}: {shares[index]:.1%} of {side} records"
            parts.append(
                box(
                    x + offset * step,
                    up(shares[index]),
                    0.42 * step,
                    base - up(shares[index]),
                    f"bar {side}",
                    hint=hint,
                )
            )
    parts.append(words(left, height - 16, shortened(labels[0], 22), "tick", "start"))
    if len(labels) > 1:
        parts.append(words(width - 4, height - 2, shortened(labels[-1], 24), "tick", "end"))
    if len(labels) > 4:
        middle = len(labels) // 2
        parts.append(
            words(left + 2 + (middle + 0.5) * step, height - 16, shortened(labels[middle], 18), "tick")
        )
    return svg(width, height, label, parts)


def _category_bars(shares: Distribution) -> Markup:
    width, row, left, right = 340, 26, 120, 50
    top = max(*shares.train, *shares.synthetic, 1e-9)
    scale = Scale(0, top, 0, width - left - right)
    parts = []
    for index, label in enumerate(shares.labels):
        y = 4 + index * row
        parts.append(words(left - 6, y + 14, shortened(label, 18), "tick", "end"))
        for offset, side, values in ((1, "train", shares.train), (11, "synthetic", shares.synthetic)):
            share = values[index]
            hint = f"{label}: {share:.1%} of {side} records"
            parts.append(box(left, y + offset, scale(share), 9, f"bar {side}", hint=hint))
            parts.append(
                words(left + scale(share) + 4, y + offset + 8.5, f"{share:.1%}", "tick small", "start")
            )
    height = 8 + row * len(shares.labels)
    return svg(width, height, f"{shares.field}: shares of train and synthetic records", parts)


def distance_histogram(distances: NearestDistances) -> Markup:
    """Return the distances to the nearest training record, of synthetic and of unseen real records."""
    labels = [
        f"{low:.2f} to {high:.2f}" for low, high in zip(distances.edges, distances.edges[1:], strict=False)
    ]
    labels[-1] = f"{distances.edges[-2]:.2f} and above"
    sides = (("unseen", distances.unseen), ("synthetic", distances.synthetic))
    label = "Distances to the nearest training record"
    return _histogram(labels, sides, label, height=240, width=640)


def correlation_matrix(matrices: Correlations, side: str) -> Markup:
    """Return the correlations of one side as coloured cells, with their values where there are few columns.

    Args:
        matrices: of both sides.
        side: `train` or `synthetic`.
    """
    names = matrices.fields
    matrix = matrices.train if side == "train" else matrices.synthetic
    cell = 34 if len(names) <= 10 else 24 if len(names) <= 16 else 15
    left = 96
    size = cell * len(names)
    parts = []
    for row, name in enumerate(names):
        y = 6 + row * cell
        parts.append(words(left - 6, y + cell * 0.65, shortened(name, 14), "tick", "end"))
        parts.append(
            words(left + row * cell + cell * 0.65, size + 18, shortened(name, 14), "tick", "end", turn=-50)
        )
        for column, other in enumerate(names):
            value = matrix[row][column]
            x = left + column * cell
            if row == column or value is None:
                parts.append(box(x, y, cell - 1, cell - 1, "diagonal"))
                continue
            kind = "cell positive" if value >= 0 else "cell negative"
            hint = f"{name} and {other}: {value:.2f} in {side} records"
            parts.append(box(x, y, cell - 1, cell - 1, kind, hint=hint, opacity=min(1.0, abs(value))))
            if cell >= 24:
                strong = " strong" if abs(value) > 0.55 else ""
                parts.append(
                    words(
                        x + (cell - 1) / 2,
                        y + cell * 0.62,
                        f"{value:.1f}".replace("-0.0", "0.0"),
                        f"tick inside{strong}",
                    )
                )
    height = size + 16 + 6 * min(14, max(map(len, names)))
    return svg(left + size + 8, height, f"Correlations of columns in {side} records", parts, "plot matrix")


def correlation_scale() -> Markup:
    """Return the scale of the colours, from -1 to 1."""
    parts = []
    for index in range(-10, 11):
        kind = "cell positive" if index >= 0 else "cell negative"
        parts.append(box(150 + index * 12, 4, 12, 12, kind, opacity=abs(index) / 10))
    for value in (-1, -0.5, 0, 0.5, 1):
        parts.append(words(156 + value * 120, 32, f"{value:g}", "tick"))
    return svg(310, 36, "Scale of correlations from -1 to 1", parts, "plot scale")
