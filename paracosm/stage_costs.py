"""Expected time and memory of every stage, and what shortens a stage that takes long."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.journal import peak_memory
from paracosm.records.schema.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

    from paracosm.finetune.cost_estimate import CostEstimate

T = TypeVar("T")

FORWARD = 0.5
"""Time of decoding a record, or of reading its likelihood, as a share of that of training on it once."""
MEASURES, PER_FIELD, PER_CELL, PER_TEXT = 8.0, 0.8, 2.5e-4, 0.05
"""CPU seconds of an evaluation: in any case, per field, per cell and per text; see bench/evaluation/scale.py."""
EVALUATION_BYTES, CELL_BYTES = 1_000_000_000, 2_500
"""Memory of an evaluation with the model loaded, and per cell; see bench/evaluation/scale.py."""
LONG = 3600.0
"""Seconds from which on a stage gets advice."""


@dataclass(frozen=True)
class StageCost:
    """Expected cost of a stage.

    Attributes:
        seconds: on this machine, in one process.
        bytes: peak memory of a process.
        cures: recipe keys that shorten it.
    """

    seconds: float
    bytes: float
    cures: str

    @property
    def is_long(self) -> bool:
        """Whether the stage takes more than an hour."""
        return self.seconds > LONG


def measured(recipe: Recipe, work: Callable[[], T]) -> tuple[T, StageCost]:
    """Do the work of the records stage; return its result and what it cost.

    A plan assembles the records as the stage does, so that its cost is measured and not estimated: the stage takes between
    1 and 1.2 times the CPU time that is told here; see bench/records/stage_time.py.

    Args:
        recipe: decides on the cure.
        work: reads the source and assembles the records.
    """
    begun = time.process_time()
    result = work()
    seconds = time.process_time() - begun
    return result, StageCost(seconds, peak_memory(), "data.limit" if recipe.privacy is None else "")


def stage_costs(
    recipe: Recipe, schema: Schema, splits: "Mapping[str, pd.DataFrame]", cost: "CostEstimate"
) -> dict[str, StageCost]:
    """Return the expected costs of training, generation and evaluation.

    Args:
        recipe: as it is trained.
        schema: of the records.
        splits: the typed tables.
        cost: of the training.
    """
    rows = len(splits["train"])
    a_record = cost.seconds / recipe.finetune.epochs / rows
    made = recipe.generate.records or rows
    measured = sum(min(len(part), recipe.eval.max_rows) for part in splits.values()) + min(
        made, recipe.eval.max_rows
    )
    fields = list(schema.modelled)
    texts = sum(field.is_text for field in fields)
    attacked = 2 * min(rows, recipe.eval.attacked_records) if "adapter" in recipe.eval.attacks else 0
    attacks = recipe.eval.attacks
    trainings = (
        recipe.eval.shadows * ("lira" in attacks) + ("auxiliary" in attacks) + ("cross_fit" in attacks)
    )
    evaluation = (
        MEASURES
        + PER_FIELD * len(fields)
        + PER_CELL * min(rows, recipe.eval.max_rows) * len(fields)
        + PER_TEXT * min(rows, recipe.eval.max_rows) * texts
        # The base model reads the attacked records too.
        + 2 * attacked * FORWARD * a_record
        + trainings * cost.seconds
        + (recipe.eval.generator_seeds - 1) * made * FORWARD * a_record
    )
    return {
        "training": StageCost(cost.seconds, cost.bytes, _training_cures(recipe, texts > 0)),
        "generation": StageCost(
            made * FORWARD * a_record,
            cost.bytes + recipe.generate.memory_gb * 1e9,
            "generate.records, model.layers",
        ),
        "evaluation": StageCost(
            evaluation,
            EVALUATION_BYTES + CELL_BYTES * measured * len(fields),
            "eval.attacks, eval.attacked_records" if attacked or trainings else "eval.max_rows",
        ),
    }


def _training_cures(recipe: Recipe, has_texts: bool) -> str:
    keys = ["model.layers", "finetune.epochs"]
    if recipe.privacy is None:
        keys.append("data.limit")
    return ", ".join([*keys, *(["data.longest_text"] if has_texts else [])])
