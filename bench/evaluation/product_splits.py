"""Copies in fresh real records where the splits are made by Paracosm, which keeps copies and near-duplicate texts on one side.

    python bench/evaluation/product_splits.py
    python bench/evaluation/product_splits.py --draws 3 --tables "mts_dialog, notes"

A table is drawn and divided by `split_table`; other records of the same source take the place of the synthetic ones. Each metric
should be 0 and FAIL no more often than its false alarm rate says; `copy` counts the draws in which a copy of train FAILs. Needs
the tables in the folder that PARACOSM_SHARED_DATA names (by default ../shared/data beside the repository).
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.context import Context
from paracosm.eval.privacy import distance_to_closest, ngram_overlap
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.table import to_typed
from paracosm.records.splitting.splits import split_table

DATA = Path(os.environ.get("PARACOSM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ADULT = ["age", "workclass", "education", "sex", "income", "marital-status", "occupation", "race"]
CFPB = ["Product", "Sub-product", "Issue", "State", "Company response", "Timely response?"]
TABLES: dict[str, tuple[str, Sequence[str] | None, int]] = {
    "adult, 5 columns": ("benchmarks/adult.csv.gz", ADULT[:5], 2000),
    "adult, 8 columns": ("benchmarks/adult.csv.gz", ADULT, 2000),
    "adult": ("benchmarks/adult.csv.gz", None, 2000),
    "complaints, 6 columns": ("finance/cfpb_structured.csv.gz", CFPB, 2000),
    "mts_dialog, notes": ("healthcare/mts_dialog.csv.gz", ["section_header", "section_text"], 1000),
    "cuad, clauses": ("legal/cuad_clauses.csv.gz", ["clause"], 2000),
}
MEASURES = (distance_to_closest.MEASURE, ngram_overlap.MEASURE)
SHOWN = ("exact_copies", "near_copies", "nndr", "repeated_people", "run_13", "run_50")


def draws(name: str, count: int) -> pd.DataFrame:
    """Return, for each draw and metric, the value in points, and whether fresh records and a copy of train FAIL."""
    path, columns, rows = TABLES[name]
    whole = pd.read_csv(DATA / path, dtype="string")
    whole = whole if columns is None else whole[columns]
    found = []
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(len(whole))
        data = Data(source="table.csv", split={"seed": seed})  # type: ignore[arg-type]
        raw = whole.iloc[order[:rows]].reset_index(drop=True)
        schema = infer(raw, data).schema
        parts = split_table(to_typed(raw, schema), schema, data)
        fresh = to_typed(whole.iloc[order[rows : 2 * rows]].reset_index(drop=True), schema)
        fresh = fresh.iloc[: len(parts["train"])]
        modelled = [field.name for field in schema.modelled]
        train, control, test = (parts[part][modelled] for part in ("train", "control", "test"))
        context = Context(schema, train, control, test, None, Evaluate(bootstrap=100), len(control) * 2)
        for candidate, table in (("fresh", fresh[modelled].reset_index(drop=True)), ("copy", train)):
            results, _ = measure_all(context, table, MEASURES)
            for result in results:
                gate = result.metric.gates[0]
                failed = result.synthetic.low > gate.internal
                figures = (seed, candidate, result.metric.name, 100 * result.synthetic.value, failed)
                found.append(figures)
    return pd.DataFrame(found, columns=["draw", "records", "metric", "points", "fail"])


def main() -> None:
    """Print one line for each table and metric."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--draws", type=int, default=10)
    options.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    given = options.parse_args()
    print(f"{'table':<24}{'metric':<18}{'fresh, points (s.e.)':>22}{'fresh FAIL':>12}{'copy FAIL':>11}")
    for name in given.tables:
        found = draws(name, given.draws)
        for metric in SHOWN:
            fresh, copied = (
                found[(found["metric"] == metric) & (found["records"] == records)]
                for records in ("fresh", "copy")
            )
            if len(fresh):
                error = fresh["points"].std() / np.sqrt(len(fresh))
                value = f"{fresh['points'].mean():+.2f} ({error:.2f})"
                failed = f"{fresh['fail'].sum()} of {len(fresh)}"
                found_in = f"{copied['fail'].sum()} of {len(copied)}"
                print(f"{name:<24}{metric:<18}{value:>22}{failed:>12}{found_in:>11}", flush=True)


if __name__ == "__main__":
    main()
