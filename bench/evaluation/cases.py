"""Verdicts by question on hostile and honest sets that another program made from one real table, beside the right answers.

    python bench/evaluation/cases.py FOLDER...
    python bench/evaluation/cases.py FOLDER --sets fresh copy --results cases.jsonl

FOLDER holds `train.csv`, `control.csv`, `test.csv`, `cases/NAME.csv` for each set, and `expected.json`, which names the target and says
for each set what the privacy of the records and the fidelity must get (`FAIL`, `not FAIL`, `not PASS`). A line shows the verdicts,
`WRONG` beside one that is not allowed, and the gates that FAIL and that are open. A set without a column of the table is
measured on the others. `--results` saves every set, so that an interrupted bench resumes. The exit code is 1 if a verdict is wrong.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.catalogue import MEASURES, metrics
from paracosm.eval.gates.ruling import question_of, rule, verdict_of_states
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Obstacle
from paracosm.eval.shared_schema import (
    infer_shared_schema,
    read_synthetic,
    whole_columns,
    write_integers_plainly,
)
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source

SPLITS = ("train", "control", "test")
QUESTIONS = {"fidelity": "fidelity", "utility": None, "records": "privacy"}
"""Question -> the key of its right answer."""
ALLOWED = {
    "FAIL": {"FAIL"},
    "not FAIL": {"PASS", "INCONCLUSIVE"},
    "not PASS": {"FAIL", "INCONCLUSIVE"},
}
NOT_ASKED = Obstacle("not asked here", curable=False)
SECTIONS = ("fidelity", "utility", "privacy")
SHORT = {"INCONCLUSIVE": "open"}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    options.add_argument("--sets", nargs="+", help="names; all sets when absent")
    options.add_argument("--sections", nargs="+", default=list(SECTIONS), choices=SECTIONS)
    options.add_argument("--results", type=Path, help="file that sets are saved in")
    given = options.parse_args()
    saved = _read(given.results)
    wrong = 0
    print(f"{'table':<12}{'set':<26}" + "".join(f"{question:<14}" for question in QUESTIONS) + "gates")
    for folder in given.folders:
        answers = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        cases = Cases(folder, answers.get("target"), given.sections)
        for name in given.sets or sorted(path.stem for path in (folder / "cases").glob("*.csv")):
            if (key := f"{folder.name}/{name} {' '.join(given.sections)}") not in saved:
                began = time.process_time()
                saved[key] = {"set": key, "gates": cases.gates(name)}
                saved[key]["seconds"] = round(time.process_time() - began, 2)
                if given.results:
                    with given.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(saved[key]) + "\n")
            wrong += _show(folder.name, name, saved[key]["gates"], answers["cases"].get(name, {}))
    print(f"{wrong} wrong verdicts", file=sys.stderr)
    sys.exit(bool(wrong))


class Cases:
    """The sets of one folder; sets with the same columns share what depends on the real records alone."""

    def __init__(self, folder: Path, target: str | None, sections: Sequence[str]) -> None:
        self.folder, self.target = folder, target
        self.measures = [one for one in MEASURES if one.metrics[0].section in sections]
        self.real = {part: _cells(folder / f"{part}.csv") for part in SPLITS}
        tables = list(self.real.values())
        self.whole = whole_columns(tables, list(tables[0].columns))
        for table in tables:
            write_integers_plainly(table, self.whole)
        self.contexts: dict[str, Context] = {}

    def gates(self, name: str) -> list[dict[str, Any]]:
        """Return the question, name and state of each gate on one set."""
        synthetic = _cells(self.folder / "cases" / f"{name}.csv")
        write_integers_plainly(synthetic, self.whole)
        whole = list(self.real["train"].columns)
        columns = [column for column in whole if column in synthetic.columns]
        real = pd.concat([table[columns] for table in self.real.values()], ignore_index=True)
        schema = infer_shared_schema(real, synthetic[columns], Data(source="train.csv")).schema
        modelled = [field.name for field in schema.modelled]
        if (key := schema.to_json()) not in self.contexts:
            typed, ends = (
                to_typed(real, schema)[modelled],
                np.cumsum([len(one) for one in self.real.values()]),
            )
            train, control, test = (
                typed.iloc[start:end].reset_index(drop=True) for start, end in pairwise([0, *ends])
            )
            target = self.target if self.target in modelled else None
            size = min(len(control) + len(test), len(synthetic))
            self.contexts[key] = Context(
                schema, train, control, test, target, Evaluate(bootstrap=300, repeats=2), size
            )
        records = read_synthetic(synthetic[columns], schema, name, real)[0][modelled]
        results, found_missing = measure_all(self.contexts[key], records, self.measures)
        missing = dict.fromkeys((metric.name for metric in metrics()), NOT_ASKED) | found_missing
        absent = [column for column in whole if column not in columns]
        return [
            {"question": question_of(gate), "gate": gate.gate, "state": gate.state}
            for gate in rule(results, missing, Release(), absent)
            if gate.decides
        ]


def _show(table: str, name: str, gates: Sequence[dict[str, Any]], answer: dict[str, Any]) -> int:
    """Print a line, and return the number of wrong verdicts."""
    shown, wrong = [], 0
    for question, key in QUESTIONS.items():
        states = [gate["state"] for gate in gates if gate["question"] == question]
        state = verdict_of_states(states) if states else "-"
        right = answer.get(key) if key else None
        is_wrong = right is not None and state != "-" and state not in ALLOWED[right]
        wrong += is_wrong
        shown.append(f"{SHORT.get(state, state)}{' WRONG' if is_wrong else ''}")
    named = "; ".join(
        f"{SHORT.get(state, state)}: {' '.join(gate['gate'] for gate in gates if gate['state'] == state)}"
        for state in ("FAIL", "INCONCLUSIVE")
        if any(gate["state"] == state for gate in gates)
    )
    print(f"{table:<12}{name:<26}" + "".join(f"{one:<14}" for one in shown) + named, flush=True)
    return wrong


def _cells(path: Path) -> pd.DataFrame:
    return read_source(Data(source=str(path)), root=Path()).astype(object)


def _read(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None or not path.is_file():
        return {}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["set"]: line for line in lines}


if __name__ == "__main__":
    main()
