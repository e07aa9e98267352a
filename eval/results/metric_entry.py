"""Models of one metric in `metrics.json`: its description, and either its value between anchors or why there is none."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)

from paracosm.eval.measuring.metric import ANCHORS, Anchor, Estimate, Goal, Metric, Result, Section
from paracosm.eval.measuring.number_format import Unit
from paracosm.eval.results.model import (
    DECIMALS,
    Breakdown,
    Curves,
    Interval,
    Number,
    ResultModel,
    plain_values,
)

ReferenceAnchor = Literal["ceiling", "floor", "worst"]


@dataclass(frozen=True)
class Aim:
    """Which values of a metric are better: larger, smaller, or nearer to a target.

    Attributes:
        direction: `up`, `down` or `target`.
        target: the value to be near, where the direction is `target`.
    """

    direction: Goal
    target: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the aim that `metrics.json` writes as `up`, `down` or `target 0.5`.

        Raises:
            ValueError: the text is something else.
        """
        word, _, target = text.partition(" ")
        if word == "target":
            return cls("target", float(target))
        if text not in ("up", "down"):
            raise ValueError(f"{text!r} is not 'up', 'down' or 'target NUMBER'")
        return cls("up" if text == "up" else "down")

    def __str__(self) -> str:
        return self.direction if self.target is None else f"{self.direction} {self.target:g}"

    @property
    def words(self) -> str:
        """The aim in words for people."""
        if self.target is not None:
            return f"best at {self.target:g}"
        return f"{'higher' if self.direction == 'up' else 'lower'} is better"

    def distance(self, value: float) -> float:
        """Return a number that is smaller for a better value."""
        if self.target is not None:
            return abs(value - self.target)
        return -value if self.direction == "up" else value


AimField = Annotated[
    Aim,
    BeforeValidator(lambda value: Aim.parse(value) if isinstance(value, str) else value),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": "^(up|down|target [0-9.]+)$"}),
]


class DescribedMetric(ResultModel):
    """What a metric is, whether it was measured or not."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    section: Section = Field(validation_alias="group", serialization_alias="group")
    goal: AimField
    range: tuple[Number | None, Number | None]
    """Smallest and largest possible value; null: no bound."""
    unit: Unit
    source: str
    """Citation."""
    what: str
    """What the metric says, in one sentence."""


class UnmeasuredMetric(DescribedMetric):
    """A metric that was not measured."""

    value: None
    reason_not_measured: str

    @classmethod
    def of(cls, metric: Metric, reason: str) -> Self:
        """Return the entry of a metric that was not measured."""
        return cls(**_description(metric), value=None, reason_not_measured=reason)


class AnchorValue(ResultModel):
    """The metric measured on an anchor in place of the synthetic records."""

    optional_keys: ClassVar[frozenset[str]] = frozenset({"breakdown", "curves"})

    value: Number
    interval: Interval
    """95%."""
    breakdown: Breakdown | None = None
    """Per field, pair of fields, learner or attack; absent from published files."""
    curves: Curves | None = None
    """Absent from published files."""

    @classmethod
    def of(cls, estimate: Estimate) -> Self:
        """Return the estimate with every number rounded as `metrics.json` holds it."""
        return cls(
            value=plain_values(estimate.value, DECIMALS),
            interval=_rounded_interval(estimate),
            breakdown=plain_values(estimate.breakdown, DECIMALS),
            curves=plain_values(estimate.curves, DECIMALS),
        )


class MeasuredMetric(DescribedMetric):
    """A metric measured on the synthetic records and on its anchors."""

    optional_keys: ClassVar[frozenset[str]] = frozenset({"ceiling", "floor", "worst", "curves"})

    value: Number
    interval: Interval
    """95%."""
    ceiling: Number | None = None
    """The value on real records that were not trained on; absent where the data do not allow it."""
    floor: Number | None = None
    """The value on records whose columns are shuffled independently; for attacks on the adapter, on its base model."""
    worst: Number | None = None
    """The value on a copy of train; for attacks on the adapter, on one that was trained to memorise."""
    normalised: Number | None
    """0 at the anchor `zero`, 1 at the ceiling; null where the two coincide."""
    zero: ReferenceAnchor | None
    reading: str
    """The result in one sentence."""
    closer_than_real: bool
    """Whether the synthetic records are closer to train than real records are, beyond both intervals."""
    reason_not_measured: None
    facts: dict[str, Any]
    """Counts and sizes behind the value."""
    breakdown: Breakdown
    """Per field, pair of fields, learner or attack."""
    curves: Curves | None = None
    """Lines to draw, as points; absent from published files."""
    anchors: dict[ReferenceAnchor, AnchorValue]

    @model_validator(mode="after")
    def _anchors_agree(self) -> Self:
        values = {name: anchor.value for name, anchor in self.anchors.items()}
        written = {name: getattr(self, name) for name in ("ceiling", "floor", "worst")}
        if values != {name: value for name, value in written.items() if value is not None}:
            raise ValueError("ceiling, floor and worst differ from the values in anchors")
        return self

    @classmethod
    def of(cls, result: Result) -> Self:
        """Return the entry of a result, with every number rounded as `metrics.json` holds it."""
        synthetic, normalised = result.synthetic, result.normalised
        references: tuple[ReferenceAnchor, ...] = ("ceiling", "floor", "worst")
        anchors: dict[ReferenceAnchor, Estimate] = {
            name: result.estimates[name] for name in references if name in result.estimates
        }
        plain = {
            "value": synthetic.value,
            **{name: estimate.value for name, estimate in anchors.items()},
            "normalised": None if normalised is None else normalised.value,
            "facts": synthetic.facts,
            "breakdown": synthetic.breakdown,
            "curves": synthetic.curves,
        }
        return cls(
            **_description(result.metric),
            **plain_values(plain, DECIMALS),
            interval=_rounded_interval(synthetic),
            zero=result.metric.zero,
            reading=result.reading,
            closer_than_real=bool(result.closer_than_real),
            reason_not_measured=None,
            anchors={name: AnchorValue.of(estimate) for name, estimate in anchors.items()},
        )

    def estimates(self) -> dict[Anchor, Estimate]:
        """Return value and interval on the synthetic records and on every anchor, as gates read them."""
        estimates: dict[Anchor, Estimate] = {
            "synthetic": Estimate(self.value, *self.interval, facts=self.facts)
        }
        for name in ANCHORS:
            if name != "synthetic" and name in self.anchors:
                anchor = self.anchors[name]
                estimates[name] = Estimate(anchor.value, *anchor.interval)
        return estimates


def _tag(entry: Any) -> str:
    value = entry.get("value") if isinstance(entry, dict) else getattr(entry, "value", None)
    return "unmeasured" if value is None else "measured"


MetricEntry = Annotated[
    Annotated[MeasuredMetric, Tag("measured")] | Annotated[UnmeasuredMetric, Tag("unmeasured")],
    Discriminator(_tag),
]


def _description(metric: Metric) -> dict[str, Any]:
    low, high = (None if abs(bound) == float("inf") else bound for bound in metric.range)
    return {
        "name": metric.name,
        "title": metric.title,
        "section": metric.section,
        "goal": Aim(metric.goal, metric.target),
        "range": (low, high),
        "unit": metric.unit,
        "source": metric.source,
        "what": metric.what,
    }


def _rounded_interval(estimate: Estimate) -> Interval:
    low, high = plain_values((estimate.low, estimate.high), DECIMALS)
    return low, high
