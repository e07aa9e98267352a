"""An evaluation: measurements together with the gates that were ruled on them, and its `metrics.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.making import ELSEWHERE, Making
from paracosm.eval.gates.ruling import rule, verdict, worst_verdict
from paracosm.eval.gates.verdicts import summary, verdicts
from paracosm.eval.measurements import Measurements
from paracosm.eval.measuring.dp_claim import Claim, with_claim
from paracosm.eval.measuring.found_counts import found_counts
from paracosm.eval.measuring.metric import Obstacle, Result
from paracosm.eval.results.evaluation_file import ComparisonFile, EvaluationFile
from paracosm.eval.results.gate_result import GateResult, Verdict
from paracosm.eval.results.metric_entry import MeasuredMetric, MetricEntry, UnmeasuredMetric
from paracosm.recipes.sections.release import Release


@dataclass(frozen=True)
class Evaluation:
    """Measurements, and the gates of one release profile that were ruled on them.

    Attributes:
        measurements: what was measured.
        gates: the result of every gate that has a limit.
        release: the profile of gates, and limits other than the profile's.
        making: how the records were made, on which advice depends.
    """

    measurements: Measurements
    gates: Sequence[GateResult]
    release: Release
    making: Making = ELSEWHERE

    @property
    def verdict(self) -> Verdict:
        """The worst state of the gates on which the release depends."""
        return verdict(self.gates, self.release.what)

    @property
    def results(self) -> Sequence[Result]:
        """The measured metrics."""
        return self.measurements.results

    @property
    def missing(self) -> Mapping[str, Obstacle]:
        """The reason why each other metric was not measured, by metric."""
        return self.measurements.missing

    @cached_property
    def file(self) -> EvaluationFile:
        """The content of `metrics.json`: numbers are rounded, and there are neither records nor times in it."""
        measurements, what = self.measurements, self.release.what
        gates = [gate.rounded() for gate in self.gates]
        readings = {result.metric.name: result.reading for result in measurements.results}
        counts = [f"{count.sentence}." for count in found_counts(measurements.results).values()]
        questions = verdicts(
            gates, readings=readings, sizes=measurements.sizes, what=what, counts=counts, making=self.making
        )
        return EvaluationFile(
            verdict=self.verdict,
            summary=summary(questions, gates, what),
            profile=self.release.profile,
            what=what,
            verdicts=questions,
            sizes=dict(measurements.sizes),
            metrics=_entries(measurements),
            gates=[gate for gate in gates if gate.decides],
            not_ruling=[gate for gate in gates if not gate.decides],
            notes=list(measurements.notes),
            distributions=[distribution.rounded() for distribution in measurements.distributions],
            correlations=None if measurements.correlations is None else measurements.correlations.rounded(),
            distances=None if measurements.distances is None else measurements.distances.rounded(),
            record_map=None if measurements.record_map is None else measurements.record_map.rounded(),
        )

    def to_json(self) -> str:
        """Return the text of `metrics.json`; the same measurements give the same bytes."""
        return self.file.to_json()


def rule_on(
    measurements: Measurements,
    release: Release | None = None,
    claim: Claim | None = None,
    making: Making = ELSEWHERE,
) -> Evaluation:
    """Return measurements with the gates of `release` ruled on them; nothing is measured.

    Args:
        measurements: what was measured.
        release: the profile of gates, and limits other than the profile's; the defaults when absent.
        claim: what a private training states to have spent: the limit of the audit.
        making: how the records were made; by default nothing is known of it.

    Raises:
        RecipeError: `release` limits a gate that does not exist.
    """
    release = with_claim(release or Release(), claim)
    gates = rule(measurements.results, measurements.missing, release, measurements.absent_columns)
    return Evaluation(measurements, gates, release, making)


def compare(evaluations: Mapping[str, Evaluation]) -> ComparisonFile:
    """Return the content of `metrics.json` for several sets of synthetic records: the worst verdict, and every set by name."""
    files = {name: evaluation.file for name, evaluation in evaluations.items()}
    return ComparisonFile(verdict=worst_verdict(file.verdict for file in files.values()), sets=files)


def _entries(measurements: Measurements) -> list[MetricEntry]:
    results = {result.metric.name: result for result in measurements.results}
    return [
        MeasuredMetric.of(results[metric.name])
        if metric.name in results
        else UnmeasuredMetric.of(metric, measurements.missing[metric.name].reason)
        for metric in metrics()
    ]
