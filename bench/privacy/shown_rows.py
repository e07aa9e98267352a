"""Whether rows that a prompt shows can be told from rows that it does not show, by the records that come out.

    python bench/privacy/shown_rows.py healthcare-heart --records 64

The same training rows are attacked twice: with `prompt.examples: real`, where a part of them stands in the prompts, and with
`statistics`, where none does. The attack scores a row by its distance to the nearest synthetic record (mean over columns: difference
over the range of the training records, 0 or 1 for words); AUC 0.5 means that shown and other rows cannot be told apart. The interval
is a bootstrap over rows. Copies are rows that a synthetic record repeats in every column.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.strategies.example_rows import training_rows
from paracosm.generate.strategies.prompt_preparation import prepare_prompts
from paracosm.generate.strategies.prompted import PromptStrategy
from paracosm.recipes.loading.load import find_recipe, load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records
from paracosm.records.stage import prepare

RESAMPLES = 1000


def distances(schema: Schema, rows: list[Record], synthetic: list[Record]) -> np.ndarray:
    """Return the distance of each row to the nearest synthetic record."""
    total = np.zeros((len(rows), len(synthetic)))
    for field in schema.modelled:
        sides = [[record[field.name] for record in side] for side in (rows, synthetic)]
        if field.ordered:
            number_of = field.kind.numbering(field)[0]
            numbers = [
                np.array([np.nan if cell is None else number_of(cell) for cell in side], float)
                for side in sides
            ]
            span = max(number_of(field.maximum) - number_of(field.minimum), 1)
            apart = np.abs(numbers[0][:, None] - numbers[1][None, :]) / span
            one_missing = np.isnan(numbers[0])[:, None] != np.isnan(numbers[1])[None, :]
            total += np.where(np.isnan(apart), one_missing, apart)
        else:
            words = [np.array([str(cell) for cell in side], dtype=object) for side in sides]
            total += words[0][:, None] != words[1][None, :]
    return total.min(axis=1) / len(schema.modelled)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("--records", type=int, default=64)
    parser.add_argument("--modes", nargs="+", default=["real", "synthetic", "statistics"])
    arguments = parser.parse_args()
    print("| examples | rows shown | AUC, shown against not shown | copies of shown rows | of other rows |")
    print("| --- | --- | --- | --- | --- |")
    for mode in arguments.modes:
        with tempfile.TemporaryDirectory() as folder:
            overrides = ["strategy=prompt", f"prompt.examples={mode}"]
            recipe = load_recipe(Path(arguments.recipe), overrides)
            run = Run.create(Path(folder) / "run")
            prepare(recipe=recipe, run=run, root=find_recipe(Path(arguments.recipe)).parent)
            prepare_prompts(recipe=recipe, run=run)
            schema = Schema.load(run.schema)
            rows = to_records(read_table(run.split("train"), schema), schema)
            sets = training_rows(run, schema, recipe.prompt.rows, recipe.prompt.sets, recipe.generate.seed)
            shown = [row for group in sets for row in group]
            others = [
                row for row in rows if {field.name: row[field.name] for field in schema.modelled} not in shown
            ]
            strategy = PromptStrategy(recipe, run)
            requests = [Request(number) for number in range(arguments.records)]
            made = [group[0] for group in strategy.records(requests, seed=0, tally=Tally())]
        near, far = distances(schema, shown, made), distances(schema, others, made)
        auc = roc_auc_score(np.repeat([1, 0], [len(near), len(far)]), -np.concatenate([near, far]))
        random = np.random.default_rng(0)
        drawn = [
            roc_auc_score(
                np.repeat([1, 0], [len(near), len(far)]),
                -np.concatenate([random.choice(near, len(near)), random.choice(far, len(far))]),
            )
            for _ in range(RESAMPLES)
        ]
        low, high = np.quantile(drawn, [0.025, 0.975])
        copies = [f"{int((side == 0).sum())} of {len(side)}" for side in (near, far)]
        count = len(shown) if mode == "real" else 0
        print(
            f"| `{mode}` | {count} | {auc:.2f} [{low:.2f}, {high:.2f}] | {copies[0]} | {copies[1]} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
