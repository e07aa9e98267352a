"""Definition of a metric, and the result of measuring one on the synthetic records and on every anchor."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from paracosm.eval.measuring.anchor_labels import AnchorFamily
from paracosm.eval.measuring.gate import Gate, Section
from paracosm.eval.measuring.number_format import Unit

Goal = Literal["up", "down", "target"]
Anchor = Literal["synthetic", "ceiling", "floor", "worst"]
ANCHORS: tuple[Anchor, ...] = ("synthetic", "ceiling", "floor", "worst")
FEWEST_ROWS = 10
"""Records below which nothing is measured: an interval from fewer spans nearly the whole range."""
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
    """Curves for the report: name -> points."""
    sampling_deviation: float | None = None
    """Standard deviation of the value where it is known; an interval that was clipped to the metric's range implies a smaller one."""

    @property
    def deviation(self) -> float:
        """Standard deviation of the value: the known one, or else that which the interval implies."""
        if self.sampling_deviation is not None:
            return self.sampling_deviation
        return (self.high - self.low) / (2 * NORMAL_95)


@dataclass(frozen=True)
class Obstacle:
    """Why a metric is not measured."""

    reason: str
    curable: bool = True
    """True if a larger table of the same kind would make the metric measurable."""


@dataclass(frozen=True)
class Metric:
    """Declaration of a metric: name, direction, range, source, and the gates that limit it.

    Attributes:
        name: identifier in `metrics.json`, in recipes and on the command line.
        title: the standard name in the literature first, then what it is applied to.
        section: part of the report.
        goal: whether a larger value is better (`up`), a smaller one (`down`), or one near `target`.
        range: smallest and largest possible value.
        source: citation.
        what: one sentence that can be understood alone, for readers without statistics.
        read: returns the result as one plain sentence.
        zero: the anchor at which the normalised value is 0 (1 is the ceiling); None where no anchor is a natural zero.
        unit: how its numbers are written.
        target: the value to be near, where the goal is a target.
        formula: how it is computed, in one line of docs/evaluation.md.
        gates: limits that a release must keep; empty for a metric that only informs.
        anchors: the family of its anchors, for their labels; None where they are the usual ones of its section.
    """

    name: str
    title: str
    section: Section
    goal: Goal
    range: tuple[float, float]
    source: str
    what: str
    read: Callable[["Result"], str]
    zero: Literal["floor", "worst"] | None = "floor"
    unit: Unit = "percent"
    target: float | None = None
    formula: str = ""
    gates: tuple[Gate, ...] = ()
    anchors: AnchorFamily | None = None

    def __post_init__(self) -> None:
        named = tuple(
            gate.of_metric(self.name, self.title, self.section, of_adapter=self.is_of_adapter)
            for gate in self.gates
        )
        object.__setattr__(self, "gates", named)

    @property
    def is_of_adapter(self) -> bool:
        """Whether it says something about the adapter, not about the synthetic records."""
        return self.anchors in ("adapter", "canaries")

    @property
    def anchor_family(self) -> AnchorFamily:
        """The key of `ANCHOR_LABELS` for this metric."""
        return self.anchors or self.section


@dataclass(frozen=True)
class Result:
    """One metric, measured on the synthetic records and on every anchor."""

    metric: Metric
    estimates: dict[Anchor, Estimate]
    """Always holds `synthetic`; an anchor that the data do not allow is absent."""

    @property
    def synthetic(self) -> Estimate:
        """The estimate for the synthetic records."""
        return self.estimates["synthetic"]

    @property
    def ceiling(self) -> Estimate | None:
        """The estimate for real records that never trained; None where there are none."""
        return self.estimates.get("ceiling")

    @property
    def zero(self) -> Estimate | None:
        """The estimate for the anchor at which the normalised value is 0."""
        return None if self.metric.zero is None else self.estimates.get(self.metric.zero)

    @property
    def normalised(self) -> Estimate | None:
        """(m - zero) / (ceiling - zero) with the propagated error of all three; None where the anchors coincide."""
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
        """m / ceiling with the propagated error of both."""
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
        """|ln m|: the distance of a ratio from 1 in either direction; None for a ratio that may be 0."""
        ratio = self.synthetic
        if ratio.value <= 0 or ratio.low <= 0:
            return None
        ends = [abs(math.log(bound)) for bound in (ratio.low, ratio.high)]
        low = 0.0 if ratio.low <= 1 <= ratio.high else min(ends)
        return Estimate(abs(math.log(ratio.value)), low, max(ends))

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
        """The result in one plain sentence."""
        return self.metric.read(self)
