"""Variation of a recipe over seeds: the metrics of its records under several seeds, with the anchors.

    python bench/training/seeds.py healthcare-heart --seeds 0 1 2
    python bench/training/seeds.py my.yaml --seeds 0 1 2 data.source=my.csv

Prints a row for each seed: epoch kept, control bits per record, training time, speed, and each metric with its interval;
below them the metrics of held-out real records, shuffled columns and a copy of train.
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
    "ceiling": "held-out real records",
    "floor": "columns shuffled",
    "worst": "copy of train",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", default="healthcare-heart")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs/seeds"))
    arguments = parser.parse_intermixed_args()
    table = Table("seed", *COLUMNS, title=f"{arguments.recipe}, seeds {arguments.seeds}")
    metrics: dict[str, MeasuredMetric] = {}
    for seed in arguments.seeds:
        finished = finish(
            arguments.recipe, [*arguments.overrides, *seeded(seed)], arguments.runs / f"seed-{seed}"
        )
        metrics = metrics_of(finished)
        table.add_row(str(seed), *row(finished))
    for anchor, label in ANCHORS.items():
        table.add_row(
            label,
            *[""] * (len(COLUMNS) - len(SHOWN)),
            *(_anchor(metrics.get(name), anchor) for name in SHOWN),
        )
    Console(width=180).print(table)


def seeded(seed: int) -> list[str]:
    """Return the overrides that give a run this seed."""
    return [f"finetune.seed={seed}", f"generate.seed={seed}"]


def finish(recipe: str, overrides: Sequence[str], folder: Path) -> Run:
    """Run all stages of a recipe that are not up to date in `folder`; return the run."""
    root = find_recipe(Path(recipe)).resolve().parent
    return run(load_recipe(Path(recipe), overrides), run=folder, root=root)


def metrics_of(finished: Run) -> dict[str, MeasuredMetric]:
    """Return the measured metrics of a run by name."""
    return read_evaluation(finished.metrics).measured


def row(finished: Run) -> list[str]:
    """Return the cells of a run, in the order of `COLUMNS`."""
    training, sampling = finished.journal.stage("finetune"), finished.journal.stage("generate")
    facts, metrics = training["facts"], metrics_of(finished)
    return [
        f"{facts['stopped']['best_epoch']:.0f} of {facts['stopped']['epoch']:.0f}",
        f"{facts['best_control_bits']:.2f}",
        f"{training['wall_seconds']:.0f}",
        f"{facts['tokens_per_second']:.0f}",
        f"{sampling['facts']['records_per_second']}",
        _valid(finished),
        *(with_interval(metrics.get(name)) for name in SHOWN),
    ]


def _valid(finished: Run) -> str:
    """Return the number of synthetic records with every cell in its field's domain, of all."""
    from paracosm.records.schema.schema import Schema
    from paracosm.records.schema.table import read_table, to_records

    schema = Schema.load(finished.schema)
    shards = sorted(finished.synthetic.glob("*.parquet"))
    allowed = [
        schema.allows(record) for shard in shards for record in to_records(read_table(shard, schema), schema)
    ]
    return f"{sum(allowed)} of {len(allowed)}"


def with_interval(metric: MeasuredMetric | None) -> str:
    """Return value and 95% interval of a metric."""
    if metric is None:
        return "not measured"
    low, high = metric.interval
    return f"{metric.value:.3f} [{low:.3f}, {high:.3f}]"


def _anchor(metric: MeasuredMetric | None, anchor: ReferenceAnchor) -> str:
    return f"{metric.anchors[anchor].value:.3f}" if metric and anchor in metric.anchors else ""


if __name__ == "__main__":
    main()
