"""How often a perfect generator gets PASS, how often FAIL, and how often leaks FAIL: fresh real records in place of synthetic ones.

    python bench/evaluation/perfect_generator.py --draws 40 --results draws.jsonl
    python bench/evaluation/perfect_generator.py --tables adult --rows 1000 --draws 10 --results draws.jsonl
    python bench/evaluation/perfect_generator.py --draws 40 --results draws.jsonl --gates --rule-only
    python bench/evaluation/perfect_generator.py --draws 40 --results draws.jsonl --again near_copies

In each draw, a table of so many rows is divided as a run does (`split_table`, 80 : 10 : 10). Other records of the same source, as
many as train or as are left, are the perfect generator's. `verbatim` replaces a share of them by training records, at twice the
limit on exact copies of the profile that is meant for tables of this size; `one cell` replaces five times as many by training
records of which one cell was changed. Leaks are measured by the gates on records alone, with the anchors that gates read.

Measurements are saved, one set of a draw a line, and rulings are not: all three profiles are ruled on the same measurements, an
interrupted run resumes, `--rule-only` applies limits that changed in the code, and `--again` measures metrics that changed. Needs the tables in the folder that
PARACOSM_SHARED_DATA names (by default ../shared/data beside the repository); a missing table is skipped, and so is a size that
leaves fewer fresh records than a quarter of train.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fresh_and_leaking import DATA, TABLES, draw_tables, leaking
from rich.console import Console
from rich.table import Table

from paracosm.eval.catalogue import MEASURES, metrics
from paracosm.eval.gates.ruling import question_of, rule, verdict_of_states
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import PROFILES
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.eval.results.gate_result import GateResult
from paracosm.recipes.sections.release import Profile, Release

MEANT_FOR: dict[int, Profile] = {1000: "internal", 5000: "partner", 20_000: "public"}
LEAKED: dict[Profile, float] = {"internal": 0.02, "partner": 0.01, "public": 0.002}
"""Share of verbatim training records: twice the limit on exact copies."""
SETS = ("fresh", "verbatim", "one cell")
SECTIONS = ("fidelity", "utility", "privacy")
QUESTIONS = ("fidelity", "utility", "records")
Saved = dict[tuple[str, int, int, str], dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rows", nargs="+", type=int, choices=MEANT_FOR, default=list(MEANT_FOR))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="number of the first draw")
    parser.add_argument("--results", type=Path, help="file that measurements are saved in")
    parser.add_argument(
        "--again", nargs="+", default=[], metavar="METRIC", help="measure these again in saved draws"
    )
    parser.add_argument("--rule-only", action="store_true", help="measure nothing that is not in the file")
    parser.add_argument("--gates", action="store_true", help="show each gate that was not PASS")
    given = parser.parse_args()
    saved = _read(given.results)
    draws = range(given.first, given.first + given.draws)
    if not given.rule_only:
        for draw in draws:
            for rows in given.rows:
                for name in given.tables:
                    _measure(name, rows, draw, given, saved)
    console = Console(width=150)
    console.print(_summary(saved, given.tables, given.rows, draws))
    if given.gates:
        console.print(_by_gate(saved, given.tables, given.rows, draws))


def _measure(name: str, rows: int, draw: int, given: argparse.Namespace, saved: Saved) -> None:
    """Measure the sets of a draw that are not saved yet, and save them."""
    known = {kind for kind in given.sets if (name, rows, draw, kind) in saved}
    wanted = [kind for kind in given.sets if (kind in known) == bool(given.again)]
    if not wanted or not (DATA / TABLES[name][0]).is_file():
        return
    drawn = draw_tables(name, rows, draw)
    if drawn is None:
        return
    context, fresh = drawn
    for kind in wanted:
        began = time.process_time()
        asked = given.sections if kind == "fresh" else ["privacy"]
        names = set(given.again)
        chosen = [
            one
            for one in MEASURES
            if (names & {metric.name for metric in one.metrics} if names else one.metrics[0].section in asked)
        ]
        candidate = leaking(kind, fresh, context.train, LEAKED[MEANT_FOR[rows]], draw)
        line = {"table": name, "rows": rows, "draw": draw, "set": kind} | measured(context, candidate, chosen)
        line["seconds"] = round(time.process_time() - began, 2)
        _keep(saved, line)
        if given.results:
            with given.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def _keep(saved: Saved, line: dict[str, Any]) -> None:
    """Keep a line of measurements; it replaces those of the same metrics in an earlier line of the same set."""
    earlier = saved.setdefault((line["table"], line["rows"], line["draw"], line["set"]), dict(line))
    for part in ("metrics", "missing"):
        earlier[part] = earlier[part] | line[part]
    for name in line["metrics"]:
        earlier["missing"].pop(name, None)


def measured(context: Context, candidate: pd.DataFrame, measures: Sequence[Measure]) -> dict[str, Any]:
    """Return the estimates of the metrics that have gates, and the obstacles to the others, as JSON values."""
    limited = [_with_needed_anchors(one) for one in measures if any(metric.gates for metric in one.metrics)]
    results, missing = measure_all(context, candidate, limited)
    return {
        "metrics": {
            one.metric.name: {anchor: _plain(estimate) for anchor, estimate in one.estimates.items()}
            for one in results
            if one.metric.gates
        },
        "missing": {name: asdict(obstacle) for name, obstacle in missing.items()},
    }


def _with_needed_anchors(measure: Measure) -> Measure:
    """Return a measure with the anchors alone that its gates read; the others only inform."""
    needed = {"synthetic"}
    for metric in measure.metrics:
        for gate in metric.gates:
            needed |= {"normalised": {"ceiling", metric.zero}, "of_ceiling": {"ceiling"}}.get(
                gate.quantity, set()
            )
            needed |= {"worst"} if metric.zero == "worst" else set()

    def candidates(context: Context, synthetic: pd.DataFrame) -> dict[Any, Any]:
        found = measure.candidates(context, synthetic)
        return {anchor: pair for anchor, pair in found.items() if anchor in needed}

    return replace(measure, candidates=candidates)


def _plain(estimate: Estimate) -> dict[str, Any]:
    facts = {key: value for key, value in estimate.facts.items() if isinstance(value, int | float | str)}
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "facts": facts}


def ruled(line: dict[str, Any], profile: Profile) -> list[GateResult]:
    """Return the gates on the saved measurements of one set."""
    by_name = {metric.name: metric for metric in metrics()}
    results = [
        Result(by_name[name], {anchor: Estimate(**each) for anchor, each in anchors.items()})
        for name, anchors in line["metrics"].items()
        if name in by_name
    ]
    missing = dict.fromkeys(by_name, Obstacle("this bench does not measure it", curable=False))
    missing |= {name: Obstacle(**obstacle) for name, obstacle in line["missing"].items()}
    return [gate for gate in rule(results, missing, Release(profile=profile)) if gate.decides]


def state_of(gates: Sequence[GateResult], question: str) -> str:
    """Return the verdict on a question; NOT MEASURED where no gate has a value."""
    own = [gate for gate in gates if question_of(gate) == question]
    return verdict_of_states(gate.state for gate in own) if own else "NOT MEASURED"


def _summary(saved: Saved, tables: Sequence[str], sizes: Sequence[int], draws: range) -> Table:
    """Return the shares of PASS and FAIL of fresh records by question, and of leaks that FAIL."""
    shown = Table(
        title="PASS / FAIL in % of draws; leaks: FAIL in % at the profile that is meant for the size"
    )
    for title in ("table", "rows", "draws", "profile", *QUESTIONS, "all", *SETS[1:], "CPU s"):
        shown.add_column(title)
    for name, rows in _cells(tables, sizes):
        found = _lines(saved, name, rows, "fresh", draws)
        for profile in PROFILES if found else ():
            states = [
                {question: state_of(gates, question) for question in QUESTIONS}
                for gates in (ruled(line, profile) for line in found)
            ]
            every = [verdict_of_states({*one.values()} - {"NOT MEASURED"}) for one in states]
            leaks = [
                _share([state_of(ruled(line, profile), "records") for line in lines], "FAIL")
                if profile == MEANT_FOR[rows]
                else ""
                for lines in (_lines(saved, name, rows, kind, draws) for kind in SETS[1:])
            ]
            asked = [_shares([one[question] for one in states]) for question in QUESTIONS]
            seconds = f"{np.mean([line['seconds'] for line in found]):.0f}"
            shown.add_row(
                name, f"{rows:,}", str(len(found)), profile, *asked, _shares(every), *leaks, seconds
            )
    return shown


def _by_gate(saved: Saved, tables: Sequence[str], sizes: Sequence[int], draws: range) -> Table:
    """Return how often each gate was not PASS on fresh records."""
    shown = Table(title="fresh records: gates that were not PASS, with the number of draws")
    for title in ("table", "rows", "profile", "FAIL", "INCONCLUSIVE"):
        shown.add_column(title)
    for name, rows in _cells(tables, sizes):
        found = _lines(saved, name, rows, "fresh", draws)
        for profile in PROFILES if found else ():
            counts = Counter((gate.state, gate.gate) for line in found for gate in ruled(line, profile))
            named = (
                ", ".join(f"{gate} {count}" for (state, gate), count in counts.most_common() if state == of)
                for of in ("FAIL", "INCONCLUSIVE")
            )
            shown.add_row(name, f"{rows:,}", profile, *named)
    return shown


def _cells(tables: Sequence[str], sizes: Sequence[int]) -> Iterator[tuple[str, int]]:
    yield from ((name, rows) for rows in sizes for name in tables)


def _lines(saved: Saved, name: str, rows: int, kind: str, draws: range) -> list[dict[str, Any]]:
    keys = ((name, rows, draw, kind) for draw in draws)
    return [saved[key] for key in keys if key in saved]


def _share(states: Sequence[str], state: str) -> str:
    return f"{np.mean([one == state for one in states]):.0%} of {len(states)}" if states else "-"


def _shares(states: Sequence[str]) -> str:
    if set(states) == {"NOT MEASURED"}:
        return "-"
    return " / ".join(f"{np.mean([one == state for one in states]):.0%}" for state in ("PASS", "FAIL"))


def _read(path: Path | None) -> Saved:
    if path is None or not path.is_file():
        return {}
    saved: Saved = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        _keep(saved, json.loads(line))
    return saved


if __name__ == "__main__":
    main()
