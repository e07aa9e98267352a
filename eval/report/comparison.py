"""Several sets of synthetic records side by side: one page with every gate and every figure, a column a set."""

from collections.abc import Mapping
from typing import Any

from paracosm.eval.measuring.number_format import figure, interval
from paracosm.eval.report.html import GROUPS, template

VERDICTS = ("FAIL", "INCONCLUSIVE", "PASS")


def together(sets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what `metrics.json` holds for several sets: the worst verdict, and each set's own content by name."""
    found = {each["verdict"] for each in sets.values()}
    return {
        "schema_version": next(iter(sets.values()))["schema_version"],
        "verdict": next(verdict for verdict in VERDICTS if verdict in found),
        "sets": dict(sets),
    }


def comparison_html(sets: Mapping[str, Mapping[str, Any]], links: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        sets: name -> what `Evaluation.plain` returns.
        links: name -> relative address of the set's own report.
    """
    first = next(iter(sets.values()))
    return template("comparison.html.jinja").render(
        sets=[{"name": name, "metrics": each, "link": links[name]} for name, each in sets.items()],
        sizes={split: rows for split, rows in first["sizes"].items() if split != "synthetic"},
        gates=_gate_rows(sets),
        figures={GROUPS[key][0]: _figure_rows(key, sets) for key in GROUPS},
    )


def _gate_rows(sets: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_set = [
        {gate["gate"]: gate for gate in (*each["gates"], *each["not_ruling"])} for each in sets.values()
    ]
    names = list(dict.fromkeys(name for gates in by_set for name in gates))
    rows = [
        {
            "title": next(gates[name]["title"] for gates in by_set if name in gates),
            "states": [gates[name]["state"] if name in gates else "NOT APPLICABLE" for gates in by_set],
        }
        for name in names
    ]
    return [row for row in rows if set(row["states"]) != {"NOT APPLICABLE"}]


def _figure_rows(group: str, sets: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_set = [{each["name"]: each for each in found["metrics"]} for found in sets.values()]
    rows = []
    for name, described in by_set[0].items():
        measured = [each[name] for each in by_set if each[name]["value"] is not None]
        if described["group"] != group or not measured:
            continue
        anchors = [_anchor(measured[0], anchor) for anchor in ("floor", "ceiling", "worst")]
        cells = [_cell(each[name]) for each in by_set]
        rows.append({"title": described["title"], "cells": cells, "anchors": anchors})
    return rows


def _cell(metric: Mapping[str, Any]) -> dict[str, str]:
    if metric["value"] is None:
        return {"value": "not measured", "span": ""}
    low, high = metric["interval"]
    unit = metric["unit"]
    return {"value": figure(metric["value"], unit), "span": interval(low, high, unit)}


def _anchor(metric: Mapping[str, Any], name: str) -> str:
    return figure(metric[name], metric["unit"]) if name in metric else ""
