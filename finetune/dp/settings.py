"""What a recipe means under differential privacy: which settings change, which are refused."""

from importlib.util import find_spec

from paracosm.foundation.errors import RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.privacy import Privacy

METHODS = ("lora", "rslora")
"""What per-record gradients were compared with autograd for; DoRA's lengths and whole weights are out of Opacus's sight."""


def as_trained(recipe: Recipe) -> Recipe:
    """Return the recipe with the settings that training will use: under `privacy` those of that section.

    Raises:
        RecipeError: a setting would void the guarantee.
    """
    if recipe.privacy is None:
        return recipe
    _refuse(recipe, recipe.privacy)
    settings = {
        "epochs": recipe.privacy.epochs,
        "batch_size": recipe.privacy.batch_size,
        "learning_rate": recipe.privacy.learning_rate,
        "rank": recipe.privacy.rank,
        # Moves a value among the ranks of all training records.
        "smoothing": 0,
        # Control records are private too, and nobody accounts for what they decide.
        "patience": None,
    }
    return recipe.model_copy(update={"finetune": recipe.finetune.model_copy(update=settings)})


def unit_of(recipe: Recipe) -> str:
    """Return whose presence is hidden: `record` or `subject`."""
    assert recipe.privacy is not None
    return recipe.privacy.unit or ("record" if recipe.data.subject is None else "subject")


def _refuse(recipe: Recipe, privacy: Privacy) -> None:
    if find_spec("opacus") is None:
        raise RecipeError('privacy: needs the extra `dp`; run: pip install "paracosm[dp]"')
    if recipe.finetune.method not in METHODS:
        raise RecipeError(
            f"finetune.method: {recipe.finetune.method} has no gradients per record that are proven right; with privacy it"
            f" has to be {' or '.join(METHODS)}"
        )
    if privacy.unit == "subject" and recipe.data.subject is None:
        raise RecipeError(
            "privacy.unit: subject needs data.subject, the column that names whom a record is about"
        )
    if privacy.unit == "record" and recipe.data.sequence is not None:
        raise RecipeError(
            "privacy.unit: with data.sequence, all records of a subject are one; only subject can be hidden"
        )
    if recipe.finetune.objective == "masked":
        raise RecipeError(
            "privacy: is for causal models; take finetune.objective causal and a causal model.base"
        )
    if recipe.finetune.packing:
        raise RecipeError(
            "finetune.packing: puts several records into one row, which privacy clips as one; has to be false or null"
        )
    if recipe.finetune.smoothing:
        raise RecipeError(
            "finetune.smoothing: moves values among the ranks of all training records, so that one record changes others;"
            " with privacy it has to be 0 or null"
        )
    if recipe.finetune.max_minutes is not None:
        raise RecipeError(
            "finetune.max_minutes: with privacy the number of steps is fixed beforehand; lower privacy.epochs instead"
        )
    if recipe.generate.drop_copies is not None:
        raise RecipeError(
            "generate.drop_copies: looks at the training records again, which privacy does not account for; has to be null"
        )
