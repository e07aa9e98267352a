"""Cells of code columns in synthetic records that are not a value of the source, after a short training of two layers.

python bench/records/codes.py                  an invented table of 640 branches
python bench/records/codes.py codes.csv --columns icd9 zip
"""

import argparse
import random
import tempfile
from pathlib import Path

import pandas as pd

from paracosm import run

COLUMNS = ["activity", "diagnosis", "postcode", "places"]


def branches(rows: int = 640) -> pd.DataFrame:
    """Return codes that look like numbers: with zeros behind, with zeros in front, and counts with gaps."""
    draw = random.Random(0)
    values = (
        ("01.10", "10.71", "46.90", "62.01", "86.10"),
        ("038.9", "250.00", "250.01", "401.9", "V58.61"),
        ("01067", "02139", "94105", "08001", "60311"),
        ("20", "30", "60", "120"),
    )
    return pd.DataFrame(
        [dict(zip(COLUMNS, map(draw.choice, values), strict=True)) for _ in range(rows)], dtype=str
    )


def main() -> None:
    """Measure one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--columns", nargs="+", default=COLUMNS)
    parser.add_argument("--seconds", type=float, default=20.0, help="of training")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = given.source.resolve() if given.source else Path(folder) / "branches.csv"
        if given.source is None:
            branches().to_csv(source, index=False)
        done = run(
            {
                "name": "codes",
                "data": {"source": str(source)},
                "model": {"layers": 2},
                "finetune": {"max_minutes": given.seconds / 60},
                "generate": {"records": 500, "formats": ["csv"]},
                "eval": {"bootstrap": 100, "repeats": 1, "attacks": []},
            },
            run=Path(folder) / "run",
        )
        real = pd.read_csv(source, dtype=str)
        parts = sorted(Path(done.synthetic).rglob("*.csv"))
        made = pd.concat([pd.read_csv(part, dtype=str) for part in parts], ignore_index=True)
    for name in given.columns:
        cells = made[name].dropna()
        strange = ~cells.isin(set(real[name].dropna()))
        print(f"{name:<10} {int(strange.sum())} of {len(cells)} cells are not a value of the source")


if __name__ == "__main__":
    main()
