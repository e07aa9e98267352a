"""Settings under differential privacy: which training settings change, and which are rejected."""

import math
from importlib.util import find_spec

from paracosm.foundation.errors import RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.privacy import Privacy

METHODS = ("lora", "rslora")
"""Methods for which per-sample gradients were verified; Opacus does not cover the magnitudes of DoRA and full weights."""


def as_trained(recipe: Recipe) -> Recipe:
    """Return the recipe with the settings that training uses; `privacy` overrides those of `finetune`.

    Raises:
        RecipeError: a setting would break the privacy guarantee.
    """
    if recipe.privacy is None:
        return recipe
    _check(recipe, recipe.privacy)
    settings = {
        "epochs": recipe.privacy.epochs,
        "batch_size": recipe.privacy.batch_size,
        "learning_rate": recipe.privacy.learning_rate,
        "rank": recipe.privacy.rank,
        # Smoothing depends on the ranks of all training records.
        "smoothing": 0,
        # Early stopping depends on control records, which are private too and not accounted for.
        "patience": None,
    }
    return recipe.model_copy(update={"finetune": recipe.finetune.model_copy(update=settings)})


def unit_of(recipe: Recipe) -> str:
    """Return the unit of privacy: `record` or `subject`."""
    assert recipe.privacy is not None
    return recipe.privacy.unit or ("record" if recipe.data.subject is None else "subject")


def _check(recipe: Recipe, privacy: Privacy) -> None:
    if find_spec("opacus") is None:
        raise RecipeError('privacy: needs the extra `dp`; run: pip install "paracosm[dp]"')
    if recipe.finetune.method not in METHODS:
        raise RecipeError(
            f"finetune.method: per-sample gradients are not verified for {recipe.finetune.method}; with privacy it"
            f" must be {' or '.join(METHODS)}"
        )
    if privacy.unit == "subject" and recipe.data.subject is None:
        raise RecipeError(
            "privacy.unit: subject needs data.subject, the column that identifies the subject of a record"
        )
    if privacy.unit == "record" and recipe.data.sequence is not None:
        raise RecipeError(
            "privacy.unit: with data.sequence, the records of a subject form one sequence; the unit must be subject"
        )
    if recipe.finetune.objective == "masked":
        raise RecipeError(
            "privacy: is for causal models; set finetune.objective to causal and choose a causal model.base"
        )
    if recipe.finetune.packing:
        raise RecipeError(
            "finetune.packing: puts several records in one row, whose gradients privacy would clip as one; must be false or null"
        )
    if recipe.finetune.smoothing:
        raise RecipeError(
            "finetune.smoothing: depends on the ranks of all training records, so that one record changes others;"
            " with privacy it must be 0 or null"
        )
    if recipe.finetune.max_minutes is not None:
        raise RecipeError(
            "finetune.max_minutes: with privacy the number of steps is fixed in advance; lower privacy.epochs instead"
        )
    if recipe.generate.drop_copies is not None:
        raise RecipeError(
            "generate.drop_copies: reads the training records again, which privacy does not account for; must be null"
        )


def learning_rate_factor(step: int, steps: int, settings: Finetune) -> float:
    """Return the factor of the learning rate in a step, from 0, by warm-up and schedule."""
    if step < settings.warmup_steps:
        return (step + 1) / (settings.warmup_steps + 1)
    done = (step - settings.warmup_steps) / max(1, steps - settings.warmup_steps)
    return {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}[
        settings.schedule
    ]
