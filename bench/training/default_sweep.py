"""Effect of each default of a recipe: one key at a time is changed, everything else stays.

    python bench/training/default_sweep.py finance-german-credit data.source=german_credit.csv
    python bench/training/default_sweep.py my.yaml --vary finetune.rank=8,32 --vary model.layers=4,10 data.source=my.csv

Compare control bits per record first: training minimises them, and they vary least. A finished run is not repeated, so
that the table can be made in several sessions.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table
from seeds import COLUMNS, finish, row, seeded

VARIED = (
    "model.layers=4,10",
    "finetune.rank=8,32",
    "finetune.learning_rate=1.0e-3,6.0e-3",
    "finetune.order=shuffled",
    "finetune.smoothing=0,30",
    "finetune.dropout=0.1",
    "finetune.average_decay=0,0.99",
    "finetune.batch_size=32",
    "finetune.patience=null",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", default="healthcare-heart")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument(
        "--vary", action="append", metavar="KEY=VALUE,VALUE", help="instead of the usual keys"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/sweep"))
    arguments = parser.parse_intermixed_args()
    table = Table("changed", "seed", *COLUMNS, title=f"{arguments.recipe}: one key at a time")
    for change in [None, *changes(arguments.vary or VARIED)]:
        for seed in arguments.seeds:
            overrides = [*arguments.overrides, *([change] if change else []), *seeded(seed)]
            folder = arguments.runs / f"{change or 'defaults'}-seed-{seed}"
            table.add_row(
                change or "(defaults)", str(seed), *row(finish(arguments.recipe, overrides, folder))
            )
    Console(width=220).print(table)


def changes(varied: list[str] | tuple[str, ...]) -> list[str]:
    """Return one override per key and value of `KEY=VALUE,VALUE`."""
    overrides = []
    for keys in varied:
        key, _, values = keys.partition("=")
        overrides.extend(f"{key}={value}" for value in values.split(","))
    return overrides


if __name__ == "__main__":
    main()
