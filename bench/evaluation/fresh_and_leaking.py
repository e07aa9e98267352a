"""Draws of a perfect generator: the splits of a real table, fresh records of the same source, and leaks of known size."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
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
ONE_CELL = 5
"""Times as many records of which one cell was changed as verbatim ones."""


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
