"""`paracosm.fit` trains a model on a table; `paracosm.load` opens one that was trained."""

import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RecipeError, RunError
from paracosm.foundation.progress import Progress, indented, to_stderr
from paracosm.foundation.temporary import temporary_folder
from paracosm.model import Model
from paracosm.pipeline import run_stages
from paracosm.python_recipe import IN_MEMORY, RecipeLike, python_overrides, recipe_from
from paracosm.recipes.loading.load import recipe_of
from paracosm.recipes.loading.overrides import Override
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import OpenRun, is_run


def fit(
    data: Any = None,
    *,
    target: str | None = None,
    subject: str | None = None,
    recipe: RecipeLike | None = None,
    run: PathLike[str] | str | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress = to_stderr,
    **sections: Any,
) -> Model:
    """Train a model on a table.

    Without a recipe, the columns decide as in `paracosm init`: identifiers are newly made, personal data is replaced or left
    out, and a line says so. Everything else has the recipe's defaults.

    Args:
        data: a pandas DataFrame, a pyarrow Table, a `datasets.Dataset`, a list of dicts, or the path or URL of a table. Absent:
            the recipe's own `data.source`.
        target: the column that a model would predict.
        subject: the column that names the person or thing of a record.
        recipe: a recipe, its keys as a dict, its path, or the name of a shipped one.
        run: the folder to keep the run in, readable by you alone; an interrupted `fit` with the same arguments resumes there.
            Without it, the run is in a private temporary folder that goes away with the model; `Model.save` keeps it.
        overrides: recipe keys, such as `{"finetune.epochs": 2}`.
        progress: takes progress lines; `paracosm.foundation.progress.silent` takes none.
        **sections: recipe sections, such as `finetune={"epochs": 2}`.

    Returns:
        The trained model.

    Raises:
        RecipeError: the recipe, a column name or a keyword is not valid.
        DataError: the table cannot be used.
        ModelError: the base model is missing or unsuitable.
    """
    named = {"target": target, "subject": subject}
    given = {f"data.{key}": value for key, value in named.items() if value is not None}
    if isinstance(data, PathLike):
        data = str(data)
    if isinstance(data, str):
        given["data.source"] = data if "://" in data or data.startswith("sample:") else _absolute(data)
    changes = python_overrides({**(overrides or {}), **given}, sections, caller="fit")
    if recipe is not None:
        resolved, root = recipe_from(recipe, changes)
    elif data is not None:
        resolved, root = _decided(data, changes, progress), Path().resolve()
    else:
        raise RecipeError("fit: needs a table, or a recipe that names one in data.source")
    if data is None and resolved.data.source == IN_MEMORY:
        raise RecipeError("fit: the recipe names no data.source; pass the table as the first argument")
    kept = ExitStack()
    folder = Path(run) if run is not None else kept.enter_context(temporary_folder()) / resolved.name
    with kept:
        opened = OpenRun(resolved, Run(folder), root, from_run=False)
        run_stages(opened, data=None if isinstance(data, str) else data, last="finetune", progress=progress)
        model = Model(opened.run, temporary=run is None)
        # The folder goes away with the model, or with the process.
        weakref.finalize(model, kept.pop_all().close)
    return model


def load(run: PathLike[str] | str) -> Model:
    """Open a trained model.

    Args:
        run: a run directory with a finished finetune stage, or a folder that `pull` made, which is checked first.

    Raises:
        RunError: there is no such run, or it is not trained yet.
        RegistryError: the pulled folder does not pass its checks.
    """
    from paracosm.registry.pulled import as_run, is_pulled

    folder = Path(run)
    if is_pulled(folder):
        with ExitStack() as kept:
            opened = as_run(folder, run=kept.enter_context(temporary_folder()) / folder.resolve().name)
            model = Model(opened, temporary=True)
            weakref.finalize(model, kept.pop_all().close)
        return model
    if not is_run(folder):
        raise RunError(f"{folder}: is neither a run directory nor a folder made by `paracosm pull`")
    opened = Run.open(folder)
    if opened.journal.stage("finetune").get("status") != "done":
        raise RunError(f"{folder}: is not trained yet; run `paracosm run {folder}`")
    return Model(opened)


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def _decided(data: Any, changes: list[Override], progress: Progress) -> Recipe:
    """Return the recipe that the columns of a table decide, with the overrides."""
    from paracosm.recipes.sections.data import Data
    from paracosm.records.drafting.decisions import decide
    from paracosm.records.sources.read_source import from_object, read_source

    plain: dict[str, Any] = {"name": "table", "data": {"source": IN_MEMORY, "nested": "json"}}
    asked = recipe_of(plain, changes)
    section: Data = asked.data
    if isinstance(data, str):
        raw = read_source(section, root=Path())
    else:
        raw = from_object(data, drop=section.drop, nested="json")
    raw = raw.drop(columns=section.drop, errors="ignore")
    decided = decide(raw, section, name=asked.name, private=asked.privacy is not None)
    say = indented(progress)
    for line in decided.lines:
        say(line)
    drafted = decided.with_new_identifiers().model_dump(mode="json")
    drafted["data"]["drop"] = [*section.drop, *drafted["data"]["drop"]]
    return recipe_of(drafted, [change for change in changes if change.path != ("data", "drop")])
