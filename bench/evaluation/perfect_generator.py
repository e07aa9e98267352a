"""How often a perfect generator gets PASS, how often FAIL, and how often leaks FAIL: fresh real records in place of synthetic ones.

    python bench/evaluation/perfect_generator.py --draws 40 --results draws.jsonl
    python bench/evaluation/perfect_generator.py --tables adult --rows 1000 --draws 10 --results draws.jsonl
    python bench/evaluation/perfect_generator.py --draws 40 --results draws.jsonl --gates --rule-only

In each draw, a table of so many rows is divided as a run does (`split_table`, 80 : 10 : 10). Other records of the same source, as
many as train or as are left, are the perfect generator's. `verbatim` replaces a share of them by training records, at twice the
limit on exact copies of the profile that is meant for tables of this size; `one cell` replaces five times as many by training
records of which one cell was changed. Leaks are measured by the gates on records alone, with the anchors that gates read.

Measurements are saved, one set of a draw a line, and rulings are not: all three profiles are ruled on the same measurements, an
interrupted run resumes, and `--rule-only` applies limits that changed in the code. Needs the tables in the folder that
PARACOSM_SHARED_DATA names (by default ../shared/data beside the repository); a missing table is skipped, and so is a size that
leaves fewer fresh records than a quarter of train.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Profile, Release
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source
from paracosm.records.splitting.splits import split_table

DATA = Path(os.environ.get("PARACOSM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SUPPORT: list[str] = [
    *("age", "sex", "dzgroup", "num.co", "edu", "income", "race", "diabetes"),
    *("dementia", "ca", "meanbp", "wblc", "hrt", "temp", "crea", "hospdead"),
]
TABLES: dict[str, tuple[str, str, list[str] | None]] = {
    "adult": ("benchmarks/adult.csv.gz", "income", None),
    "support2": ("healthcare/support2.csv.gz", "hospdead", SUPPORT),
    "housing": ("benchmarks/california_housing.csv.gz", "ocean_proximity", None),
    "complaints": (
        "finance/cfpb_structured.csv.gz",
        "Company response",
        ["Product", "Issue", "State", "Date received", "Company response", "Timely response?"],
    ),
}
"""Name -> file, target, and the columns that are used where not all are."""
MEANT_FOR: dict[int, Profile] = {1000: "internal", 5000: "partner", 20_000: "public"}
LEAKED: dict[Profile, float] = {"internal": 0.02, "partner": 0.01, "public": 0.002}
"""Share of verbatim training records: twice the limit on exact copies."""
ONE_CELL = 5
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
    wanted = [kind for kind in given.sets if (name, rows, draw, kind) not in saved]
    if not wanted or not (DATA / TABLES[name][0]).is_file():
        return
    drawn = draw_tables(name, rows, draw)
    if drawn is None:
        return
    context, fresh = drawn
    for kind in wanted:
        began = time.process_time()
        asked = given.sections if kind == "fresh" else ["privacy"]
        chosen = [one for one in MEASURES if one.metrics[0].section in asked]
        candidate = leaking(kind, fresh, context.train, LEAKED[MEANT_FOR[rows]], draw)
        line = {"table": name, "rows": rows, "draw": draw, "set": kind} | measured(context, candidate, chosen)
        line["seconds"] = round(time.process_time() - began, 2)
        saved[name, rows, draw, kind] = line
        if given.results:
            with given.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def draw_tables(name: str, rows: int, draw: int) -> tuple[Context, pd.DataFrame] | None:
    """Return the splits of a table of so many rows, and fresh records; None where too few are left."""
    file, target, columns = TABLES[name]
    data = Data(source=str(DATA / file), target=target, split={"seed": draw})  # type: ignore[arg-type]
    raw = read_source(data, root=Path())
    raw = raw if columns is None else raw[columns]
    order = np.random.default_rng([draw, 83]).permutation(len(raw))
    raw = raw.iloc[order[: 2 * rows]].reset_index(drop=True)
    schema = Schema(infer(raw, data).schema.modelled)
    table = to_typed(raw, schema)
    parts = split_table(table.iloc[:rows].reset_index(drop=True), schema, data)
    fresh = table.iloc[rows : rows + len(parts["train"])].reset_index(drop=True)
    if len(fresh) < len(parts["train"]) // 4:
        return None
    train, control, test = (parts[part].reset_index(drop=True) for part in ("train", "control", "test"))
    size = min(len(control) + len(test), len(fresh), Evaluate().max_rows)
    return Context(schema, train, control, test, target, Evaluate(seed=draw), size), fresh


def leaking(kind: str, fresh: pd.DataFrame, train: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Return fresh records of which a share is replaced by training records, or by ones with a cell changed."""
    if kind == "fresh":
        return fresh
    if kind == "one cell":
        train, share = _one_cell_changed(train, seed), ONE_CELL * share
    count = round(share * len(fresh))
    return pd.concat([train.iloc[:count], fresh.iloc[count:]], ignore_index=True)


def _one_cell_changed(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    random, changed = np.random.default_rng([seed, 5]), table.copy()
    for row in range(min(len(changed), 2000)):
        column = changed.columns[int(random.integers(len(changed.columns)))]
        changed.loc[row, column] = table[column].iloc[random.integers(len(table))]
    return changed


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
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {(line["table"], line["rows"], line["draw"], line["set"]): line for line in lines}


if __name__ == "__main__":
    main()
