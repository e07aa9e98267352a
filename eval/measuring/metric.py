"""What a metric is, and what measuring one gives."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from paracosm.eval.measuring.anchor_labels import AnchorFamily
from paracosm.eval.measuring.number_format import Unit

Goal = Literal["up", "down", "target"]
Section = Literal["fidelity", "utility", "privacy"]
Anchor = Literal["synthetic", "ceiling", "floor", "worst"]
ANCHORS: tuple[Anchor, ...] = ("synthetic", "ceiling", "floor", "worst")
FEWEST_ROWS = 10
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95% interval."""

    value: float
    low: float
    high: float
    breakdown: dict[str, float] = field(default_factory=dict)
    """Per field, pair of fields or learner."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Counts and sizes behind the value; plain JSON values."""
    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    """Lines to draw, as points."""

    @property
    def deviation(self) -> float:
        """Standard deviation that the interval implies."""
        return (self.high - self.low) / (2 * NORMAL_95)


@dataclass(frozen=True)
class Obstacle:
    """Why a metric is not measured."""

    reason: str
    curable: bool = True
    """Whether more records of the same kind would allow it."""


@dataclass(frozen=True)
class Metric:
    """What a metric is called, which way is better, and where it comes from."""

    name: str
    title: str
    section: Section
    goal: Goal
    range: tuple[float, float]
    source: str
    """Citation."""
    what: str
    """One sentence for someone who is no statistician."""
    read: Callable[["Result"], str]
    """Turns a result into one plain sentence."""
    zero: Literal["floor", "worst"] | None = "floor"
    """The anchor at which the normalised value is 0 (1 is the ceiling); None where no anchor is a natural 0."""
    unit: Unit = "percent"
    """How its figures are written."""
    target: float | None = None
    """Where the goal is a target: the value to be near."""

    @property
    def anchor_family(self) -> AnchorFamily:
        """The key of `ANCHOR_LABELS` for this metric."""
        families: dict[str, AnchorFamily] = {
            "adapter_": "adapter",
            "lira_": "adapter",
            "extraction": "adapter",
            "auxiliary_": "auxiliary",
            "canary_": "canaries",
            "audit_": "canaries",
        }
        return next(
            (family for start, family in families.items() if self.name.startswith(start)), self.section
        )


@dataclass(frozen=True)
class Result:
    """One metric, measured on the synthetic records and on every anchor."""

    metric: Metric
    estimates: dict[Anchor, Estimate]
    """`synthetic` is always there; an anchor that the data do not allow is absent."""
    note: str = ""
    """What the reader must know of this figure: subsampling, an anchor that is missing."""

    @property
    def synthetic(self) -> Estimate:
        return self.estimates["synthetic"]

    @property
    def ceiling(self) -> Estimate | None:
        return self.estimates.get("ceiling")

    @property
    def zero(self) -> Estimate | None:
        """The anchor at which the normalised value is 0."""
        return None if self.metric.zero is None else self.estimates.get(self.metric.zero)

    @property
    def normalised(self) -> Estimate | None:
        """(m - zero) / (ceiling - zero), with the error of all three carried over; None where the anchors coincide."""
        if self.ceiling is None or self.zero is None:
            return None
        span = self.ceiling.value - self.zero.value
        target = self.metric.target
        if target is not None:
            wrong_way = abs(self.ceiling.value - target) >= abs(self.zero.value - target)
        else:
            wrong_way = span <= 0 if self.metric.goal == "up" else span >= 0
        if wrong_way or span == 0:
            return None
        share = (self.synthetic.value - self.zero.value) / span
        spread = math.hypot(
            self.synthetic.deviation, share * self.ceiling.deviation, (1 - share) * self.zero.deviation
        )
        margin = NORMAL_95 * spread / abs(span)
        return Estimate(share, share - margin, share + margin)

    @property
    def of_ceiling(self) -> Estimate | None:
        """m / ceiling, with the error of both carried over."""
        if self.ceiling is None or self.ceiling.value == 0:
            return None
        share = self.synthetic.value / self.ceiling.value
        margin = (
            NORMAL_95
            * math.hypot(self.synthetic.deviation, share * self.ceiling.deviation)
            / abs(self.ceiling.value)
        )
        return Estimate(share, share - margin, share + margin)

    @property
    def departure(self) -> Estimate | None:
        """|ln m|: how many times too large or too small a ratio is, either way."""
        ours = self.synthetic
        if ours.value <= 0 or ours.low <= 0:
            return None
        ends = [abs(math.log(bound)) for bound in (ours.low, ours.high)]
        low = 0.0 if ours.low <= 1 <= ours.high else min(ends)
        return Estimate(abs(math.log(ours.value)), low, max(ends))

    @property
    def closer_than_real(self) -> bool:
        """Whether the synthetic records resemble train more than fresh real records do, beyond both intervals."""
        if self.metric.section != "fidelity" or self.ceiling is None or self.metric.target == 1.0:
            return False
        if self.metric.goal == "up":
            return self.synthetic.low > self.ceiling.high
        return self.synthetic.high < self.ceiling.low

    @property
    def reading(self) -> str:
        """The figure in one plain sentence."""
        return self.metric.read(self)
