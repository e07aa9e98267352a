"""`RECIPE|RUN`: what a command for one stage works on."""

from collections.abc import Sequence
from pathlib import Path

from paracosm.pipeline import RUNS, recipe_path
from paracosm.recipes.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run_directory import Run


def recipe_and_run(target: str, overrides: Sequence[str], run: Path | None = None) -> tuple[Recipe, Run]:
    """Open the existing run that `target` is, or that the recipe `target` makes.

    Args:
        target: a run directory, the path of a recipe, or the name of a shipped one.
        overrides: `key=value` on top of the recipe.
        run: the run directory, when it is not where `paracosm run` puts it.

    Raises:
        RecipeError: the recipe or an override says something that is not allowed.
        RunError: there is no such run.
    """
    if Path(target).is_dir():
        opened = Run.open(Path(target))
        return load_recipe(opened.recipe, overrides), opened
    recipe = load_recipe(recipe_path(target), overrides)
    return recipe, Run.open(run or RUNS / recipe.name)
