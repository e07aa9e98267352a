"""Do the attacks find an adapter that learnt its records by heart, and do they leave one alone that did not?

    python bench/evaluation_overfit.py
    python bench/evaluation_overfit.py --layers 6 --epochs 50

Trains on 200 heart disease records for 50 epochs and attacks two adapters: the one of the last step, and the one that
early stopping keeps. 600 records that never trained are the strangers.
"""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from paracosm.eval.adapter_membership import adapter_candidates, adapter_membership
from paracosm.eval.context import Context
from paracosm.eval.figures import figure, interval
from paracosm.finetune.train import train
from paracosm.recipes.load import load_recipe
from paracosm.recipes.run_directory import Run
from paracosm.records.prepare import prepare
from paracosm.records.schema import Schema
from paracosm.records.typed_table import read_table


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--layers", type=int, default=2)
    given.add_argument("--epochs", type=int, default=50)
    given.add_argument("--run", type=Path, default=Path("runs/overfit"))
    asked = given.parse_args()
    overrides = [
        "data.limit=800",
        "data.split.control=0.45",
        "data.split.test=0.3",
        f"model.layers={asked.layers}",
        f"finetune.epochs={asked.epochs}",
        "finetune.patience=null",
    ]
    recipe = load_recipe(Path("healthcare-heart"), overrides)
    run = Run.create(asked.run)
    prepare(recipe, run, root=Path())
    train(recipe=recipe, run=run)
    schema = Schema.load(run.schema)
    splits = [read_table(run.split(name), schema) for name in ("train", "control", "test")]
    train_rows, control, test = (each[[field.name for field in schema.modelled]] for each in splits)
    context = Context(schema, train_rows, control, test, "num", recipe.eval, len(control))
    table = Table(title=f"{len(train_rows)} records, {asked.layers} layers, {asked.epochs} epochs")
    for column in ("adapter", "what is attacked", "AUC", "TPR minus FPR", "at FPR", "strongest", "attacks"):
        table.add_column(column)
    for name, folder in (("kept by early stopping", run.adapter), ("last step", last_adapter(run))):
        attacked = replace(context, adapter=folder)
        for anchor, (its_context, model) in adapter_candidates(attacked, None).items():
            found = adapter_membership(its_context, model)
            auc, rate = found["adapter_mia_auc"], found["adapter_mia_tpr"]
            table.add_row(
                name,
                model if anchor != "synthetic" else "the adapter",
                f"{auc.value:.3f} [{interval(auc.low, auc.high, 'plain')}]",
                f"{figure(rate.value, 'points')} [{interval(rate.low, rate.high, 'points')}]",
                f"{rate.facts['false_positive_rate']:.0%}",
                str(auc.facts["attack"]),
                ", ".join(f"{attack} {value:.2f}" for attack, value in auc.breakdown.items()),
            )
    Console(width=200).print(table)


def last_adapter(run: Run) -> Path:
    """Return a copy of the run's adapter folder with the weights of the last checkpoint."""
    checkpoints = list(run.checkpoints.glob("checkpoint-*"))
    newest = checkpoints[int(np.argmax([int(each.name.rpartition("-")[2]) for each in checkpoints]))]
    folder = run.root / "adapter-of-the-last-step"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(run.adapter, folder)
    shutil.copy(newest / "adapter_model.safetensors", folder)
    return folder


if __name__ == "__main__":
    main()
