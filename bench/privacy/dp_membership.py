"""Do membership attacks find the records of an adapter that learnt them by heart, and do they miss them under privacy?

    python bench/privacy/dp_membership.py
    python bench/privacy/dp_membership.py --layers 6 --epochs 50 --epsilon 1

Trains on the same 200 heart disease records twice: for 50 epochs without noise, attacked at its last step, and under the
given budget. 600 records that never trained are the strangers.
"""

import argparse
from pathlib import Path

from overfit import last_adapter
from rich.console import Console
from rich.table import Table

from paracosm.eval.attacks.membership import adapter_membership
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.number_format import figure, interval
from paracosm.finetune.stage import train
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table
from paracosm.records.stage import prepare


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--layers", type=int, default=2)
    given.add_argument("--epochs", type=int, default=50)
    given.add_argument("--epsilon", type=float, default=1)
    given.add_argument("--run", type=Path, default=Path("runs/privacy-membership"))
    asked = given.parse_args()
    private = load_recipe(
        Path("healthcare-heart-private"),
        [
            "data.limit=800",
            "data.split.control=0.45",
            "data.split.test=0.3",
            f"model.layers={asked.layers}",
            f"privacy.epsilon={asked.epsilon}",
            f"finetune.epochs={asked.epochs}",
            "finetune.patience=null",
            "finetune.smoothing=0",
        ],
    )
    learnt = private.model_copy(update={"privacy": None})
    table = Table(title=f"{asked.layers} layers, the same training records")
    for column in ("training", "records", "AUC", "TPR - 1% FPR", "TPR - 5% FPR", "strongest", "AUC of each"):
        table.add_column(column)
    for name, recipe in ((f"{asked.epochs} epochs", learnt), (f"epsilon {asked.epsilon:g}", private)):
        run = Run.create(asked.run / name.replace(" ", "-"))
        # The private recipe divides the records, so that both learn the same ones.
        prepare(recipe=private, run=run, root=Path())
        train(recipe=recipe, run=run)
        folder = last_adapter(run) if recipe.privacy is None else run.adapter
        table.add_row(name, *row(recipe, run, folder))
    Console(width=180).print(table)


def row(recipe: Recipe, run: Run, folder: Path) -> tuple[str, ...]:
    """Attack one adapter."""
    schema = Schema.load(run.schema)
    splits = [read_table(run.split(name), schema) for name in ("train", "control", "test")]
    train_rows, control, test = (each[[field.name for field in schema.modelled]] for each in splits)
    context = Context(schema, train_rows, control, test, "num", recipe.eval, len(control), adapter=folder)
    found = adapter_membership(context, "adapter")
    auc, rate = found["adapter_mia_auc"], found["adapter_mia_tpr"]
    named = (rate.facts[f"named_beyond_{each}"] for each in ("1%", "5%"))
    return (
        str(len(train_rows)),
        f"{auc.value:.3f} [{interval(auc.low, auc.high, 'plain')}]",
        *(f"{figure(value, 'points')} [{interval(low, high, 'points')}]" for value, low, high in named),
        str(auc.facts["attack"]),
        ", ".join(f"{attack} {value:.2f}" for attack, value in auc.breakdown.items()),
    )


if __name__ == "__main__":
    main()
