"""What a split withholds from train, and whether a perfect generator is taken for a copier.

    python bench/records/splits.py
    python bench/records/splits.py --draws 5 --tables adult8

A table of n rows is drawn from a larger one and divided. `lost rows` is the share of its rows whose combination of cells is not in
train, of those that occur twice or more; `lost categories` counts values of category fields. The rest of the larger table then
takes the place of the synthetic records: `copies` is what `exact_copies` measures on it, in points, and should be 0; `verbatim`
is what a copy of train gets. Needs the tables in the folder that PARACOSM_SHARED_DATA names (by default ../shared/data beside the
repository); a missing table is skipped.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.privacy.copies.exact import exact_flags
from paracosm.eval.statistics.intervals import excess
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.table import to_typed
from paracosm.records.splitting.splits import split_table

DATA = Path(os.environ.get("PARACOSM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ADULT = ["age", "workclass", "education", "sex", "income", "marital-status", "occupation", "race"]


def adult(columns: int) -> pd.DataFrame:
    """Return columns of adult."""
    return pd.read_csv(DATA / "benchmarks" / "adult.csv.gz", dtype="string")[ADULT[:columns]]


def complaints() -> pd.DataFrame:
    """Return complaints without dates and ZIP codes."""
    table = pd.read_csv(DATA / "finance" / "cfpb_structured.csv.gz", dtype="string")
    return table[["Product", "Sub-product", "Issue", "State", "Company response", "Timely response?"]]


def mortgages(rows: int = 40_000) -> pd.DataFrame:
    """Return invented mortgage applications in the form of the HMDA disclosure: rounded amounts, and codes that go together."""
    random = np.random.default_rng(3)
    county = np.minimum(random.geometric(0.06, rows), 60)
    purpose = random.choice(3, rows, p=[0.6, 0.1, 0.3])
    income = (random.lognormal(4.3 + county / 300, 0.5, rows) / 5).round() * 5
    amount = (income * random.choice([2, 3, 4], rows) / 10).round() * 10
    action = np.where(random.random(rows) < 0.7 - 0.1 * (purpose == 1), 1, random.choice([2, 3, 4, 6], rows))
    reason = np.where(action == 3, random.choice(9, rows), 0)
    cells = {"county": county, "state": county // 15, "purpose": purpose, "action": action, "reason": reason}
    cells |= {"sex": random.choice(4, rows, p=[0.6, 0.3, 0.07, 0.03]), "race": random.choice(6, rows)}
    words = {name: [f"{name} {code}" for code in values] for name, values in cells.items()}
    numbers = {"income": income, "amount": amount}
    return pd.DataFrame(
        words | {name: values.astype(int).astype(str) for name, values in numbers.items()}
    ).astype("string")


def cases(rows: int = 40_000) -> pd.DataFrame:
    """Return invented case reports of an epidemic: age groups, sex, region, week, outcome."""
    random = np.random.default_rng(5)
    age = random.choice(10, rows, p=[0.05, 0.12, 0.18, 0.17, 0.15, 0.13, 0.09, 0.06, 0.03, 0.02])
    died = random.random(rows) < 0.002 * 2.0**age / 10
    hospital = died | (random.random(rows) < 0.01 * (age + 1))
    cells = {
        "age group": [f"{10 * group}-{10 * group + 9}" for group in age],
        "sex": random.choice(["male", "female", "unknown"], rows, p=[0.47, 0.52, 0.01]),
        "region": [f"region {number}" for number in np.minimum(random.geometric(0.12, rows), 30)],
        "week": [f"week {number}" for number in random.binomial(52, 0.5, rows)],
        "hospital": np.where(hospital, "yes", "no"),
        "died": np.where(died, "yes", "no"),
    }
    return pd.DataFrame(cells).astype("string")


TABLES: dict[str, tuple[Callable[[], pd.DataFrame], int]] = {
    "adult5": (lambda: adult(5), 2000),
    "adult8": (lambda: adult(8), 2000),
    "adult8, large": (lambda: adult(8), 15_000),
    "cfpb": (complaints, 5000),
    "hmda": (mortgages, 10_000),
    "covid": (cases, 10_000),
}


def draws(name: str, count: int) -> Iterator[dict[str, float]]:
    """Yield what each draw of a table measures."""
    make, rows = TABLES[name]
    whole = make()
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(len(whole))
        raw = whole.iloc[order[:rows]].reset_index(drop=True)
        data = Data(source="table.csv", split={"seed": seed})  # type: ignore[arg-type]
        schema = infer(raw, data).schema
        table, fresh = to_typed(raw, schema), to_typed(whole.iloc[order[rows : 2 * rows]], schema)
        parts = split_table(table, schema, data)
        train, fields = parts["train"], schema.modelled
        inside = exact_flags(table, train, fields)
        repeated = table.duplicated([field.name for field in fields], keep=False).to_numpy()
        lost = sum(
            len(set(table[field.name].dropna()) - set(train[field.name].dropna()))
            for field in fields
            if field.discrete and field.kind.words
        )
        control = exact_flags(parts["control"], train, fields)
        copied = exact_flags(fresh, train, fields)
        yield {
            "equal": repeated.mean(),
            "lost rows": (repeated & ~inside).mean(),
            "lost categories": lost,
            "copies": 100 * excess(copied.sum(), len(copied), control.sum(), len(control)).value,
            "verbatim": 100 * (1 - control.mean()),
        }


def main() -> None:
    """Print one line for each table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--draws", type=int, default=20)
    options.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    given = options.parse_args()
    print(
        f"{'table':<14}{'rows':>7}{'equal':>8}{'lost rows':>11}{'lost cat.':>11}{'copies, points (sd of mean)':>29}{'verbatim':>10}"
    )
    for name in given.tables:
        try:
            found = pd.DataFrame(draws(name, given.draws))
        except FileNotFoundError as error:
            print(f"{name:<14} skipped: {error.filename} is missing")
            continue
        mean, deviation = found.mean(), found["copies"].std() / np.sqrt(len(found))
        copies = f"{mean['copies']:+.2f} ({deviation:.2f})"
        print(
            f"{name:<14}{TABLES[name][1]:>7}{mean['equal']:>8.1%}{mean['lost rows']:>11.2%}{mean['lost categories']:>11.1f}"
            f"{copies:>29}{mean['verbatim']:>10.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
