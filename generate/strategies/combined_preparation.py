"""The `finetune` stage of a run with the strategy `combined`: fits statistics of the columns, trains an adapter for the texts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from paracosm.finetune.models.chat_prompt import ordered
from paracosm.finetune.stage import adapted_base, stage_inputs, train_adapter
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.statistics.stored_chain import COLUMNS, save_chain
from paracosm.generate.strategies.combined import refuse_records
from paracosm.generate.strategies.preparation import control_bits, fitted_chain
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import run_stage
from paracosm.records.schema.schema import Schema


def fit_and_train(*, recipe: Recipe, run: Run, root: Path | None = None, progress: Progress = silent) -> bool:
    """Run the `finetune` stage of a combined run unless it is up to date; resume where a killed run stopped.

    Args:
        recipe: the whole recipe; `statistical`, `model` and `finetune` are read.
        run: a run whose `records` stage is done.
        root: the folder that the relative path of `adapt.source` starts from; the current one when absent.
        progress: takes progress lines.

    Returns:
        Whether anything was fitted (False: the stage was up to date).

    Raises:
        RecipeError: the records have no text or no column beside it, or form sequences.
        ModelError: the base model is missing or unsuitable.
        DataError: the records cannot be encoded for it.
    """
    domain, adapted = adapted_base(recipe, run, root, progress)
    return run_stage(_Combined(domain), recipe=recipe, run=run, progress=progress) or adapted


def columns_of(schema: Schema, target: str | None) -> Schema:
    """Return the fields that statistics draw: those of the records without identifiers and texts, the target first."""
    drawn = ordered(schema, target)
    return replace(drawn, fields=tuple(field for field in drawn.modelled if not field.is_text))


class _Combined:
    """The `finetune` stage."""

    name = "finetune"

    def __init__(self, domain: Path | None) -> None:
        self.domain = domain

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        return stage_inputs(recipe, run, self.domain) | {
            "strategy": recipe.strategy,
            "statistical": recipe.statistical.model_dump(mode="json"),
            "target": recipe.data.target,
            "subject": recipe.data.subject,
        }

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        refuse_records(Schema.load(run.schema))

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        columns = columns_of(Schema.load(run.schema), recipe.data.target)
        chain = fitted_chain(recipe, run, columns, progress)
        bits = control_bits(chain, run)
        # Training replaces the folder, so that the statistics come after it.
        facts = train_adapter(recipe, run, progress, self.domain)
        save_chain(chain, recipe.statistical, run.adapter, COLUMNS)
        texts = facts["best_control_bits"]
        return facts | {
            "strategy": recipe.strategy,
            "method": recipe.statistical.method,
            "columns_control_bits": bits,
            "texts_control_bits": texts,
            "best_control_bits": None if bits is None else round(bits + texts, 4),
        }
