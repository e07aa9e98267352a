"""The evaluation in a terminal: verdict, gates, and every figure between its anchors."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from paracosm.eval.gates.remedies import cures
from paracosm.eval.measuring.number_format import figure, interval

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow"}
MARKS = {"PASS": "PASS", "FAIL": "FAIL", "INCONCLUSIVE": "?"}
"""Short, so that seven columns fit the width of a terminal; the reasons below spell the state out."""


def summary(metrics: Mapping[str, Any]) -> "Group":
    """Return what `metrics.json` holds as something that rich prints."""
    from rich.console import Group
    from rich.text import Text

    verdict = metrics["verdict"]
    head = Text.assemble(
        ("● ", COLOURS[verdict]), (verdict, f"bold {COLOURS[verdict]}"), f"  profile {metrics['profile']}, "
    )
    head.append(", ".join(f"{rows:,} {name}" for name, rows in metrics["sizes"].items()) + " records")
    return Group(
        head, _figures(metrics), *_not_measured(metrics), *_open_gates(metrics), *_what_would_settle(metrics)
    )


def _figures(metrics: Mapping[str, Any]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for name, side in (("", "left"), ("metric", "left"), ("value", "right"), ("95% interval", "right")):
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for name in ("floor", "ceiling", "worst"):
        table.add_column(name, justify="right", no_wrap=True)
    ruled = {(gate["metric"], gate["section"]): gate["state"] for gate in metrics["gates"]}
    for each in metrics["metrics"]:
        if each["value"] is None:
            continue
        state = ruled.get((each["name"], each["group"]), "")
        mark = f"[{COLOURS[state]}]{MARKS[state]}[/]" if state else ""
        unit = each["unit"]
        anchors = [figure(each[name], unit) if name in each else "" for name in ("floor", "ceiling", "worst")]
        span = re.sub(r"( pp|%)? to ", "–", interval(each["interval"][0], each["interval"][1], unit))
        table.add_row(mark, each["name"], figure(each["value"], unit), span, *anchors)
    return table


def _not_measured(metrics: Mapping[str, Any]) -> list[Any]:
    """Return a line per reason, with the metrics that it kept from being measured."""
    from rich.text import Text

    reasons: dict[str, list[str]] = {}
    for each in metrics["metrics"]:
        if each["value"] is None:
            reasons.setdefault(each["reason_not_measured"], []).append(each["name"])
    return [
        Text(f"not measured: {', '.join(names)} ({reason})", style="dim") for reason, names in reasons.items()
    ]


def _what_would_settle(metrics: Mapping[str, Any]) -> list[Any]:
    """Return a line for all inconclusive gates that want the same; last, where the eye is when the table has scrolled by."""
    from rich.text import Text

    entries = cures(metrics)
    if not entries:
        return []
    head = Text(
        "What would settle the verdict:" if metrics["verdict"] != "FAIL" else "What would settle the rest:",
        style="bold",
    )
    return [head, *(Text(f"  {each['reading']}: {', '.join(each['gates'])}") for each in entries)]


def _open_gates(metrics: Mapping[str, Any]) -> list[Any]:
    from rich.text import Text

    return [
        Text.assemble(
            (f"{gate['state']} ", COLOURS[gate["state"]]), (gate["gate"], "bold"), f": {gate['reason']}"
        )
        for gate in metrics["gates"]
        if gate["state"] != "PASS"
    ]
