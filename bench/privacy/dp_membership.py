"""Membership attacks on an adapter that memorised its records, and on one trained with DP-SGD on the same records.

    python bench/privacy/dp_membership.py
    python bench/privacy/dp_membership.py --layers 6 --epochs 50 --epsilon 1

Trains on the same 199 heart disease records twice: for 50 epochs without noise, attacked at its last step, and under the
privacy budget. The other 721 records are the non-members.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from paracosm.eval.attacks.membership import adapter_membership
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.number_format import figure, interval
from paracosm.finetune.stage import train
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.stage import prepare

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluation"))
from overfit import last_adapter, splits_of


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--epsilon", type=float, default=1)
    parser.add_argument("--run", type=Path, default=Path("runs/privacy-membership"))
    arguments = parser.parse_args()
    private = load_recipe(
        Path("healthcare-heart-private"),
        [
            "data.split.control=0.45",
            "data.split.test=0.33",
            f"model.layers={arguments.layers}",
            f"privacy.epsilon={arguments.epsilon}",
            f"finetune.epochs={arguments.epochs}",
            "finetune.patience=null",
            "finetune.smoothing=0",
        ],
    )
    plain = private.model_copy(update={"privacy": None})
    table = Table(title=f"{arguments.layers} layers, the same training records")
    for column in (
        "training",
        "records",
        "AUC",
        "TPR - 1% FPR",
        "TPR - 5% FPR",
        "strongest",
        "AUC by attack",
    ):
        table.add_column(column)
    for name, recipe in ((f"{arguments.epochs} epochs", plain), (f"epsilon {arguments.epsilon:g}", private)):
        run = Run.create(arguments.run / name.replace(" ", "-"))
        # The private recipe splits the records in both cases, so that both train on the same ones.
        prepare(recipe=private, run=run, root=Path())
        train(recipe=recipe, run=run)
        folder = last_adapter(run) if recipe.privacy is None else run.adapter
        table.add_row(name, *row(recipe, run, folder))
    Console(width=180).print(table)


def row(recipe: Recipe, run: Run, folder: Path) -> tuple[str, ...]:
    """Attack one adapter; return its row."""
    schema, train_rows, control, test = splits_of(run)
    context = Context(schema, train_rows, control, test, "num", recipe.eval, len(control), adapter=folder)
    estimates = adapter_membership(context, "adapter")
    auc, rate = estimates["adapter_mia_auc"], estimates["adapter_mia_tpr"]
    tprs = (rate.facts[f"named_beyond_{fpr}"] for fpr in ("1%", "5%"))
    return (
        str(len(train_rows)),
        f"{auc.value:.3f} [{interval(auc.low, auc.high, 'plain')}]",
        *(f"{figure(value, 'points')} [{interval(low, high, 'points')}]" for value, low, high in tprs),
        str(auc.facts["attack"]),
        ", ".join(f"{attack} {value:.2f}" for attack, value in auc.breakdown.items()),
    )


if __name__ == "__main__":
    main()
