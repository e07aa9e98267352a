"""Write the tables of docs/evaluation.md that come from the code: every metric, its formula, its gates and its source.

    python docs/tables.py

A test fails when a table is stale.
"""

import math
from pathlib import Path

from paracosm.eval.catalogue import FIDELITY, PRIVACY, UTILITY
from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.verdicts import QUESTIONS
from paracosm.eval.measuring.gate import PROFILES, Gate
from paracosm.eval.measuring.metric import Metric

PAGE = Path(__file__).parent / "evaluation.md"
HEAD = (
    "| metric | title | question | formula | better | gate (internal / partner / public) | source |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)
GATES_START, GATES_END = "<!-- gates: demands -->\n", "<!-- end of gates: demands -->\n"
DEMANDS_HEAD = (
    "| question | gate | internal | partner | public | reason |\n| --- | --- | --- | --- | --- | --- |"
)
SECTIONS = {"fidelity": FIDELITY, "utility": UTILITY, "privacy": PRIVACY}
QUANTITIES = {
    "value": "",
    "normalised": ", normalised",
    "of_ceiling": " of ceiling",
    "departure": ", absolute logarithm",
}


def with_tables(page: str) -> str:
    """Return the text of the page with the table of each section renewed between its two markers."""
    for section in SECTIONS:
        start, end = f"<!-- metrics: {section} -->\n", f"<!-- end of metrics: {section} -->\n"
        before, _, rest = page.partition(start)
        _, _, after = rest.partition(end)
        page = f"{before}{start}{metric_table(section)}\n{end}{after}"
    before, _, rest = page.partition(GATES_START)
    _, _, after = rest.partition(GATES_END)
    return f"{before}{GATES_START}{demand_table()}\n{GATES_END}{after}"


def demand_table() -> str:
    """Return what each profile demands of each gate, with the reason, as a Markdown table without the gates of plug-ins."""
    own = {metric.name for section in SECTIONS.values() for each in section for metric in each.metrics}
    rows = [
        f"| {QUESTIONS[gate.question].lower()} | `{gate.name}` | {' | '.join(_demands(gate))} | {gate.why} |"
        for gate in GATES
        if gate.metric in own
    ]
    return "\n".join([DEMANDS_HEAD, *rows])


def _demands(gate: Gate) -> list[str]:
    return ["proof" if profile in gate.proof_for else "no objection" for profile in PROFILES]


def metric_table(section: str) -> str:
    """Return the metrics of a section as a Markdown table, without those of plug-ins."""
    rows = [_row(metric) for measure in SECTIONS[section] for metric in measure.metrics]
    return "\n".join([HEAD, *rows])


def _row(metric: Metric) -> str:
    better = {"up": "higher", "down": "lower"}.get(metric.goal) or f"near {metric.target:g}"
    gates = "; ".join(map(_limit, metric.gates)) or "-"
    cells = (
        f"`{metric.name}`",
        metric.title,
        metric.what,
        metric.formula or "-",
        better,
        gates,
        metric.source,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _limit(gate: Gate) -> str:
    limits = (gate.internal, gate.partner, gate.public)
    shown = " / ".join(f"{limit:g}" for limit in (limits if len(set(limits)) > 1 else limits[:1]))
    by_profile = "" if math.isfinite(limits[0]) else " (no limit by profile)"
    objects = ", objects only" if gate.only_objects else ""
    return f"`{gate.name}` {gate.side} {shown}{QUANTITIES[gate.quantity]}{by_profile}{objects}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
