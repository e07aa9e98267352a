"""The shipped recipes, run once: minutes, memory, records per second, verdicts, bits and metrics of text.

Runs the last command of each recipe's opening in the folder of the fetched data, and prints a row per recipe:

    python bench/text/recipe_runs.py FOLDER [RECIPE ...]
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

TEXT = ("text_c2st_auc", "mauve", "text_length_ks")


def last_command(name: str) -> list[str]:
    """Return the overrides of the last command that a recipe's opening names."""
    opening = shipped()[name].read_text(encoding="utf-8").partition("\nname:")[0]
    return re.findall(rf"^#   paracosm run {name}(?: (.*))?$", opening, re.MULTILINE)[-1].split()


def run(name: str, folder: Path) -> None:
    """Run a recipe, and store what the process used."""
    target = folder / "runs" / name
    command = [shutil.which("paracosm") or "paracosm", "run", name, *last_command(name), "--run", str(target)]
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    facts = {
        "exit": os.waitstatus_to_exitcode(status),
        "cpu": used.ru_utime + used.ru_stime,
        "gb": used.ru_maxrss * 1024 / 1e9,
    }
    (folder / f"{name}.used.json").write_text(json.dumps(facts))


def main() -> None:
    """Run or report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("recipes", nargs="*")
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.recipes:
        if not arguments.report:
            run(name, arguments.folder)


if __name__ == "__main__":
    main()
