"""Summary of an evaluation in a terminal: verdict, gates, every metric between its anchors, and what would settle the rest."""

from typing import TYPE_CHECKING

from paracosm.eval.gates.remedies import remedies
from paracosm.eval.measuring.number_format import bracketed, figure
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import DECIDING_STATES
from paracosm.eval.results.metric_entry import ReferenceAnchor

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

COLOURS = dict(zip(DECIDING_STATES, ("red", "yellow", "green"), strict=True))
MARKS = {"PASS": "PASS", "FAIL": "FAIL", "INCONCLUSIVE": "?"}
"""Short, so that seven columns fit the width of a terminal; the reasons below the table write the state in full."""
ANCHOR_COLUMNS: tuple[ReferenceAnchor, ...] = ("floor", "ceiling", "worst")


def summary(evaluation: EvaluationFile) -> "Group":
    """Return an evaluation as something that rich prints."""
    from rich.console import Group
    from rich.text import Text

    verdict = evaluation.verdict
    colour = COLOURS[verdict]
    head = Text.assemble(("● ", colour), (verdict, f"bold {colour}"), f"  profile {evaluation.profile}, ")
    head.append(", ".join(f"{rows:,} {name}" for name, rows in evaluation.sizes.items()) + " records")
    return Group(
        head,
        _metrics_table(evaluation),
        *_not_measured(evaluation),
        *_open_gates(evaluation),
        *_remedies(evaluation),
    )


def _metrics_table(evaluation: EvaluationFile) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name, side in (("", "left"), ("metric", "left"), ("value", "right"), ("95% interval", "right")):
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for name in ANCHOR_COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    states = {(gate.metric, gate.section): gate.state for gate in evaluation.gates}
    for metric in evaluation.measured.values():
        state = states.get((metric.name, metric.section))
        mark = f"[{COLOURS[state]}]{MARKS[state]}[/]" if state in DECIDING_STATES else ""
        anchors = [
            figure(metric.anchors[name].value, metric.unit) if name in metric.anchors else ""
            for name in ANCHOR_COLUMNS
        ]
        span = bracketed(*metric.interval, metric.unit).replace("[", "\\[")
        table.add_row(mark, metric.name, figure(metric.value, metric.unit), span, *anchors)
    return table


def _not_measured(evaluation: EvaluationFile) -> list["Text"]:
    """Return one line for each reason, with the metrics that were not measured because of it."""
    from rich.text import Text

    return [
        Text(f"not measured: {', '.join(metric.name for metric in metrics)} ({reason})", style="dim")
        for reason, metrics in evaluation.unmeasured_by_reason.items()
    ]


def _open_gates(evaluation: EvaluationFile) -> list["Text"]:
    """Return one line for each gate that does not pass."""
    from rich.text import Text

    return [
        Text.assemble((f"{gate.state} ", COLOURS[gate.state]), (gate.gate, "bold"), f": {gate.reason}")
        for gate in evaluation.gates
        if gate.state in DECIDING_STATES and gate.state != "PASS"
    ]


def _remedies(evaluation: EvaluationFile) -> list["Text"]:
    """Return one line for all inconclusive gates that need the same; last, because the end of the output stays in view."""
    from rich.text import Text

    entries = remedies(evaluation)
    if not entries:
        return []
    subject = "rest" if evaluation.verdict == "FAIL" else "verdict"
    head = Text(f"What would settle the {subject}:", style="bold")
    return [head, *(Text(f"  {remedy.sentence}: {', '.join(remedy.gates)}") for remedy in entries)]
