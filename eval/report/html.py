"""Report of one evaluation as one HTML file that needs no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from paracosm.eval.gates.ruling import concerns, question_of
from paracosm.eval.gates.verdicts import QUESTIONS
from paracosm.eval.measuring.anchor_labels import ANCHOR_LABELS
from paracosm.eval.measuring.dp_claim import Claim
from paracosm.eval.measuring.metric import Section
from paracosm.eval.measuring.number_format import figure, interval
from paracosm.eval.report.attack_plots import map_plot, roc_plot
from paracosm.eval.report.column_plots import (
    correlation_matrix,
    correlation_scale,
    distance_histogram,
    distribution,
)
from paracosm.eval.report.plots import NARROW, anchored, augmentation_curve, loss_curve
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import STATES, GateResult, State
from paracosm.eval.results.metric_entry import MeasuredMetric, UnmeasuredMetric
from paracosm.eval.results.report_data import Distribution, NearestPair

GROUPS: dict[Section, tuple[str, str]] = {
    "fidelity": ("Fidelity", "Do the synthetic records look like the real ones?"),
    "utility": ("Utility", "Do models that are trained on them predict real records as well?"),
    "privacy": ("Leakage", "Do they reveal who is in the training data?"),
}
"""Section -> its title and the question that it answers."""


@dataclass(frozen=True)
class QuestionView:
    """The gates of one question: those on which its verdict depends, and the others."""

    title: str
    deciding: list[GateResult]
    silent: list[GateResult]
    counts: bool


@dataclass(frozen=True)
class MetricView:
    """A measured metric with its plots, the states of its gates, and what its anchors are."""

    metric: MeasuredMetric
    plot: Markup
    narrow_plot: Markup
    roc: Markup | None
    states: list[State]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class SectionView:
    """One section of the report: metrics that a gate limits, other metrics, and those that were not measured."""

    key: Section
    title: str
    question: str
    limited: list[MetricView]
    other: list[MetricView]
    unmeasured: dict[str, list[UnmeasuredMetric]]

    @property
    def unmeasured_count(self) -> int:
        """The number of metrics that were not measured."""
        return sum(map(len, self.unmeasured.values()))


@dataclass(frozen=True)
class ColumnView:
    """The distribution of one column with its plot, its score and the score of fresh real records."""

    shares: Distribution
    plot: Markup
    score: float | None
    real_score: float | None


def report_html(
    evaluation: EvaluationFile,
    *,
    name: str,
    facts: Sequence[tuple[str, str]] = (),
    history: Sequence[Mapping[str, Any]] = (),
    nearest: Sequence[NearestPair] = (),
    claim: Claim | None = None,
    minutes: float | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return the report as one HTML page.

    Args:
        evaluation: content of `metrics.json`.
        name: what was evaluated, for the title.
        facts: name of a fact and a sentence each, for the top: data, persons, differential privacy.
        history: loss per evaluation of the training run: dicts of `epoch`, `train_bits`, `control_bits`.
        nearest: synthetic records beside training records; they are printed as they are.
        claim: epsilon and delta that a private training states.
        minutes: the time limit that ended the training run, where one did.
        labels: metric -> anchor -> what the anchor is; the labels of the metric's section when absent.
    """
    gates = sorted(evaluation.every_gate, key=lambda gate: STATES.index(gate.state))
    augmentation = evaluation.measured.get("augmentation_gain")
    return template("report.html.jinja").render(
        name=name,
        facts=facts,
        metrics=evaluation,
        questions=_questions(evaluation, gates),
        failed=[gate for gate in gates if gate.state == "FAIL" and concerns(gate, evaluation.what)],
        map=map_plot(evaluation.record_map) if evaluation.record_map else None,
        groups=[_section(key, evaluation, gates, labels or {}) for key in GROUPS],
        columns=_columns(evaluation),
        statistics=_statistics(evaluation),
        matrices=_matrices(evaluation),
        augmentation=augmentation_curve(augmentation) if augmentation else None,
        gain=augmentation,
        distances=distance_histogram(evaluation.distances) if evaluation.distances else None,
        curve=loss_curve(history),
        training=_training(history),
        nearest=nearest,
        claim=claim,
        minutes=minutes,
    )


@cache
def template(name: str) -> Template:
    """Return a page's template, with escaping, in which an undefined name is an error."""
    environment = Environment(
        loader=PackageLoader("paracosm.eval.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": figure,
        "statistic": _statistic,
        "slug": lambda text: text.lower().replace(" ", "-"),
    }
    environment.globals |= {"interval": interval}
    return environment.get_template(name)


def _section(
    key: Section,
    evaluation: EvaluationFile,
    gates: Sequence[GateResult],
    labels: Mapping[str, Mapping[str, str]],
) -> SectionView:
    limited = {gate.metric for gate in gates if gate.section == key}
    views = [
        _view(metric, gates, labels.get(metric.name, ANCHOR_LABELS[key]))
        for metric in evaluation.measured.values()
        if metric.section == key
    ]
    unmeasured = {
        reason: [metric for metric in metrics if metric.section == key]
        for reason, metrics in evaluation.unmeasured_by_reason.items()
    }
    title, question = GROUPS[key]
    return SectionView(
        key=key,
        title=title,
        question=question,
        limited=[view for view in views if view.metric.name in limited],
        other=[view for view in views if view.metric.name not in limited],
        unmeasured={reason: metrics for reason, metrics in unmeasured.items() if metrics},
    )


def _view(metric: MeasuredMetric, gates: Sequence[GateResult], labels: Mapping[str, str]) -> MetricView:
    own = [gate for gate in gates if gate.metric == metric.name and gate.section == metric.section]
    limits = [gate.threshold for gate in own if gate.quantity == "value"]
    limit = limits[0] if limits else None
    return MetricView(
        metric=metric,
        plot=anchored(metric, limit),
        narrow_plot=anchored(metric, limit, NARROW),
        roc=roc_plot(metric),
        states=[gate.state for gate in own],
        labels=labels,
    )


def _ceiling_breakdown(metric: MeasuredMetric) -> Mapping[str, float]:
    ceiling = metric.anchors.get("ceiling")
    return (ceiling.breakdown if ceiling else None) or {}


def _columns(evaluation: EvaluationFile) -> list[ColumnView]:
    """Return the distributions of all columns, the least similar first."""
    marginals = evaluation.measured.get("marginals")
    scores = marginals.breakdown if marginals else {}
    real_scores = _ceiling_breakdown(marginals) if marginals else {}
    columns = [
        ColumnView(shares, distribution(shares), scores.get(shares.field), real_scores.get(shares.field))
        for shares in evaluation.distributions or ()
    ]
    return sorted(columns, key=lambda column: 1.0 if column.score is None else column.score)


def _statistics(evaluation: EvaluationFile) -> Sequence[Mapping[str, Any]]:
    """Return the rows of the table of statistics; a published file has none."""
    statistics = evaluation.measured.get("statistics")
    return statistics.facts.get("statistics", []) if statistics else []


def _statistic(value: float | str | None) -> str:
    """Return one cell of the table of statistics."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.4g}"


def _questions(evaluation: EvaluationFile, gates: Sequence[GateResult]) -> list[QuestionView]:
    """Return the gates by question; a question without any gate is left out."""
    views = []
    for question, title in QUESTIONS.items():
        own = [gate for gate in gates if question_of(gate) == question]
        counts = question != "adapter" or evaluation.what != "records"
        deciding, silent = ([gate for gate in own if gate.decides is each] for each in (True, False))
        if own:
            views.append(QuestionView(title, deciding, silent, counts))
    return views


def _matrices(evaluation: EvaluationFile) -> dict[str, Markup]:
    if evaluation.correlations is None:
        return {}
    sides = {side: correlation_matrix(evaluation.correlations, side) for side in ("train", "synthetic")}
    return sides | {"scale": correlation_scale()}


def _training(history: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the point with the lowest control loss, the last point, and whether training went on beyond the best."""
    points = [point for point in history if point.get("control_bits") is not None]
    if not points:
        return None
    best = min(points, key=lambda point: point["control_bits"])
    return {"best": best, "last": points[-1], "went_on": best is not points[-1]}
