"""Model of one release gate's result in `metrics.json`."""

from typing import ClassVar, Literal

from pydantic import Field

from paracosm.eval.measuring.metric import Section
from paracosm.eval.results.model import DECIMALS, Number, ResultModel, plain_values

State = Literal["PASS", "FAIL", "INCONCLUSIVE", "NO OBJECTION", "NOT APPLICABLE"]
Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
DECIDING_STATES: tuple[Verdict, ...] = ("FAIL", "INCONCLUSIVE", "PASS")
"""States on which the verdict depends, worst first."""
STATES: tuple[State, ...] = (*DECIDING_STATES, "NO OBJECTION", "NOT APPLICABLE")
"""Every state, in the order in which gates are listed."""


class GateResult(ResultModel):
    """State of a gate, the numbers it was decided by, and the reason in words."""

    optional_keys: ClassVar[frozenset[str]] = frozenset({"excluded"})

    gate: str
    title: str
    metric: str
    section: Section
    state: State
    threshold: Number
    side: Literal["at most", "at least"]
    quantity: Literal["value", "normalised", "of_ceiling", "departure"]
    """What of the metric is limited: its value, its position between the anchors, its share of the ceiling, or |ln value|."""
    value: Number | None
    low: Number | None
    high: Number | None
    reason: str
    remedy: str | None = Field(default=None, validation_alias="cure", serialization_alias="cure")
    """The kind of data of which more would decide the gate, where it is inconclusive."""
    data_factor: Number | None = Field(default=None, validation_alias="times", serialization_alias="times")
    """How many times as much of that data is needed; null where more would only show whether the value is chance."""

    excluded: str | None = None
    """What the interval excludes with 95% confidence, in words; absent where the gate is void, has no power or fails."""

    @property
    def decides(self) -> bool:
        """Whether the verdict depends on this gate: not where it has no objection or does not apply."""
        return self.state in DECIDING_STATES

    def rounded(self) -> "GateResult":
        """Return the result with its numbers as `metrics.json` holds them."""
        numbers = {name: getattr(self, name) for name in ("threshold", "value", "low", "high", "data_factor")}
        return self.model_copy(update=plain_values(numbers, DECIMALS))
