"""An evaluation in a terminal: its verdicts in a few lines, and on request every metric between its anchors."""

from typing import TYPE_CHECKING

from paracosm.eval.measuring.number_format import bracketed, figure
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import DECIDING_STATES
from paracosm.eval.results.metric_entry import ReferenceAnchor

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

COLOURS: dict[str, str] = dict(zip(DECIDING_STATES, ("red", "yellow", "green"), strict=True))
MOST_ADVICE = 5
MARKS = {"PASS": "PASS", "FAIL": "FAIL", "INCONCLUSIVE": "?"}
"""Short, so that seven columns fit the width of a terminal; the reasons below the table write the state in full."""
ANCHOR_COLUMNS: tuple[ReferenceAnchor, ...] = ("floor", "ceiling", "worst")


def summary(evaluation: EvaluationFile) -> "Group":
    """Return the four verdicts, and at most ten lines around them, as something that rich prints."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    head = Text.assemble(
        ("● ", COLOURS[evaluation.verdict]), (evaluation.verdict, f"bold {COLOURS[evaluation.verdict]}")
    )
    sizes = ", ".join(f"{rows:,} {name}" for name, rows in evaluation.sizes.items())
    head.append(f"  profile {evaluation.profile}, releases {evaluation.what}: {sizes} records")
    tiles = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    tiles.add_column(no_wrap=True)
    tiles.add_column(no_wrap=True)
    tiles.add_column()
    for each in evaluation.verdicts:
        state = Text(each.state, style=COLOURS.get(each.state, "dim"))
        sentence = " ".join([each.sentence, *each.found[:1]])
        sentence += "" if each.counts else " (not released)"
        tiles.add_row(state, Text(each.title, style="bold"), Text(sentence))
    advice = [line for each in evaluation.verdicts if each.counts for line in each.advice]
    shown = [Text(f"- {line}") for line in dict.fromkeys(advice) if line not in evaluation.summary]
    return Group(head, tiles, Text(evaluation.summary, style="bold"), *shown[:MOST_ADVICE])


def details(evaluation: EvaluationFile) -> "Group":
    """Return every metric between its anchors, and every gate that does not pass, as something that rich prints."""
    from rich.console import Group

    return Group(_metrics_table(evaluation), *_not_measured(evaluation), *_open_gates(evaluation))


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
