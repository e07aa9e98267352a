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
from paracosm.recipes.loading.overrides import Override, read_overrides
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import is_run, open_run

COMPARISONS = Path("comparisons")
"""Folder of comparisons, below the current one."""
NOT_BY_HAND = {"name", "description", "card"}
"""Keys of a recipe that do not change its records."""
JSON, MARKDOWN = "comparison.json", "comparison.md"


def compare_strategies(
    recipe: Path,
    strategies: Sequence[str],
    *,
    overrides: Sequence[str] = (),
    train_rows: Sequence[int | None] = (None,),
    out: Path | None = None,
    progress: Progress = to_stderr,
) -> tuple[Comparison, Path]:
    """Run a recipe under each strategy and compare the runs; stages that are up to date are not repeated.

    A strategy that cannot serve the recipe is left out, and the comparison says why.

    Args:
        recipe: the file, or the name of a shipped recipe.
        strategies: keys of `STRATEGIES`.
        overrides: `dotted.key=value`, for every run.
        train_rows: numbers of training records, None for all. Each strategy also runs on the smaller ones, and makes as many records
            as on all.
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
        runs.append(_compared(name, run))
    if not runs:
        raise errors[strategies[0]]
    left_out = {name: str(error) for name, error in errors.items()}
    smaller = []
    for rows in train_rows:
        if rows is None or rows >= runs[0].train_rows:
            continue
        for full in runs:
            name, run = full.strategy, Run(folder / f"{full.strategy}@{rows}")
            progress(f"strategy   {name} on {rows:,} training records")
            fewer = [f"data.split.train_rows={rows}", f"generate.records={full.cost.records}"]
            try:
                share_key(Run(folder / runs[0].strategy), run)
                _in_own_process(recipe, [*changes[name], *read_overrides(fewer)], run.root)
            except ParacosmError as error:
                left_out[f"{name} on {rows:,} training records"] = str(error)
                progress(f"left out   {name} on {rows:,} training records: {error}")
                continue
            smaller.append(_compared(name, run))
    comparison = Comparison.of(recipe_name, runs, left_out, smaller)
    write_text(folder / JSON, json_text(comparison.plain()))
    write_text(folder / MARKDOWN, comparison.markdown())
    return comparison, folder


def _compared(name: str, run: Run) -> ComparedRun:
    """Return what the comparison takes from a finished run."""
    recipe = load_recipe(run.recipe)
    given = recipe.model_dump(mode="json", exclude_defaults=True)
    by_hand = sum(_leaves(value) for key, value in given.items() if key not in NOT_BY_HAND)
    stages = run.journal.read()["stages"]
    return ComparedRun.of(name, stages, read_evaluation(run.metrics), by_hand)


def _leaves(value: object) -> int:
    """Return the number of settings in a value of a recipe; a list is one."""
    return sum(map(_leaves, value.values())) if isinstance(value, dict) else 1


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
