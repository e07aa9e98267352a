"""Make sets that evaluations are known to judge wrongly, for `cases.py`: honest records that FAIL, and small or disguised leaks that PASS.

    python bench/evaluation/hard_cases.py OUT && python bench/evaluation/cases.py OUT/*

Each folder of OUT holds the splits of one table, the sets `cases/NAME.csv` and `expected.json`. Needs the tables in the folder that
PARACOSM_SHARED_DATA names (by default ../shared/data beside the repository).
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.table import to_typed
from paracosm.records.splitting.splits import split_table

DATA = Path(os.environ.get("PARACOSM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
CATEGORIES = [
    "workclass",
    "education",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "income",
]
Made = tuple[str, pd.DataFrame]
"""What privacy of the records must get, and the set."""


def adult(random: np.random.Generator) -> tuple[list[pd.DataFrame], dict[str, Made]]:
    """Small and disguised leaks in a table of 15 columns, 500 records a split."""
    train, control, test, fresh = _parts(_table("benchmarks/adult.csv.gz", random), 500)
    numbers = list(train.select_dtypes("number").columns)
    words = [str(column) for column in train if column not in numbers]
    rounded = train.assign(**{column: train[column].round(-1) for column in numbers})
    shifted = train.assign(**{column: train[column] + 1 for column in numbers})
    rare = train.iloc[np.argsort(-_rarity(train, words))]
    person = pd.concat([train.iloc[[7]]] * 25, ignore_index=True)
    person["fnlwgt"] += random.integers(-2000, 2000, len(person))
    halves = train.iloc[random.permutation(len(train))].reset_index(drop=True)
    for column in train.columns[::2]:
        halves[column] = train[column]
    return [train, control, test], {
        "fresh": ("not FAIL", fresh),
        "one cell, tenth of train": ("FAIL", _mixed(_changed(train, 1, random), fresh, 0.1)),
        "two cells, fifth of train": ("not PASS", _mixed(_changed(train, 2, random), fresh, 0.2)),
        "15 people among 50": ("FAIL", _mixed(train, fresh.iloc[:50], 0.3)),
        "rounded numbers, tenth": ("not PASS", _mixed(rounded, fresh, 0.1)),
        "numbers plus one, tenth": ("FAIL", _mixed(shifted, fresh, 0.1)),
        "rarest people, 3 in 100": ("not PASS", _mixed(rare, fresh, 0.03)),
        "one person 25 times": ("not PASS", _mixed(person, fresh, 0.05)),
        "halves of two people": ("not PASS", halves),
    }


def renamed(random: np.random.Generator) -> tuple[list[pd.DataFrame], dict[str, Made]]:
    """A table of categories alone, whose copy has other labels."""
    train, control, test, fresh = _parts(_table("benchmarks/adult.csv.gz", random)[CATEGORIES], 500)
    other = train.copy()
    for column in CATEGORIES:
        labels = {label: f"{column[0]}{number}" for number, label in enumerate(train[column].unique())}
        other[column] = train[column].map(labels)
    return [train, control, test], {
        "fresh": ("not FAIL", fresh),
        "renamed labels": ("not PASS", other),
        "marked labels": ("not PASS", train + "."),
    }


def own_splits(random: np.random.Generator) -> tuple[list[pd.DataFrame], dict[str, Made]]:
    """A table with many equal rows, divided by Paracosm."""
    columns = ["age", "workclass", "education", "sex", "income"]
    raw = _table("benchmarks/adult.csv.gz", random)[columns].iloc[:3500].reset_index(drop=True)
    data = Data(source="table.csv")
    schema = infer(raw.astype("string"), data).schema
    numbered = to_typed(raw.astype("string"), schema).iloc[:2000]
    rows = split_table(numbered.reset_index(drop=True).assign(), schema, data)
    splits = [rows[part].astype(object) for part in ("train", "control", "test")]
    return splits, {
        "fresh": ("not FAIL", raw.iloc[2000:]),
        "copy": ("FAIL", splits[0]),
    }


def later_control(random: np.random.Generator) -> tuple[list[pd.DataFrame], dict[str, Made]]:
    """Control and test are later in time than train."""
    table = _table("finance/cfpb_structured.csv.gz", random).drop(columns=["Complaint ID"])
    order = pd.to_datetime(table["Date received"], errors="coerce").rank(method="first")
    early, late = (table[side].reset_index(drop=True) for side in (order < 10_000, order > 18_000))
    train, fresh = early.iloc[:500], early.iloc[500:1000]
    return [train, late.iloc[:500], late.iloc[500:1000]], {
        "fresh": ("not FAIL", fresh),
        "copy": ("FAIL", train),
    }


def clauses(random: np.random.Generator) -> tuple[list[pd.DataFrame], dict[str, Made]]:
    """Texts of training records with typing errors, in another order, or in pieces."""
    table = _table("legal/cuad_clauses.csv.gz", random)[["clause"]]
    table = table[table["clause"].str.count(" ") > 12].reset_index(drop=True)
    train, control, test, fresh = _parts(table, 500)

    def each(change: Callable[[list[str]], list[str]], share: float) -> pd.DataFrame:
        texts = [" ".join(change(text.split())) for text in train["clause"]]
        return _mixed(pd.DataFrame({"clause": texts}), fresh, share)

    def typed_badly(words: list[str]) -> list[str]:
        words = [
            word[0] + word[2] + word[1] + word[3:] if len(word) > 3 and random.random() < 0.3 else word
            for word in words
        ]
        return list(random.permutation(words))

    return [train, control, test], {
        "fresh": ("not FAIL", fresh),
        "typing errors, shuffled": ("FAIL", each(typed_badly, 0.08)),
        "every third word left out": (
            "not PASS",
            each(lambda words: [w for n, w in enumerate(words) if n % 3], 0.08),
        ),
        "first nine words": (
            "not PASS",
            each(lambda words: words[:9] + list(random.permutation(words[9:])), 0.1),
        ),
    }


def contacts(random: np.random.Generator) -> tuple[list[pd.DataFrame], dict[str, Made]]:
    """Notes of which each names a telephone number; 5 of 200 released ones are real."""
    table = _table("healthcare/mts_dialog.csv.gz", random)[["section_text"]].dropna()
    numbers = random.integers(2_000_000, 9_999_999, len(table)).astype(str)
    table["section_text"] += [f" Call 415-{number[:3]}-{number[3:]}." for number in numbers]
    train, control, test, fresh = _parts(table.reset_index(drop=True), 400)
    fresh = fresh.iloc[:200].reset_index(drop=True)
    taken = train["section_text"].str[-18:]
    replayed = fresh.copy()
    for row in range(5):
        replayed.loc[row, "section_text"] = fresh["section_text"][row][:-18] + taken[row]
    return [train, control, test], {
        "fresh": ("not FAIL", fresh),
        "5 numbers of 200": ("FAIL", replayed),
    }


FOLDERS = {
    "adult": adult,
    "renamed": renamed,
    "own-splits": own_splits,
    "later": later_control,
    "clauses": clauses,
    "contacts": contacts,
}


def _table(path: str, random: np.random.Generator) -> pd.DataFrame:
    table = pd.read_csv(DATA / path)
    return table.iloc[random.permutation(len(table))].reset_index(drop=True)


def _parts(table: pd.DataFrame, rows: int) -> list[pd.DataFrame]:
    return [table.iloc[start : start + rows].reset_index(drop=True) for start in range(0, 4 * rows, rows)]


def _mixed(leak: pd.DataFrame, fresh: pd.DataFrame, share: float) -> pd.DataFrame:
    count = round(share * len(fresh))
    return pd.concat([leak.iloc[:count], fresh.iloc[count:]], ignore_index=True)


def _changed(table: pd.DataFrame, cells: int, random: np.random.Generator) -> pd.DataFrame:
    """Return the table with so many cells of each row taken from other rows."""
    changed = table.astype(object)
    for row in range(len(table)):
        for column in random.choice(table.columns, cells, replace=False):
            others = table[column][table[column] != table[column][row]].to_numpy()
            changed.loc[row, column] = others[random.integers(len(others))]
    return changed


def _rarity(table: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return the sum over columns of minus the log share of each cell."""
    shares = [table[column].map(table[column].value_counts(normalize=True)) for column in columns]
    return -np.log(np.array(shares, dtype=float)).sum(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name, make in FOLDERS.items():
        splits, sets = make(np.random.default_rng([given.seed, 7]))
        folder = given.out / name
        (folder / "cases").mkdir(parents=True, exist_ok=True)
        for part, table in zip(("train", "control", "test"), splits, strict=True):
            table.to_csv(folder / f"{part}.csv", index=False)
        for case, (_, table) in sets.items():
            table.to_csv(folder / "cases" / f"{case}.csv", index=False)
        answers = {case: {"privacy": answer} for case, (answer, _) in sets.items()}
        (folder / "expected.json").write_text(json.dumps({"target": None, "cases": answers}, indent=1))


if __name__ == "__main__":
    main()
