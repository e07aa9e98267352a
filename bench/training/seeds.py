"""One recipe under several seeds: what its records reach, and how much that varies.

    python bench/training/seeds.py healthcare-heart --seeds 0 1 2
    python bench/training/seeds.py my.yaml --seeds 0 1 2 data.source=my.csv

Prints a row per seed: epochs kept, control bits per record, training time, speed, and each metric with its interval; below
them what the metrics read for fresh real records, shuffled columns and a copy of train.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from paracosm.eval.results.evaluation_file import read_evaluation
from paracosm.eval.results.metric_entry import MeasuredMetric, ReferenceAnchor
from paracosm.pipeline import run
from paracosm.recipes.loading.load import find_recipe, load_recipe
from paracosm.recipes.run.directory import Run

SHOWN = ("c2st_auc", "utility_ratio", "dcr_share", "exact_copies")
COLUMNS = ("epoch kept", "control bits", "train s", "tok/s", "records/s", "valid", *SHOWN)
ANCHORS: dict[ReferenceAnchor, str] = {
    "ceiling": "fresh real records",
    "floor": "columns shuffled",
    "worst": "copy of train",
}


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("recipe", nargs="?", default="healthcare-heart")
    given.add_argument("overrides", nargs="*")
    given.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    given.add_argument("--runs", type=Path, default=Path("runs/seeds"))
    asked = given.parse_intermixed_args()
    table = Table("seed", *COLUMNS, title=f"{asked.recipe}, seeds {asked.seeds}")
    metrics: dict[str, MeasuredMetric] = {}
    for seed in asked.seeds:
        finished = finish(asked.recipe, [*asked.overrides, *seeded(seed)], asked.runs / f"seed-{seed}")
        metrics = measured(finished)
        table.add_row(str(seed), *row(finished))
    for anchor, words in ANCHORS.items():
        table.add_row(
            words,
            *[""] * (len(COLUMNS) - len(SHOWN)),
            *(_anchor(metrics.get(name), anchor) for name in SHOWN),
        )
    Console(width=180).print(table)


def seeded(seed: int) -> list[str]:
    """Return the overrides that give a run this seed."""
    return [f"finetune.seed={seed}", f"generate.seed={seed}"]


def finish(recipe: str, overrides: Sequence[str], folder: Path) -> Run:
    """Do every stage of a recipe that is not done yet in `folder`."""
    root = find_recipe(Path(recipe)).resolve().parent
    return run(load_recipe(Path(recipe), overrides), run=folder, root=root)


def measured(finished: Run) -> dict[str, MeasuredMetric]:
    """Return the measured metrics of a run by name."""
    return read_evaluation(finished.metrics).measured


def row(finished: Run) -> list[str]:
    """Return the cells of `COLUMNS` for a run."""
    training, sampling = finished.journal.stage("finetune"), finished.journal.stage("generate")
    facts, metrics = training["facts"], measured(finished)
    return [
        f"{facts['stopped']['best_epoch']:.0f} of {facts['stopped']['epoch']:.0f}",
        f"{facts['best_control_bits']:.2f}",
        f"{training['wall_seconds']:.0f}",
        f"{facts['tokens_per_second']:.0f}",
        f"{sampling['facts']['records_per_second']}",
        _valid(finished),
        *(shown(metrics.get(name)) for name in SHOWN),
    ]


def _valid(finished: Run) -> str:
    """Return the share of synthetic records with every cell in its field's domain."""
    from paracosm.records.schema.schema import Schema
    from paracosm.records.schema.table import read_table, to_records

    schema = Schema.load(finished.schema)
    shards = sorted(finished.synthetic.glob("*.parquet"))
    allowed = [
        schema.allows(record) for shard in shards for record in to_records(read_table(shard, schema), schema)
    ]
    return f"{sum(allowed)} of {len(allowed)}"


def shown(metric: MeasuredMetric | None) -> str:
    """Return a metric's value with its 95% interval."""
    if metric is None:
        return "not measured"
    low, high = metric.interval
    return f"{metric.value:.3f} [{low:.3f}, {high:.3f}]"


def _anchor(metric: MeasuredMetric | None, anchor: ReferenceAnchor) -> str:
    return f"{metric.anchors[anchor].value:.3f}" if metric and anchor in metric.anchors else ""


if __name__ == "__main__":
    main()
