"""`paracosm.run`: every stage of a recipe in order, in one run directory."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from paracosm.finetune.tracking.servers import check_tracker
from paracosm.foundation.errors import RunError
from paracosm.foundation.progress import Progress, Step, indented, to_stderr
from paracosm.generate.written_table import refuse_destination
from paracosm.python_recipe import RecipeLike, python_overrides, recipe_from
from paracosm.recipes.loading.overrides import Override
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, STAGES, Run
from paracosm.recipes.run.open_run import RUNS, OpenRun, open_run
from paracosm.refusals import refuse_recipe, refuse_records
from paracosm.registry.tracked_results import send_results
from paracosm.stage_summary import stage_line


class Verb(Protocol):
    """Does one stage of a run unless it is up to date; returns whether it ran."""

    def __call__(self, *, recipe: Recipe, run: Run, root: Path | None, progress: Progress) -> bool: ...


def run(
    recipe: RecipeLike,
    *,
    run: PathLike[str] | str | None = None,
    data: Any = None,
    root: PathLike[str] | str | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress = to_stderr,
    **sections: Any,
) -> Run:
    """Run all stages that are not up to date: records, finetune, generate, eval, card.

    Args:
        recipe: a recipe, its keys as a dict, its path, the name of a shipped one, or a run directory.
        run: the run directory; `runs/NAME` in the current folder when absent.
        data: a pandas, pyarrow or `datasets` table to use instead of `data.source`.
        root: the folder that relative paths of the recipe start from; the recipe's folder when absent.
        overrides: recipe keys, such as `{"finetune.epochs": 2}`.
        progress: takes progress lines.
        **sections: recipe sections, such as `finetune={"epochs": 2}`.

    Returns:
        The run directory, with every stage done.

    Raises:
        ParacosmError: something that the user can correct; its text is one line.
    """
    changes = python_overrides(overrides, sections, caller="run")
    folder, start = (None if path is None else Path(path) for path in (run, root))
    return run_stages(_opened(recipe, folder, start, changes), data=data, progress=progress)


def run_stages(
    opened: OpenRun, *, data: Any = None, last: str = STAGES[-1], progress: Progress = to_stderr
) -> Run:
    """Run the stages of an opened run up to the `last` one; see `run`."""
    refuse_recipe(opened.recipe)
    if opened.run.journal.stage("finetune").get("status") != "done":
        check_tracker(opened.recipe.track)
    if opened.run.journal.stage("generate").get("status") != "done":
        refuse_destination(opened.recipe, None, opened.root)
    with opened.working():
        # The first set of records is made as the recipe of the run says, with the overrides of the command that made it.
        completes = opened.run.journal.stage("generate").get("status") != "done"
        for name, verb in _verbs(opened, data).items():
            # Libraries are imported now, which takes seconds.
            progress(Step(name, 0, 0, unit="", detail="starting"))
            ran = verb(recipe=opened.recipe, run=opened.run, root=opened.root, progress=indented(progress))
            _report(opened.run, name, ran, progress)
            if name == "records":
                refuse_prepared(opened)
            if name == "finetune" and (ran or not opened.from_run):
                opened.keep_trained()
            if name == "generate" and completes and not opened.from_run:
                opened.keep_recipe()
            if name == "card":
                send_results(opened.recipe, opened.run, progress)
            if name == last:
                break
    return opened.run


def _verbs(opened: OpenRun, data: Any) -> dict[str, Verb]:
    """Return what does each stage, in order."""
    from paracosm.eval.stage import evaluate
    from paracosm.generate.stage import sample
    from paracosm.records.stage import has_records, prepare
    from paracosm.registry.card.stage import write_card

    # A run stands without its source: what it was made from may be gone by now.
    kept = opened.from_run and data is None and has_records(opened)
    records: Verb = _nothing if kept else partial(prepare, table=data)
    return {
        "records": records,
        "finetune": preparation_of(opened.recipe),
        "generate": sample,
        "eval": evaluate,
        "card": write_card,
    }


def preparation_of(recipe: Recipe) -> Verb:
    """Return what does the finetune stage: it trains an adapter, fits statistics, or prepares prompts, as the strategy needs it."""
    if recipe.strategy in ("prompt", "chain"):
        from paracosm.generate.strategies.prompt_preparation import prepare_prompts

        return prepare_prompts
    if recipe.strategy == "statistical":
        from paracosm.generate.strategies.preparation import fit

        return fit
    if recipe.strategy == "augment":
        from paracosm.generate.augmentation.strategy import prepare

        return prepare
    if recipe.strategy == "combined":
        from paracosm.generate.strategies.combined_preparation import fit_and_train

        return fit_and_train
    from paracosm.finetune.stage import train

    return train


def _nothing(*, recipe: Recipe, run: Run, root: Path | None, progress: Progress) -> bool:
    return False


def _report(run: Run, name: str, ran: bool, progress: Progress) -> None:
    record = run.journal.stage(name)
    progress(stage_line(name, record, ran=ran))
    if name == "records" and ran:
        for warning in record["facts"]["warnings"]:
            indented(progress)(f"warning: {warning}")


def _opened(recipe: RecipeLike, run: Path | None, root: Path | None, overrides: list[Override]) -> OpenRun:
    if isinstance(recipe, str | PathLike):
        opened = open_run(Path(recipe), overrides, run)
        return opened if root is None else replace(opened, root=root.resolve())
    resolved, start = recipe_from(recipe, overrides)
    return OpenRun(resolved, Run(run or RUNS / resolved.name), (root or start).resolve(), from_run=False)


def refuse_prepared(opened: OpenRun) -> None:
    """Check the records of a run against what its later stages ask of them, unless the training is done."""
    from paracosm.records.schema.schema import Schema
    from paracosm.records.schema.table import read_table

    run = opened.run
    if run.journal.stage("finetune").get("status") == "done":
        return
    schema = Schema.load(run.schema)
    splits = {name: read_table(run.split(name), schema) for name in SPLITS}
    refuse_records(opened.recipe, schema, splits, opened.root)


def with_line(stage: str, work: Callable[[OpenRun], object]) -> Callable[[OpenRun], None]:
    """Return `work`, followed by the line that a finished stage prints."""

    def done(opened: OpenRun) -> None:
        to_stderr(Step(stage, 0, 0, unit="", detail="starting"))
        work(opened)
        run = opened.records if stage == "generate" else opened.run
        to_stderr(stage_line(stage, run.journal.stage(stage), ran=True))

    return done


def prepare_generation(opened: OpenRun) -> None:
    """Run the records stage if it is not up to date, then the finetune stage of the recipe's strategy."""
    from paracosm.finetune.__main__ import finetune, prepare_records

    if opened.recipe.strategy == "finetuned":
        finetune(opened)
        return
    prepare_records(opened)
    fit = preparation_of(opened.recipe)
    if (
        fit(recipe=opened.recipe, run=opened.run, root=opened.root, progress=indented(to_stderr))
        or not opened.from_run
    ):
        opened.keep_trained()


def require(run: Run, stage: str) -> None:
    """Check that the stage before `stage` is done.

    Raises:
        RunError: it is not.
    """
    before = STAGES[STAGES.index(stage) - 1]
    if run.journal.stage(before).get("status") != "done":
        raise RunError(
            f"{run.root}: the {stage} stage needs a finished {before} stage; `paracosm run` runs every stage"
        )
