"""How often each gate passes and fails a perfect generator: fresh real records in the place of synthetic ones.

    python bench/evaluation/power.py --draws 10 --results power.jsonl
    python bench/evaluation/power.py --tables adult --rows 5000 --sections fidelity utility privacy --results power.jsonl
    python bench/evaluation/power.py --only pairs triples worst_column --draws 40 --results power.jsonl
    python bench/evaluation/power.py --case shuffled --rows 1000 --draws 5 --results power.jsonl

In every draw, rows of a real table are divided into train, control and test as a run does by default (80, 10 and 10%); the
candidate is as many further rows as train has, or as many as are left. Gates are ruled for all three profiles. With `--results` every
draw is saved as a line of that file, and an interrupted run resumes. Needs the tables in the folder that PARACOSM_SHARED_DATA
names (by default ../shared/data beside the repository); a missing table is skipped, and so is a size that leaves fewer further
rows than a quarter of train.
"""

import argparse
import json
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anchors import DATA
from rich.console import Console
from rich.table import Table

from paracosm.eval.catalogue import MEASURES
from paracosm.eval.gates.ruling import rule
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.anchors import independent_marginals
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Obstacle
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source

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
SHARES = (0.8, 0.9, 1.0)
PROFILES = ("internal", "partner", "public")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rows", nargs="+", type=int, default=[1000, 5000, 20_000], help="of all splits")
    parser.add_argument("--sections", nargs="+", default=["fidelity", "utility"])
    parser.add_argument("--only", nargs="+", help="names of metrics; only their measures run")
    parser.add_argument("--case", choices=("fresh", "shuffled", "copy"), default="fresh")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--results", type=Path, help="file that draws are saved in")
    arguments = parser.parse_args()
    setting = {"case": arguments.case, "sections": sorted(arguments.sections)}
    if arguments.only:
        setting["only"] = sorted(arguments.only)
    saved = _read(arguments.results, setting)
    loaded: dict[str, tuple[pd.DataFrame, Schema]] = {}
    for draw in range(arguments.draws):
        for name in arguments.tables:
            for rows in arguments.rows:
                if (name, rows, draw) in saved or not (DATA / TABLES[name][0]).is_file():
                    continue
                loaded[name] = loaded.get(name) or read(name)
                if (outcome := states(*loaded[name], name, rows, draw, arguments)) is None:
                    continue
                saved[name, rows, draw] = outcome
                if arguments.results:
                    line = {"table": name, "rows": rows, "draw": draw, "setting": setting, **outcome}
                    with arguments.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
    for name in arguments.tables:
        for rows in arguments.rows:
            outcomes = [one for (table, size, _), one in saved.items() if (table, size) == (name, rows)]
            if outcomes:
                Console(width=130).print(summary(name, rows, arguments.case, outcomes))


def read(name: str) -> tuple[pd.DataFrame, Schema]:
    """Return a typed table with its schema."""
    file, target, columns = TABLES[name]
    data = Data(source=str(DATA / file), target=target)
    raw = read_source(data, root=Path())
    raw = raw if columns is None else raw[columns]
    schema = Schema(infer(raw, data).schema.modelled)
    return to_typed(raw, schema), schema


def states(
    table: pd.DataFrame, schema: Schema, name: str, rows: int, draw: int, arguments: argparse.Namespace
) -> dict[str, Any] | None:
    """Return the states of all gates of a draw by profile, with its CPU seconds; None where too few rows are left."""
    order = np.random.default_rng([draw, 83]).permutation(len(table))
    ends = [0, *(round(rows * share) for share in SHARES)]
    train_rows = ends[1]
    if len(table) < rows + train_rows // 4:
        return None
    train, control, test = (table.iloc[order[a:b]].reset_index(drop=True) for a, b in pairwise(ends))
    candidate = table.iloc[order[rows : rows + train_rows]].reset_index(drop=True)
    if arguments.case == "copy":
        candidate = train
    if arguments.case == "shuffled":
        candidate = independent_marginals(candidate, schema.modelled, len(candidate), draw)
    size = min(rows - train_rows, len(candidate), Evaluate().max_rows)
    context = Context(schema, train, control, test, TABLES[name][1], Evaluate(seed=draw), size)
    chosen = [
        one
        for one in MEASURES
        if one.metrics[0].section in arguments.sections
        and (arguments.only is None or any(metric.name in arguments.only for metric in one.metrics))
    ]
    began = time.process_time()
    results, missing = measure_all(context, candidate, chosen)
    seconds = time.process_time() - began
    left_out = Obstacle("this bench does not measure it", curable=False)
    missing |= {metric.name: left_out for one in MEASURES if one not in chosen for metric in one.metrics}
    gates: dict[str, dict[str, str]] = {}
    for profile in PROFILES:
        for gate in rule(results, missing, Release(profile=profile)):
            if gate.section in arguments.sections and gate.state != "NOT APPLICABLE":
                gates.setdefault(gate.gate, {})[profile] = gate.state
    values = {
        one.metric.name: [one.synthetic.value, one.synthetic.low, one.synthetic.high] for one in results
    }
    return {"gates": gates, "values": values, "seconds": round(seconds, 2)}


def summary(name: str, rows: int, case: str, outcomes: list[dict[str, Any]]) -> Table:
    """Return the shares of draws in which each gate passes or fails."""
    seconds = np.mean([one["seconds"] for one in outcomes])
    shown = Table(
        title=f"{name}, {rows:,} rows, {case}: {len(outcomes)} draws, {seconds:.0f} CPU seconds each; PASS / FAIL"
    )
    shown.add_column("gate")
    for profile in PROFILES:
        shown.add_column(profile)
    names = dict.fromkeys(gate for one in outcomes for gate in one["gates"])
    for gate in names:
        counts = [
            Counter(one["gates"].get(gate, {}).get(profile) for one in outcomes) for profile in PROFILES
        ]
        shown.add_row(gate, *(_cell(count, len(outcomes)) for count in counts))
    return shown


def _cell(count: Counter[str | None], draws: int) -> str:
    if count["NO OBJECTION"]:
        return f"objects only / {count['FAIL'] / draws:.0%}"
    return f"{count['PASS'] / draws:.0%} / {count['FAIL'] / draws:.0%}"


def _read(path: Path | None, setting: dict[str, Any]) -> dict[tuple[str, int, int], dict[str, Any]]:
    if path is None or not path.is_file():
        return {}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {(line["table"], line["rows"], line["draw"]): line for line in lines if line["setting"] == setting}


if __name__ == "__main__":
    main()
