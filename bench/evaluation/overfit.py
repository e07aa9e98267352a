"""Do the attacks find an adapter that learnt its records by heart, and do they leave one alone that did not?

    python bench/evaluation/overfit.py
    python bench/evaluation/overfit.py --layers 6 --epochs 50 --shadows 0

Trains on 200 heart disease records for 50 epochs, with smoothing and without, and attacks two adapters of each: the one
of the last step, and the one that early stopping keeps. 600 records that never trained are the strangers. Eight shadow
adapters on 400 records each, which stop early, serve both.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from paracosm.eval.attacks.membership import adapter_candidates, adapter_membership, shadow_membership
from paracosm.eval.measuring.attack_settings import AttackSettings
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.number_format import figure, interval
from paracosm.finetune.stage import train
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table
from paracosm.records.stage import prepare


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--layers", type=int, default=2)
    given.add_argument("--epochs", type=int, default=50)
    given.add_argument("--shadows", type=int, default=8, help="shadow adapters; 0 leaves LiRA out")
    given.add_argument("--run", type=Path, default=Path("runs/overfit"))
    asked = given.parse_args()
    table = Table(title=f"200 records, {asked.layers} layers, {asked.epochs} epochs, 600 strangers")
    for column in (
        "smoothing",
        "adapter",
        "attacked",
        "AUC",
        "TPR - 1% FPR",
        "TPR - 5% FPR",
        "LiRA alone",
        "AUC of each",
    ):
        table.add_column(column)
    for smoothing in ("null", "0"):
        for row in rows(asked, smoothing):
            table.add_row("off" if smoothing == "0" else "on", *row)
    Console(width=240).print(table)


def rows(asked: argparse.Namespace, smoothing: str) -> Iterator[tuple[str, ...]]:
    """Train one adapter with its shadows; yield a row for each adapter and what it is measured beside."""
    overrides = [
        "data.limit=800",
        "data.split.control=0.45",
        "data.split.test=0.3",
        f"model.layers={asked.layers}",
        f"finetune.epochs={asked.epochs}",
        f"finetune.smoothing={smoothing}",
        *([f"eval.shadows={asked.shadows}", "eval.attacks=[adapter, lira]"] if asked.shadows else []),
    ]
    recipe = load_recipe(Path("healthcare-heart"), [*overrides, "finetune.patience=null"])
    run = Run.create(
        asked.run.with_name(f"{asked.run.name}-{'smoothed' if smoothing == 'null' else 'plain'}")
    )
    prepare(recipe=recipe, run=run, root=Path())
    train(recipe=recipe, run=run)
    schema = Schema.load(run.schema)
    splits = [read_table(run.split(name), schema) for name in ("train", "control", "test")]
    train_rows, control, test = (each[[field.name for field in schema.modelled]] for each in splits)
    shadowed = load_recipe(Path("healthcare-heart"), overrides)
    context = Context(
        schema,
        train_rows,
        control,
        test,
        "num",
        recipe.eval,
        len(control),
        attackers=AttackSettings(
            shadowed, run.attackers, lambda line: print(line, file=sys.stderr, flush=True)
        ),
    )
    for name, folder in (("kept by early stopping", run.adapter), ("last step", last_adapter(run))):
        attacked = replace(context, adapter=folder)
        for anchor, (its_context, model) in adapter_candidates(attacked, None).items():
            found = adapter_membership(its_context, model)
            auc, rate = found["adapter_mia_auc"], found["adapter_mia_tpr"]
            alone = shadow_membership(its_context, model)["lira_auc"] if asked.shadows else None
            yield (
                name,
                model if anchor != "synthetic" else "the adapter",
                f"{auc.value:.3f} [{interval(auc.low, auc.high, 'plain')}]",
                _points(rate.facts["named_beyond_1%"]),
                _points(rate.facts["named_beyond_5%"]),
                "" if alone is None else f"{alone.value:.3f} [{interval(alone.low, alone.high, 'plain')}]",
                ", ".join(f"{attack} {value:.2f}" for attack, value in auc.breakdown.items()),
            )


def _points(found: Sequence[float]) -> str:
    value, low, high = found
    return f"{figure(value, 'points')} [{interval(low, high, 'points')}]"


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
