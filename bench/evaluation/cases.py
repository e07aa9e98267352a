"""What the gates on records say of hostile and honest sets that another program made from one real table.

    python bench/evaluation/cases.py FOLDER [--sets fresh copy ...]

FOLDER holds `train.csv`, `control.csv`, `test.csv`, `cases/NAME.csv` for each set, and `expected.json`, which says for each name
what the privacy gates must answer (`FAIL`, `not FAIL`, `not PASS`). A line shows the verdict on the records and the gates by
their state: `F` FAIL, `?` INCONCLUSIVE, `P` PASS, `-` no objection. The last column is `WRONG` where the verdict is not allowed.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from paracosm.eval.catalogue import MEASURES, PRIVACY
from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Obstacle
from paracosm.eval.shared_schema import infer_shared_schema, read_synthetic
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source

LETTERS = {"FAIL": "F", "INCONCLUSIVE": "?", "PASS": "P", "NO OBJECTION": "-"}
ALLOWED = {
    "FAIL": {"FAIL"},
    "not FAIL": {"PASS", "INCONCLUSIVE"},
    "not PASS": {"FAIL", "INCONCLUSIVE"},
}


def ruled(folder: Path, name: str) -> dict[str, str]:
    """Return the state of each gate on one set, and the verdict under the name `verdict`."""
    tables = {part: _cells(folder / f"{part}.csv") for part in ("train", "control", "test")}
    columns = list(tables["train"].columns)
    synthetic = _cells(folder / "cases" / f"{name}.csv")
    columns = [column for column in columns if column in synthetic.columns]
    real = pd.concat([table[columns] for table in tables.values()], ignore_index=True)
    schema = infer_shared_schema(real, synthetic[columns], Data(source="train.csv")).schema
    modelled = [field.name for field in schema.modelled]
    typed, start, parts = to_typed(real, schema)[modelled], 0, []
    for table in tables.values():
        parts.append(typed.iloc[start : start + len(table)].reset_index(drop=True))
        start += len(table)
    records = read_synthetic(synthetic[columns], schema, name, real)[0][modelled]
    settings = Evaluate(bootstrap=300, repeats=2)
    size = min(len(parts[1]) + len(parts[2]), len(records))
    context = Context(schema, *parts, None, settings, size)
    results, missing = measure_all(context, records, PRIVACY)
    elsewhere = {
        metric.name: Obstacle("not asked here", curable=False)
        for measure in MEASURES
        for metric in measure.metrics
    }
    gates = [
        gate
        for gate in rule(results, elsewhere | missing, Release())
        if gate.section == "privacy" and gate.value is not None
    ]
    return {gate.gate: gate.state for gate in gates} | {"verdict": verdict(gates)}


def _cells(path: Path) -> pd.DataFrame:
    return read_source(Data(source=str(path)), root=Path()).astype(object)


def main() -> None:
    """Print one line for each set."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path)
    options.add_argument("--sets", nargs="+", help="names; all sets when absent")
    given = options.parse_args()
    expected = json.loads((given.folder / "expected.json").read_text(encoding="utf-8"))["cases"]
    names = given.sets or sorted(path.stem for path in (given.folder / "cases").glob("*.csv"))
    for number, name in enumerate(names):
        states = ruled(given.folder, name)
        shown = [gate for gate in states if gate != "verdict"]
        if number == 0:
            print("gates:", " ".join(shown))
        wanted = expected.get(name, {}).get("privacy")
        wrong = "WRONG" if wanted and states["verdict"] not in ALLOWED[wanted] else ""
        letters = {
            letter: [gate for gate in shown if LETTERS.get(states[gate]) == letter] for letter in "F?P"
        }
        print(
            f"{given.folder.name:<8}{name:<24}{states['verdict']:<14}{wanted or '':<10}{wrong:<7}"
            + "  ".join(f"{letter}: {' '.join(gates)}" for letter, gates in letters.items() if gates),
            flush=True,
        )


if __name__ == "__main__":
    main()
