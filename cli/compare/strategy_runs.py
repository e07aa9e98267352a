"""One run of a recipe for each strategy, under one folder."""

import multiprocessing
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from paracosm.cli.compare.compared_run import ComparedRun
from paracosm.cli.compare.comparison import Comparison
from paracosm.cli.compare.strategy_names import with_strategy
from paracosm.eval.results.evaluation_file import read_evaluation
from paracosm.eval.results.model import json_text
from paracosm.foundation.errors import ParacosmError, RunError
from paracosm.foundation.files import write_text
from paracosm.foundation.progress import Progress, to_stderr
from paracosm.pipeline import run_stages
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.loading.overrides import Override
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import is_run, open_run

COMPARISONS = Path("comparisons")
"""Folder of comparisons, below the current one."""
JSON, MARKDOWN = "comparison.json", "comparison.md"


def compare_strategies(
    recipe: Path,
    strategies: Sequence[str],
    *,
    overrides: Sequence[str] = (),
    out: Path | None = None,
    progress: Progress = to_stderr,
) -> tuple[Comparison, Path]:
    """Run a recipe under each strategy and compare the runs; stages that are up to date are not repeated.

    A strategy that cannot serve the recipe is left out, and the comparison says why.

    Args:
        recipe: the file, or the name of a shipped recipe.
        strategies: keys of `STRATEGIES`.
        overrides: `dotted.key=value`, for every run.
        out: folder of the runs and of the comparison; `comparisons/NAME` when absent.
        progress: takes a line about each strategy. The lines of its stages go to standard error.

    Returns:
        The comparison, and the folder, which holds it as `comparison.json` and `comparison.md`.

    Raises:
        RecipeError: the recipe or an override is wrong.
        RunError: `recipe` is a run, or the runs cannot be compared.
        ParacosmError: why no strategy could run: the error of the first one.
    """
    if is_run(recipe):
        raise RunError(f"{recipe}: is a run; compare needs a recipe, such as {recipe / 'recipe.yaml'}")
    changes = {name: with_strategy(overrides, name) for name in strategies}
    recipe_name = load_recipe(recipe, overrides).name
    folder = out or COMPARISONS / recipe_name
    runs: list[ComparedRun] = []
    errors: dict[str, ParacosmError] = {}
    for name in strategies:
        progress(f"strategy   {name}")
        run = Run(folder / name)
        try:
            if runs:
                share_key(Run(folder / runs[0].strategy), run)
            _in_own_process(recipe, changes[name], run.root)
        except ParacosmError as error:
            errors[name] = error
            progress(f"left out   {name}: {error}")
            continue
        stages = run.journal.read()["stages"]
        runs.append(ComparedRun.of(name, stages, read_evaluation(run.metrics)))
    if not runs:
        raise errors[strategies[0]]
    comparison = Comparison.of(recipe_name, runs, {name: str(error) for name, error in errors.items()})
    write_text(folder / JSON, json_text(comparison.plain()))
    write_text(folder / MARKDOWN, comparison.markdown())
    return comparison, folder


def _in_own_process(recipe: Path, overrides: list[Override], folder: Path) -> None:
    """Run every stage in a new process, so that the peak memory in `run.json` is that of this strategy alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as process:
        try:
            process.submit(_run, recipe, overrides, folder).result()
        except BrokenProcessPool as ended:
            raise RunError(
                f"{folder}: its process was killed, for example because memory ran out; repeat the command to resume"
            ) from ended


def _run(recipe: Path, overrides: list[Override], folder: Path) -> None:
    run_stages(open_run(recipe, overrides, folder))


def share_key(first: Run, other: Run) -> None:
    """Give a new run the key of the first, so that `data.pii` invents the same values in both."""
    if not first.pii_key.is_file() or other.root.exists():
        return
    Run.create(other.root)
    # With a journal, the folder is a run directory, whose stages are still to do.
    other.journal.note()
    shutil.copy(first.pii_key, other.pii_key)
