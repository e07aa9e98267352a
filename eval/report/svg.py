"""SVG primitives as escaped text: a linear scale with round ticks, lines, boxes, dots, text and paths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Scale:
    """A linear scale from values between `low` and `high` to pixels between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + min(max(share, -0.02), 1.02) * (self.end - self.start), 2)

    def ticks(self, wanted: int = 4) -> list[float]:
        """Return at most about `wanted` round values within the scale."""
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        power = 10.0 ** math.floor(math.log10(span / wanted))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * wanted >= span)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def scale_around(values: Sequence[float], start: float, end: float, margin: float = 0.08) -> Scale:
    """Return a scale that contains all `values`, with a margin on both sides as a fraction of their range."""
    low, high = min(values), max(values)
    room = (high - low) * margin or max(abs(high), 1.0) * margin
    return Scale(low - room, high + room, start, end)


def svg(width: float, height: float, label: str, parts: Sequence[Markup], kind: str = "plot") -> Markup:
    """Return an SVG element as wide as its column at most; `label` is its text for screen readers."""
    opening = Markup(
        '<svg class="{}" width="{:g}" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">'
    ).format(kind, width, width, height, label)
    return opening + Markup("").join(parts) + Markup("</svg>")


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """Return a straight line."""
    return Markup('<line class="{}" x1="{:g}" y1="{:g}" x2="{:g}" y2="{:g}"/>').format(kind, x1, y1, x2, y2)


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    kind: str,
    *,
    hint: str = "",
    opacity: float | None = None,
) -> Markup:
    """Return a rectangle; `hint` is its tooltip."""
    shade = "" if opacity is None else Markup(' fill-opacity="{:.3f}"').format(opacity)
    opening = Markup('<rect class="{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}"{}>').format(
        kind, x, y, max(width, 0), max(height, 0), shade
    )
    return opening + (Markup("<title>{}</title>").format(hint) if hint else "") + Markup("</rect>")


def dot(x: float, y: float, radius: float, kind: str, hint: str = "") -> Markup:
    """Return a circle; `hint` is its tooltip."""
    opening = Markup('<circle class="{}" cx="{:g}" cy="{:g}" r="{:g}">').format(kind, x, y, radius)
    return opening + (Markup("<title>{}</title>").format(hint) if hint else "") + Markup("</circle>")


def words(
    x: float, y: float, text: str, kind: str = "label", anchor: str = "middle", turn: float = 0
) -> Markup:
    """Return text at a point, turned by `turn` degrees."""
    turned = Markup(' transform="rotate({:g} {:g} {:g})"').format(turn, x, y) if turn else ""
    return Markup('<text class="{}" x="{:g}" y="{:g}" text-anchor="{}"{}>{}</text>').format(
        kind, x, y, anchor, turned, text
    )


def path(points: Sequence[tuple[float, float]], kind: str) -> Markup:
    """Return straight line segments through `points`."""
    steps = " ".join(f"{'M' if index == 0 else 'L'}{x:g} {y:g}" for index, (x, y) in enumerate(points))
    return Markup('<path class="{}" d="{}"/>').format(kind, escape(steps))


def shortened(text: str, length: int) -> str:
    """Return `text` cut to `length` characters, ending in an ellipsis where it was longer."""
    return text if len(text) <= length else text[: length - 1] + "…"
