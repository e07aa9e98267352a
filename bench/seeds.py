"""One recipe under several seeds: what its records reach, and how much that varies.

    python bench/seeds.py healthcare-heart --seeds 0 1 2
    python bench/seeds.py my.yaml --seeds 0 1 2 data.source=my.csv

Prints a row per seed: epochs kept, control bits per record, training time, speed, and each metric between its anchors.
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from paracosm.pipeline import run
from paracosm.recipes.load import load_recipe

SHOWN = ("c2st_auc", "utility_ratio", "dcr_share", "exact_copies")


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("recipe")
    given.add_argument("overrides", nargs="*")
    given.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    given.add_argument("--runs", type=Path, default=Path("runs/seeds"))
    asked = given.parse_intermixed_args()
    table = Table(title=f"{asked.recipe}, seeds {asked.seeds}")
    for column in ("seed", "epoch kept", "control bits", "train s", "tok/s", "records/s", *SHOWN):
        table.add_column(column)
    for seed in asked.seeds:
        overrides = [*asked.overrides, f"finetune.seed={seed}", f"generate.seed={seed}"]
        recipe = load_recipe(Path(asked.recipe), overrides)
        finished = run(recipe, run=asked.runs / f"{recipe.name}-{seed}", root=Path(asked.recipe).parent)
        training, sampling = finished.stage_record("finetune"), finished.stage_record("generate")
        metrics = {each["name"]: each for each in json.loads(finished.metrics.read_text())["metrics"]}
        table.add_row(
            str(seed),
            f"{training['facts']['stopped']['best_epoch']:.0f}",
            f"{training['facts']['best_control_bits']:.2f}",
            f"{training['wall_seconds']:.0f}",
            f"{training['facts']['tokens_per_second']:.0f}",
            f"{sampling['facts']['records_per_second']}",
            *(shown(metrics[name]) if name in metrics else "not measured" for name in SHOWN),
        )
    Console(width=180).print(table)


def shown(metric: dict) -> str:
    """Return value, interval, and ceiling of a metric."""
    if metric["value"] is None:
        return "not measured"
    low, high = metric["interval"] or (float("nan"), float("nan"))
    ceiling = metric["ceiling"]
    between = (
        f" ceiling {ceiling['value'] if isinstance(ceiling, dict) else ceiling}"
        if ceiling is not None
        else ""
    )
    return f"{metric['value']:.3f} [{low:.3f}, {high:.3f}]{between}"


if __name__ == "__main__":
    main()
