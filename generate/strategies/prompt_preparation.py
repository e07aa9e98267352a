"""The `finetune` stage of the strategies `prompt` and `chain`: summaries of columns, statistics to draw from, and a look at the server."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.foundation.digests import file_digest
from paracosm.foundation.files import replacing
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.chains.prompt_plan import bases, plan_of
from paracosm.generate.prompting.needs import Plan
from paracosm.generate.prompting.stored_material import Material, save_material
from paracosm.generate.prompting.summaries import summaries
from paracosm.generate.statistics.stored_chain import save_chain
from paracosm.generate.strategies.preparation import fit_chain
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import check_unchanged, run_stage
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records


def prepare_prompts(
    *, recipe: Recipe, run: Run, root: Path | None = None, progress: Progress = silent
) -> bool:
    """Run the `finetune` stage of a run that prompts unless it is up to date; nothing is trained.

    Args:
        recipe: the whole recipe; `prompt` or `chain` is read.
        run: a run whose `records` stage is done.
        root: not read; the verbs share one signature.
        progress: takes progress lines.

    Returns:
        Whether anything was prepared (False: the stage was up to date).

    Raises:
        RecipeError: the records form sequences, or a step names an unknown field.
        ModelError: a server cannot be used.
    """
    return run_stage(_Prepare(), recipe=recipe, run=run, progress=progress)


class _Prepare:
    """The `finetune` stage."""

    name = "finetune"

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        check_unchanged(run, ("records",))
        plan = plan_of(recipe, Schema.load(run.schema))
        return {
            "train": file_digest(run.split("train")),
            "schema": file_digest(run.schema),
            "strategy": recipe.strategy,
            "description": recipe.description,
            "target": recipe.data.target,
            "drawn": [field.name for field in plan.drawn.modelled] if plan.drawn is not None else None,
            "summarised": plan.summarises,
            "statistical": recipe.statistical.model_dump(mode="json"),
            "fewest": recipe.data.rare.subjects,
            "subject": recipe.data.subject,
        }

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        plan_of(recipe, Schema.load(run.schema))

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        schema = Schema.load(run.schema)
        plan = plan_of(recipe, schema)
        train = read_table(run.split("train"), schema)
        records = to_records(train, schema)
        people = np.arange(len(train))
        if recipe.data.subject in train.columns:
            people = pd.factorize(train[recipe.data.subject])[0]
        if recipe.model.layers is not None and bases(recipe):
            progress("model.layers is for models that are trained: the whole model is prompted")
        told = summaries(schema, records, people, recipe.data.rare.subjects) if plan.summarises else {}
        with replacing(run.statistics) as folder:
            folder.mkdir()
            save_material(Material(recipe.strategy, told, recipe.description, recipe.data.target), folder)
            if plan.drawn is not None:
                progress(
                    f"{len(records)} records · {len(plan.drawn.modelled)} columns · {recipe.statistical.method}"
                )
                save_chain(
                    fit_chain(plan.drawn, records, people, recipe.statistical), recipe.statistical, folder
                )
        return facts_of(recipe, plan, run)


def facts_of(recipe: Recipe, plan: Plan, run: Run) -> dict[str, Any]:
    """Return what `run.json` keeps of the preparation."""
    return {
        "strategy": recipe.strategy,
        "method": plan.title,
        "best_control_bits": None,
        "stored_bytes": sum(path.stat().st_size for path in run.statistics.iterdir()),
    }
