"""How often fresh real records PASS the gates on the privacy of records, how often they FAIL, and how often leaks FAIL.

    python bench/evaluation/perfect_generator.py --draws 40
    python bench/evaluation/perfect_generator.py --draws 10 --tables adult --rows 1000 --profile internal --results draws.jsonl

In each draw a table of so many rows is divided 80 : 10 : 10; other records of the same source, as many as train, take the place
of the synthetic ones. `verbatim` replaces a share of them by training records, `one cell` by training records of which one cell
was changed; the share is twice the profile's limit on exact copies (2%, 1% or 0.2%), and five times for one cell. Attacks on
adapters are not part of this. The last column names the gates that were not PASS. Needs the tables in the folder that
PARACOSM_SHARED_DATA names (by default ../shared/data beside the repository).
"""

import argparse
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.catalogue import MEASURES, PRIVACY
from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Obstacle
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.table import to_typed

DATA = Path(os.environ.get("PARACOSM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
TABLES = {
    "adult": "benchmarks/adult.csv.gz",
    "housing": "benchmarks/california_housing.csv.gz",
    "support2": "healthcare/support2.csv.gz",
    "complaints": "finance/cfpb_structured.csv.gz",
}
COLUMNS = 16
ROWS = {"internal": 1_000, "partner": 5_000, "public": 20_000}
LEAKED = {"internal": 0.02, "partner": 0.01, "public": 0.002}
ONE_CELL = 5
SETS = ("fresh", "verbatim", "one cell")


def draw(name: str, rows: int, profile: str, seed: int) -> dict[str, list[str]]:
    """Return, for each set, its verdict and the gates that are not PASS."""
    whole = pd.read_csv(DATA / TABLES[name], dtype="string").iloc[:, :COLUMNS]
    raw = whole.iloc[np.random.default_rng(seed).permutation(len(whole))].reset_index(drop=True)
    schema = infer(raw.iloc[:rows], Data(source="table.csv")).schema
    modelled = [field.name for field in schema.modelled]
    table = to_typed(raw.iloc[: 2 * rows], schema)[modelled]
    ends = [round(rows * share) for share in (0.8, 0.9, 1.0)]
    train, control, test = (
        table.iloc[a:b].reset_index(drop=True) for a, b in zip([0, *ends], ends, strict=False)
    )
    fresh = table.iloc[rows : rows + len(train)].reset_index(drop=True)
    context = Context(schema, train, control, test, None, Evaluate(bootstrap=300, repeats=2), 2 * len(test))
    sets = {
        "fresh": fresh,
        "verbatim": _leaking(fresh, train, LEAKED[profile]),
        "one cell": _leaking(fresh, _one_cell_changed(train, seed), ONE_CELL * LEAKED[profile]),
    }
    return {kind: _ruled(context, synthetic, profile) for kind, synthetic in sets.items()}


def _leaking(fresh: pd.DataFrame, train: pd.DataFrame, share: float) -> pd.DataFrame:
    count = round(share * len(fresh))
    return pd.concat([train.iloc[:count], fresh.iloc[count:]], ignore_index=True)


def _one_cell_changed(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    random, changed = np.random.default_rng([seed, 5]), table.copy()
    for row in range(min(len(changed), 2000)):
        column = changed.columns[random.integers(len(changed.columns))]
        changed.loc[row, column] = table[column].iloc[random.integers(len(table))]
    return changed


def _ruled(context: Context, synthetic: pd.DataFrame, profile: str) -> list[str]:
    results, missing = measure_all(context, synthetic, PRIVACY)
    elsewhere = {
        metric.name: Obstacle("not asked here", curable=False)
        for measure in MEASURES
        for metric in measure.metrics
    }
    gates = [
        gate
        for gate in rule(results, elsewhere | missing, Release(profile=profile))  # type: ignore[arg-type]
        if gate.section == "privacy"
    ]
    open_gates = [f"{gate.gate} {gate.state}" for gate in gates if gate.decides and gate.state != "PASS"]
    return [verdict(gates, "records"), *open_gates]


def main() -> None:
    """Print one line for each table and size."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--draws", type=int, default=40)
    options.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    options.add_argument("--profile", nargs="+", choices=list(ROWS), default=list(ROWS))
    options.add_argument("--results", type=Path, help="file that draws are saved in, one a line")
    given = options.parse_args()
    saved: dict[str, dict[str, list[str]]] = {}
    if given.results and given.results.is_file():
        lines = map(json.loads, given.results.read_text(encoding="utf-8").splitlines())
        saved = {line["draw"]: line["sets"] for line in lines}
    print(
        f"{'table':<12}{'profile':<10}{'rows':>7}{'draws':>7}  {'PASS / FAIL of':<15}"
        + "".join(f"{kind:>14}" for kind in SETS)
    )
    for profile in given.profile:
        for name in given.tables:
            found = []
            for seed in range(given.draws):
                key = f"{name} {profile} {seed}"
                if key not in saved:
                    saved[key] = draw(name, ROWS[profile], profile, seed)
                    if given.results:
                        with given.results.open("a", encoding="utf-8") as file:
                            file.write(json.dumps({"draw": key, "sets": saved[key]}) + "\n")
                found.append(saved[key])
            shares = [
                "/".join(
                    f"{np.mean([each[kind][0] == state for each in found]):.0%}" for state in ("PASS", "FAIL")
                )
                for kind in SETS
            ]
            gates = Counter(gate for each in found for gate in each["fresh"][1:])
            named = ", ".join(f"{gate} {count}" for gate, count in gates.most_common(6))
            print(
                f"{name:<12}{profile:<10}{ROWS[profile]:>7,}{len(found):>7}  {'':<15}"
                + "".join(f"{share:>14}" for share in shares)
                + f"  {named}",
                flush=True,
            )


if __name__ == "__main__":
    main()
