"""`paracosm.run`: every stage of a recipe in order, in one run directory."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paracosm.recipes.atomic import write_text
from paracosm.recipes.errors import DataError, RecipeError, RunError
from paracosm.recipes.load import dump_recipe, load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run_directory import STAGES, Run
from paracosm.recipes.shipped import shipped
from paracosm.stage_lines import stage_line

RUNS = Path("runs")


def say_on_stderr(line: str) -> None:
    """Print a progress line."""
    print(line, file=sys.stderr, flush=True)


def run(
    recipe: Recipe | Path | str,
    *,
    run: Path | None = None,
    data: Any = None,
    root: Path | None = None,
    say: Callable[[str], None] = say_on_stderr,
) -> Run:
    """Do every stage that is not done yet: records, finetune, generate, eval, card.

    Args:
        recipe: a recipe, the path of one, or the name of a shipped one.
        run: the run directory; `runs/NAME` in the current folder when absent.
        data: a pandas, pyarrow or `datasets` table to use in place of `data.source`.
        root: where relative paths of the recipe start; the recipe's folder when absent.
        say: takes progress lines.

    Returns:
        The run directory, with every stage done.

    Raises:
        ParacosmError: something that the user can mend; its text is one line.
    """
    if not isinstance(recipe, Recipe):
        path = recipe_path(recipe)
        recipe, root = load_recipe(path), root or path.parent
    directory = run or RUNS / recipe.name
    check_early(recipe)
    is_new = not directory.exists()
    opened = Run.create(directory)
    with opened.lock():
        try:
            _stage(opened, "records", _prepare(recipe, opened, root or Path(), data), say)
        except DataError:
            if is_new:
                shutil.rmtree(directory)
            raise
        write_text(opened.recipe, dump_recipe(recipe))
        for name, work in _later_stages(recipe, opened, say).items():
            _stage(opened, name, work, say)
    return opened


def recipe_path(named: Path | str) -> Path:
    """Return the path of a recipe that is named by its path or, when it is a shipped one, by its name.

    Raises:
        RecipeError: `named` is a folder.
    """
    path = Path(named)
    if path.is_dir():
        raise RecipeError(f"{path}: is a folder; name a recipe (a YAML file)")
    return path if path.exists() else shipped().get(str(named), path)


def check_early(recipe: Recipe) -> None:
    """Check what a later stage would only find after the training.

    Raises:
        RecipeError: the recipe limits a gate that does not exist.
        ModelError: the base model is no folder, alias or Hub id.
    """
    from paracosm.eval.gates import check_names
    from paracosm.finetune.base_model import locate

    check_names(recipe.release)
    locate(recipe.model)


def require(run: Run, stage: str) -> None:
    """Check that the stage before `stage` is done.

    Raises:
        RunError: it is not.
    """
    before = STAGES[STAGES.index(stage) - 1]
    if run.stage_record(before).get("status") != "done":
        raise RunError(
            f"{run.root}: the {stage} stage needs a finished {before} stage; `paracosm run` does every stage"
        )


def _prepare(recipe: Recipe, run: Run, root: Path, data: Any) -> Callable[[], bool]:
    from paracosm.records.prepare import prepare

    return lambda: prepare(recipe, run, root=root, table=data)


def _later_stages(recipe: Recipe, run: Run, say: Callable[[str], None]) -> dict[str, Callable[[], bool]]:
    from paracosm.eval.stage import evaluate
    from paracosm.finetune.train import train
    from paracosm.generate.sample import sample
    from paracosm.registry.card import write_card

    def indented(line: str) -> None:
        say(f"           {line}")

    return {
        "finetune": lambda: train(recipe=recipe, run=run, say=indented),
        "generate": lambda: sample(recipe=recipe, run=run, say=indented),
        "eval": lambda: evaluate(recipe, run),
        "card": lambda: write_card(recipe, run),
    }


def _stage(run: Run, name: str, work: Callable[[], bool], say: Callable[[str], None]) -> None:
    ran = work()
    say(stage_line(name, run.stage_record(name), ran=ran))
    if name == "records" and ran:
        for warning in run.stage_record(name)["facts"]["warnings"]:
            say(f"           warning: {warning}")
