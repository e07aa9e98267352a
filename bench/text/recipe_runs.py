"""The shipped recipes, run once: minutes, memory, records per second, verdicts, bits and metrics of text.

Runs the last command of each recipe's opening in the folder of the fetched data, and prints a row per recipe:

    python bench/text/recipe_runs.py FOLDER [RECIPE ...]
    python bench/text/recipe_runs.py FOLDER [RECIPE ...] --with "model.layers=1 finetune.epochs=1"    # other overrides
    python bench/text/recipe_runs.py FOLDER --report        # of runs that are there

FOLDER holds what `paracosm recipes fetch` wrote; runs go to FOLDER/runs.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from paracosm.recipes.shipped import shipped

COLUMNS = (
    *("recipe", "train records", "training min", "epochs", "control bits", "records/s", "texts ended"),
    *("fidelity", "usefulness", "records", "model", "marginals", "C2ST", "text AUC", "MAUVE", "GB", "CPU s"),
)
METRICS = ("marginals", "c2st_auc", "text_auc", "mauve")
SHORT = {"PASS": "PASS", "FAIL": "FAIL", "INCONCLUSIVE": "?", "NOT MEASURED": "-"}


def last_command(name: str) -> list[str]:
    """Return the overrides of the last command that a recipe's opening names."""
    opening = shipped()[name].read_text(encoding="utf-8").partition("\nname:")[0]
    return re.findall(rf"^#   paracosm run {name}(?: (.*))?$", opening, re.MULTILINE)[-1].split()


def run(name: str, folder: Path, overrides: list[str]) -> None:
    """Run a recipe, and store what the process used."""
    target = folder / "runs" / name
    command = [shutil.which("paracosm") or "paracosm", "run", name, *overrides, "--run", str(target)]
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    facts = {
        "exit": os.waitstatus_to_exitcode(status),
        "cpu": used.ru_utime + used.ru_stime,
        "gb": used.ru_maxrss * 1024 / 1e9,
    }
    (folder / f"{name}.used.json").write_text(json.dumps(facts))


def row(name: str, folder: Path) -> list[str]:
    """Return a row of the table, from what the run recorded of itself."""
    run = folder / "runs" / name
    stages = json.loads((run / "run.json").read_text())["stages"]
    records, trained, made = (stages[stage]["facts"] for stage in ("records", "finetune", "generate"))
    evaluation = json.loads((run / "eval" / "metrics.json").read_text())
    values = {each["name"]: each["value"] for each in evaluation["metrics"]}
    used = folder / f"{name}.used.json"
    verdicts = [SHORT[each["state"]] for each in evaluation["verdicts"]]
    ended = (
        ""
        if not trained["passages"]
        else f"{made['records'] - made.get('texts_cut', 0)} of {made['records']}"
    )
    peak = max(stage.get("peak_memory_bytes", 0) for stage in stages.values())
    return [
        name,
        f"{records['rows']['train']:,}",
        f"{stages['finetune']['wall_seconds'] / 60:.1f}",
        f"{trained['stopped']['epoch']:.2g}",
        f"{trained['best_control_bits']:,.1f}",
        f"{made['records_per_second']:.2g}",
        ended,
        *verdicts,
        *("" if values.get(metric) is None else f"{values[metric]:.2f}" for metric in METRICS),
        f"{peak / 1e9:.1f}",
        f"{json.loads(used.read_text())['cpu']:.0f}" if used.is_file() else "",
    ]


def report(names: list[str], folder: Path) -> None:
    """Print the table of the runs that are finished."""
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + " --- |" * len(COLUMNS))
    for name in names or list(shipped()):
        if (folder / "runs" / name / "eval" / "metrics.json").is_file():
            print("| " + " | ".join(row(name, folder)) + " |")


def main() -> None:
    """Run or report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("recipes", nargs="*")
    parser.add_argument("--with", dest="overrides", default=None, type=str.split)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    for name in () if arguments.report else arguments.recipes:
        run(name, arguments.folder, arguments.overrides or last_command(name))
    report(arguments.recipes, arguments.folder)


if __name__ == "__main__":
    main()
