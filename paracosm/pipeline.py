"""`paracosm.run`: every stage of a recipe in order, in one run directory."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RunError
from paracosm.foundation.progress import Progress, indented, to_stderr
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import STAGES, Run
from paracosm.recipes.run.open_run import RUNS, OpenRun, open_run
from paracosm.stage_summary import stage_line


def run(
    recipe: Recipe | Path | str,
    *,
    run: Path | None = None,
    data: Any = None,
    root: Path | None = None,
    progress: Progress = to_stderr,
) -> Run:
    """Do every stage that is not done yet: records, finetune, generate, eval, card.

    Args:
        recipe: a recipe, the path of one, the name of a shipped one, or a run directory.
        run: the run directory; `runs/NAME` in the current folder when absent.
        data: a pandas, pyarrow or `datasets` table to use in place of `data.source`.
        root: where relative paths of the recipe start; the recipe's folder when absent.
        progress: takes progress lines.

    Returns:
        The run directory, with every stage done.

    Raises:
        ParacosmError: something that the user can mend; its text is one line.
    """
    return run_stages(_opened(recipe, run, root), data=data, progress=progress)


def run_stages(opened: OpenRun, *, data: Any = None, progress: Progress = to_stderr) -> Run:
    """Do every stage of an opened run; see `run`."""
    check_early(opened.recipe)
    with opened.working():
        _stage(opened.run, "records", _prepare(opened, data, progress), progress)
        opened.keep_recipe()
        for name, work in _later_stages(opened.recipe, opened.run, progress).items():
            _stage(opened.run, name, work, progress)
    return opened.run


def _opened(recipe: Recipe | Path | str, run: Path | None, root: Path | None) -> OpenRun:
    if isinstance(recipe, Recipe):
        return OpenRun(recipe, Run(run or RUNS / recipe.name), (root or Path()).resolve(), from_run=False)
    opened = open_run(Path(recipe), folder=run)
    return opened if root is None else replace(opened, root=root.resolve())


def check_early(recipe: Recipe) -> None:
    """Check what a later stage would only find after the training.

    Raises:
        RecipeError: the recipe limits a gate that does not exist, or asks for what its privacy forbids.
        ModelError: the base model is no folder, alias or Hub id, or of another kind than the objective needs.
    """
    from paracosm.eval.gates.ruling import check_names
    from paracosm.finetune.dp.settings import as_trained
    from paracosm.finetune.models.base_model import check_objective, locate
    from paracosm.finetune.models.quantization import check_installed

    check_names(recipe.release)
    as_trained(recipe)
    locate(recipe.model)
    check_installed(recipe.model)
    check_objective(recipe.model, recipe.finetune.objective)


def with_line(stage: str, work: Callable[[OpenRun], object]) -> Callable[[OpenRun], None]:
    """Return `work`, followed by the line that a finished stage prints."""

    def done(opened: OpenRun) -> None:
        work(opened)
        to_stderr(stage_line(stage, opened.run.stage_record(stage), ran=True))

    return done


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


def _prepare(opened: OpenRun, data: Any, progress: Progress) -> Callable[[], bool]:
    from paracosm.records.stage import has_records, prepare

    if opened.from_run and data is None and has_records(opened):
        return lambda: False
    return lambda: prepare(
        opened.recipe, opened.run, root=opened.root, table=data, progress=indented(progress)
    )


def _later_stages(recipe: Recipe, run: Run, progress: Progress) -> dict[str, Callable[[], bool]]:
    from paracosm.eval.stage import evaluate
    from paracosm.finetune.stage import train
    from paracosm.generate.stage import sample
    from paracosm.registry.card.stage import write_card

    return {
        "finetune": lambda: train(recipe=recipe, run=run, progress=indented(progress)),
        "generate": lambda: sample(recipe=recipe, run=run, progress=indented(progress)),
        "eval": lambda: evaluate(recipe, run, progress=indented(progress)),
        "card": lambda: write_card(recipe, run),
    }


def _stage(run: Run, name: str, work: Callable[[], bool], progress: Progress) -> None:
    ran = work()
    progress(stage_line(name, run.stage_record(name), ran=ran))
    if name == "records" and ran:
        for warning in run.stage_record(name)["facts"]["warnings"]:
            progress(f"           warning: {warning}")
