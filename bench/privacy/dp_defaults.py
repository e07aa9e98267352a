"""Loss of private training under different settings, on German credit, whose test split no default was chosen on.

    python bench/privacy/dp_defaults.py                            # the settings that the defaults were chosen from
    python bench/privacy/dp_defaults.py "privacy.rank=8 privacy.batch_size=256"
    python bench/privacy/dp_defaults.py --source german_credit.csv --layers 6

Each row is one training under the same privacy budget. Compare the bits per control record at its end.
"""

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from paracosm.finetune.stage import train
from paracosm.recipes.loading.load import dump_recipe, load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.drafting.recipe_template import draft
from paracosm.records.stage import prepare

SETTINGS = (
    "privacy.rank=4",
    "privacy.rank=16",
    "privacy.rank=4 privacy.learning_rate=2.0e-3",
    "privacy.rank=4 privacy.batch_size=256",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("settings", nargs="*", default=SETTINGS, metavar="'key=value ...'")
    parser.add_argument("--source", default="../shared/data/finance/german_credit.csv.gz")
    parser.add_argument("--target", default="creditability")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--epsilon", type=float, default=8)
    arguments = parser.parse_args()
    table = Table(
        title=f"{Path(arguments.source).name}, {arguments.layers} layers, epsilon {arguments.epsilon:g}"
    )
    for column in ("settings", "epsilon", "noise", "steps", "control bits", "wall s"):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "recipe.yaml"
        # An inferred schema serves as the declared one: this compares settings and claims no privacy.
        drafted = draft(source=arguments.source, out=recipe, target=arguments.target, private=True).recipe
        recipe.write_text(dump_recipe(drafted))
        for number, settings in enumerate(arguments.settings):
            begun = time.monotonic()
            overrides = [
                f"model.layers={arguments.layers}",
                f"privacy.epsilon={arguments.epsilon}",
                *settings.split(),
            ]
            chosen = load_recipe(recipe, overrides)
            run = Run.create(Path(folder) / f"run-{number}")
            prepare(recipe=chosen, run=run, root=Path(folder))
            train(recipe=chosen, run=run)
            facts = run.journal.stage("finetune")["facts"]
            table.add_row(
                settings,
                f"{facts['epsilon']:.2f}",
                f"{facts['privacy']['noise_multiplier']:.2f}",
                str(facts["privacy"]["steps"]),
                f"{facts['best_control_bits']:.2f}",
                f"{time.monotonic() - begun:.0f}",
            )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
