"""Membership attacks on an overfitted adapter and on one that stopped early.

    python bench/evaluation/overfit.py
    python bench/evaluation/overfit.py --layers 6 --epochs 50 --shadows 0

Trains on 200 heart disease records for 50 epochs, with and without smoothing, and attacks two adapters of each: that of
the last step and the one that early stopping keeps. 600 further records are the non-members. Eight shadow models on
400 records each, which stop early, serve both.
"""

import argparse
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from paracosm.eval.attacks.membership import adapter_candidates, adapter_membership, shadow_membership
from paracosm.eval.measuring.attack_settings import AttackSettings
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.number_format import figure, interval
from paracosm.finetune.stage import train
from paracosm.foundation.progress import to_stderr
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table
from paracosm.records.stage import prepare


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--shadows", type=int, default=8, help="number of shadow models; 0 leaves LiRA out")
    parser.add_argument("--run", type=Path, default=Path("runs/overfit"))
    arguments = parser.parse_args()
    table = Table(title=f"200 records, {arguments.layers} layers, {arguments.epochs} epochs, 600 non-members")
    for column in (
        "smoothing",
        "adapter",
        "attacked",
        "AUC",
        "TPR - 1% FPR",
        "TPR - 5% FPR",
        "LiRA alone",
        "AUC by attack",
    ):
        table.add_column(column)
    for smoothing in ("null", "0"):
        for row in rows(arguments, smoothing):
            table.add_row("off" if smoothing == "0" else "on", *row)
    Console(width=240).print(table)


def rows(arguments: argparse.Namespace, smoothing: str) -> Iterator[tuple[str, ...]]:
    """Train one run with its shadow models; yield a row for each attacked model."""
    overrides = [
        "data.limit=800",
        "data.split.control=0.45",
        "data.split.test=0.3",
        f"model.layers={arguments.layers}",
        f"finetune.epochs={arguments.epochs}",
        f"finetune.smoothing={smoothing}",
        *([f"eval.shadows={arguments.shadows}", "eval.attacks=[adapter, lira]"] if arguments.shadows else []),
    ]
    recipe = load_recipe(Path("healthcare-heart"), [*overrides, "finetune.patience=null"])
    run = Run.create(
        arguments.run.with_name(f"{arguments.run.name}-{'smoothed' if smoothing == 'null' else 'plain'}")
    )
    prepare(recipe=recipe, run=run, root=Path())
    train(recipe=recipe, run=run)
    schema, train_rows, control, test = splits_of(run)
    shadowed = load_recipe(Path("healthcare-heart"), overrides)
    context = Context(
        schema,
        train_rows,
        control,
        test,
        "num",
        recipe.eval,
        len(control),
        attackers=AttackSettings(shadowed, run.attackers, to_stderr),
    )
    for name, folder in (("kept by early stopping", run.adapter), ("last step", last_adapter(run))):
        attacked = replace(context, adapter=folder)
        for anchor, (anchor_context, model) in adapter_candidates(attacked, None).items():
            estimates = adapter_membership(anchor_context, model)
            auc, rate = estimates["adapter_mia_auc"], estimates["adapter_mia_tpr"]
            alone = shadow_membership(anchor_context, model)["lira_auc"] if arguments.shadows else None
            yield (
                name,
                model if anchor != "synthetic" else "the adapter",
                f"{auc.value:.3f} [{interval(auc.low, auc.high, 'plain')}]",
                _points(rate.facts["named_beyond_1%"]),
                _points(rate.facts["named_beyond_5%"]),
                "" if alone is None else f"{alone.value:.3f} [{interval(alone.low, alone.high, 'plain')}]",
                ", ".join(f"{attack} {value:.2f}" for attack, value in auc.breakdown.items()),
            )


def _points(estimate: Sequence[float]) -> str:
    value, low, high = estimate
    return f"{figure(value, 'points')} [{interval(low, high, 'points')}]"


def splits_of(run: Run) -> tuple[Schema, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the schema of a run, and the modelled columns of train, control and test."""
    schema = Schema.load(run.schema)
    names = [field.name for field in schema.modelled]
    train_rows, control, test = (
        read_table(run.split(split), schema)[names] for split in ("train", "control", "test")
    )
    return schema, train_rows, control, test


def last_adapter(run: Run) -> Path:
    """Return a copy of the run's adapter folder with the weights of the last checkpoint."""
    checkpoints = list(run.checkpoints.glob("checkpoint-*"))
    newest = checkpoints[int(np.argmax([int(path.name.rpartition("-")[2]) for path in checkpoints]))]
    folder = run.root / "adapter-of-the-last-step"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(run.adapter, folder)
    shutil.copy(newest / "adapter_model.safetensors", folder)
    return folder


if __name__ == "__main__":
    main()
