"""The change of every metric between two evaluations, and whether any became worse beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Literal

from paracosm.eval.measuring.metric import NORMAL_95
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import Verdict
from paracosm.eval.results.metric_entry import MeasuredMetric

FALSE_ALARMS = 0.05
"""Probability that any metric counts as worse although none is, whatever their number (Bonferroni)."""


@dataclass(frozen=True)
class MetricChange:
    """The change of one metric that both evaluations measured.

    Attributes:
        before: the metric in the earlier evaluation.
        after: in the later one.
        worsening: by how much it is farther from its best value; negative where it is nearer.
        margin: half of the interval of `worsening` that holds for all metrics together.
    """

    before: MeasuredMetric
    after: MeasuredMetric
    worsening: float
    margin: float

    @property
    def state(self) -> Literal["worse", "better", "same"]:
        """`same` where chance explains the change."""
        if abs(self.worsening) <= self.margin:
            return "same"
        return "worse" if self.worsening > 0 else "better"


@dataclass(frozen=True)
class Changes:
    """What changed from an earlier evaluation to a later one.

    Attributes:
        metrics: the change of each metric that both measured.
        lost: names of metrics that only the earlier one measured.
    """

    metrics: Sequence[MetricChange]
    lost: Sequence[str]

    @property
    def worse(self) -> list[MetricChange]:
        return [change for change in self.metrics if change.state == "worse"]

    @property
    def better(self) -> list[MetricChange]:
        return [change for change in self.metrics if change.state == "better"]

    @property
    def verdict(self) -> Verdict:
        """FAIL where a metric is worse beyond chance; INCONCLUSIVE where one is not measured any more, or none can be compared."""
        if self.worse:
            return "FAIL"
        return "INCONCLUSIVE" if self.lost or not self.metrics else "PASS"


def changes_between(before: EvaluationFile, after: EvaluationFile) -> Changes:
    """Return what changed; the standard errors of both sides add, as for independent records.

    Where both runs have the same control and test records, their errors go together, so that fewer changes count than could.
    """
    from scipy.stats import norm

    earlier, later = before.measured, after.measured
    common = [name for name in earlier if name in later]
    z = float(norm.ppf(1 - FALSE_ALARMS / 2 / max(len(common), 1)))
    found = []
    for name in common:
        old, new = earlier[name], later[name]
        errors = [(each.interval[1] - each.interval[0]) / (2 * NORMAL_95) for each in (old, new)]
        worsening = new.goal.distance(new.value) - old.goal.distance(old.value)
        found.append(MetricChange(old, new, worsening, z * hypot(*errors)))
    return Changes(found, [name for name in earlier if name not in later])
