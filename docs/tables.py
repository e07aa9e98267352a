"""Write the tables of docs/evaluation.md that come from the code: every metric, its formula, its gates and its source.

    python docs/tables.py

A test fails when a table is stale.
"""

import math
from pathlib import Path

from paracosm.eval.catalogue import FIDELITY, PRIVACY, UTILITY
from paracosm.eval.measuring.gate import Gate
from paracosm.eval.measuring.metric import Metric

PAGE = Path(__file__).parent / "evaluation.md"
HEAD = (
    "| metric | title | question | formula | better | gate (internal / partner / public) | source |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
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
    return page


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
    objects = "" if gate.may_pass else ", objects only"
    return f"`{gate.name}` {gate.side} {shown}{QUANTITIES[gate.quantity]}{by_profile}{objects}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
