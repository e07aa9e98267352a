"""State of every gate on records with known leakage: copies, noisy and partial copies, fresh records, shuffled columns.

    python bench/evaluation/anchors.py
    python bench/evaluation/anchors.py --sets heart adult --rows 800

Each is evaluated as if it were synthetic. Needs the tables in the folder that PARACOSM_SHARED_DATA names (by default
../shared/data beside the repository); a missing table is skipped.
"""

import argparse
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.anchors import independent_marginals
from paracosm.eval.measuring.context import Context
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source

DATA = Path(os.environ.get("PARACOSM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SETS = {
    "heart": ("healthcare/heart_disease_uci.csv.gz", "num", ["id", "dataset"]),
    "adult": ("benchmarks/adult.csv.gz", "income", []),
    "mts_dialog": ("healthcare/mts_dialog.csv.gz", None, ["ID", "section_header", "dialogue", "split"]),
    "cfpb_complaints": ("finance/cfpb_complaints.csv.gz", "Company response to consumer", None),
}
KEPT = {
    "cfpb_complaints": [
        "Issue",
        "State",
        "Submitted via",
        "Company response to consumer",
        "Timely response?",
        "Consumer complaint narrative",
    ]
}
STATES = {"PASS": "pass", "FAIL": "FAIL", "INCONCLUSIVE": "open", "NO OBJECTION": "-", "NOT APPLICABLE": ""}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument(
        "--rows", type=int, default=1000, help="of the whole table; 35%% are the training records"
    )
    arguments = parser.parse_args()
    for name in arguments.sets:
        path = DATA / SETS[name][0]
        if not path.is_file():
            print(f"{name}: skipped, {path} does not exist")
            continue
        Console(width=150).print(verdicts(name, path, arguments.rows))


def verdicts(name: str, path: Path, rows: int) -> Table:
    """Return the table of one data set: a row for each gate, a column for each candidate."""
    _, target, dropped = SETS[name]
    raw = read_source(Data(source=str(path)), root=Path())
    raw = raw[KEPT[name]] if dropped is None else raw.drop(columns=dropped, errors="ignore")
    raw = raw.drop_duplicates().sample(min(rows, len(raw)), random_state=0).reset_index(drop=True)
    schema = infer(raw, Data(source=str(path), target=target)).schema
    schema = Schema(schema.modelled)
    table = to_typed(raw, schema)
    ends = [0, *(int(len(table) * share) for share in (0.35, 0.53, 0.7, 1.0))]
    train, control, test, fresh = (table.iloc[a:b].reset_index(drop=True) for a, b in pairwise(ends))
    settings = Evaluate(bootstrap=200, repeats=1)
    context = Context(
        schema, train, control, test, target, settings, min(len(control) + len(test), len(fresh))
    )
    columns: dict[str, dict[str, str]] = {}
    for candidate, records in candidates(train, fresh, schema).items():
        results, missing = measure_all(context, records)
        rulings = rule(results, missing, Release())
        columns[candidate] = {ruling.gate: STATES[ruling.state] for ruling in rulings} | {
            "VERDICT": verdict(rulings)
        }
    shown = Table(
        title=f"{name}: {len(train)} train, {len(control)} control, {len(test)} test, {len(fresh)} fresh"
    )
    shown.add_column("gate")
    for candidate in columns:
        shown.add_column(candidate)
    for gate in next(iter(columns.values())):
        states = [column[gate] for column in columns.values()]
        if any(states):
            shown.add_row(gate, *states)
    return shown


def candidates(train: pd.DataFrame, fresh: pd.DataFrame, schema: Schema) -> dict[str, pd.DataFrame]:
    """Return the evaluated tables by name."""
    random = np.random.default_rng(0)
    shuffled = pd.DataFrame(
        {
            column: train[column].sample(frac=1, random_state=number).array
            for number, column in enumerate(train)
        }
    )
    return {
        "copy": train,
        "1% noise": noisy(train, schema),
        "half": train.iloc[random.permutation(len(train))[: len(train) // 2]].reset_index(drop=True),
        "columns shuffled": shuffled,
        "fresh": fresh,
        "marginals": independent_marginals(train, schema.modelled, len(train), 1),
    }


def noisy(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return a copy with noise of 1% of a column's standard deviation, and texts that lack 1% of their words."""
    random, changed = np.random.default_rng(0), table.copy()
    for field in schema:
        if field.ordered and not field.is_moment:
            values = table[field.name].to_numpy(dtype=float, na_value=np.nan)
            values = values + random.normal(0, 0.01, len(values)) * np.nanstd(values)
            values = np.round(values) if field.is_whole else values
            cells = [None if np.isnan(value) else value for value in values]
            changed[field.name] = pd.array(cells, dtype="Float64").astype(table[field.name].dtype)
        elif field.is_text:
            texts = [_without_some_words(text, random) for text in table[field.name].fillna("")]
            changed[field.name] = pd.array(texts, dtype="string")
    return changed


def _without_some_words(text: str, random: np.random.Generator) -> str:
    return " ".join(word for word in text.split(" ") if random.random() > 0.01)


if __name__ == "__main__":
    main()
