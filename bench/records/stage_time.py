"""CPU time of the records stage beside the one that `paracosm validate` tells.

python bench/records/stage_time.py --table 20000 20
python bench/records/stage_time.py --table 500 6 --pii
python bench/records/stage_time.py --source visits.csv
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm import validate
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.stage import prepare


def table(rows: int, columns: int, *, with_notes: bool) -> pd.DataFrame:
    """Return categories, whole and decimal numbers in turn, and with notes a column of sentences that name a person."""
    draw = np.random.default_rng(0)
    kinds = (
        lambda: draw.choice(["low", "middle", "high", "unknown"], rows),
        lambda: draw.integers(0, 5000, rows),
        lambda: draw.normal(50, 12, rows).round(2),
    )
    made = pd.DataFrame({f"c{place}": kinds[place % 3]() for place in range(columns)})
    if with_notes:
        names = draw.choice(["Alma Berger", "Theo Lindholm", "Ines Carvalho", "Omar Haddad"], rows)
        made["note"] = [
            f"Mr. {name} was seen on 3 May 20{draw.integers(10, 25)}, complains of pain for {draw.integers(2, 90)} days."
            for name in names
        ]
    return made


def main() -> None:
    """Measure one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--table", type=int, nargs=2, metavar=("ROWS", "COLUMNS"), default=(20_000, 20))
    parser.add_argument("--pii", action="store_true", help="add a column of notes, and data.pii: replace")
    parser.add_argument("--source", type=Path, help="a file instead of an invented table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "table.csv")
        if given.source is None:
            table(*given.table, with_notes=given.pii).to_csv(source, index=False)
        else:
            source = given.source.resolve()
        data = {"source": str(source)} | (
            {"pii": "replace", "fields": {"note": {"type": "text"}}} if given.pii else {}
        )
        recipe = Recipe.model_validate({"name": "x", "data": data})
        if given.pii:
            # The models that recognise names are loaded once a process.
            validate(recipe)
        told = validate(recipe).preparation
        begun = time.process_time()
        prepare(recipe=recipe, run=Run.create(Path(folder, "run")), root=Path(folder))
        took = time.process_time() - begun
    print(f"told {told.seconds:.2f} s, {told.bytes / 1e9:.2f} GB; the stage took {took:.2f} s of CPU")


if __name__ == "__main__":
    main()
