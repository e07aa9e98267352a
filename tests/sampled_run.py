"""A run whose records were sampled but not evaluated yet."""

from pathlib import Path

from example_tables import PATIENTS, example

from paracosm.recipes.loading.load import dump_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import run_if_stale
from paracosm.records.schema.table import write_table

RECIPE = Recipe.model_validate(
    {
        "name": "patients",
        "data": {"source": "patients.csv", "target": "ill"},
        "eval": {"bootstrap": 100, "repeats": 1},
    }
)


def sampled_run(root: Path) -> Run:
    """Return a run with splits and synthetic records, as if its generate stage had ended."""
    run = Run.create(root)
    table, _ = example("structured", 300, 0)
    run.splits.mkdir()
    PATIENTS.save(run.schema)
    for name, (start, end) in {"train": (0, 120), "control": (120, 160), "test": (160, 200)}.items():
        write_table(table.iloc[start:end].reset_index(drop=True), run.split(name), PATIENTS)
    synthetic = table.iloc[200:].reset_index(drop=True)
    run_if_stale(run, "generate", {"fake": 1}, lambda: write_table(synthetic, run.shard(0), PATIENTS))
    run.recipe.write_text(dump_recipe(RECIPE))
    return run
