"""Page that compares several sets of synthetic records: every gate and every metric, one column for each set."""

from collections.abc import Mapping
from dataclasses import dataclass

from paracosm.eval.measuring.metric import Section
from paracosm.eval.measuring.number_format import figure, interval
from paracosm.eval.report.html import GROUPS, template
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import State
from paracosm.eval.results.metric_entry import MeasuredMetric


@dataclass(frozen=True)
class GateRow:
    """State of one gate in every set."""

    title: str
    states: list[State]


@dataclass(frozen=True)
class Cell:
    """A metric's value and 95% interval in one set, as text."""

    value: str
    span: str = ""


@dataclass(frozen=True)
class MetricRow:
    """One metric in every set, and its anchors."""

    title: str
    cells: list[Cell]
    anchors: list[str]


def comparison_html(sets: Mapping[str, EvaluationFile], links: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        sets: name -> content of its `metrics.json`.
        links: name -> relative address of the set's own report.
    """
    first = next(iter(sets.values()))
    return template("comparison.html.jinja").render(
        sets=[{"name": name, "metrics": file, "link": links[name]} for name, file in sets.items()],
        sizes={split: rows for split, rows in first.sizes.items() if split != "synthetic"},
        gates=_gate_rows(sets),
        figures={title: _metric_rows(section, sets) for section, (title, _) in GROUPS.items()},
    )


def _gate_rows(sets: Mapping[str, EvaluationFile]) -> list[GateRow]:
    """Return every gate that applies to at least one set."""
    by_set = [{gate.gate: gate for gate in file.every_gate} for file in sets.values()]
    rows = []
    for name in dict.fromkeys(name for gates in by_set for name in gates):
        states: list[State] = [gates[name].state if name in gates else "NOT APPLICABLE" for gates in by_set]
        if set(states) != {"NOT APPLICABLE"}:
            rows.append(GateRow(next(gates[name].title for gates in by_set if name in gates), states))
    return rows


def _metric_rows(section: Section, sets: Mapping[str, EvaluationFile]) -> list[MetricRow]:
    """Return every metric of a section that was measured on at least one set; anchors are those of the first such set."""
    rows = []
    for metric in next(iter(sets.values())).metrics:
        measured = [file.measured.get(metric.name) for file in sets.values()]
        first = next((entry for entry in measured if entry is not None), None)
        if metric.section != section or first is None:
            continue
        anchors = [
            figure(first.anchors[anchor].value, first.unit) if anchor in first.anchors else ""
            for anchor in ("floor", "ceiling", "worst")
        ]
        rows.append(MetricRow(metric.title, [_cell(entry) for entry in measured], anchors))
    return rows


def _cell(metric: MeasuredMetric | None) -> Cell:
    if metric is None:
        return Cell("not measured")
    return Cell(figure(metric.value, metric.unit), interval(*metric.interval, metric.unit))
