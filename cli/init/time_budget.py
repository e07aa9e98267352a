"""Plan a recipe for a number of minutes: fewer layers, then fewer epochs, then fewer rows, until the estimate fits."""

from paracosm.foundation.errors import RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.records.assembly import Prepared
from paracosm.records.drafting.recipe_template import Planner

LAYERS = (12, 6, 4, 2)
"""Numbers of layers that are tried after the draft's own, from the most faithful to the fastest."""
FEWEST_EPOCHS = 5
FEWEST_ROWS = 500
"""Rows below which a recipe is not cut for time."""


def within(minutes: float) -> Planner:
    """Return the planner for a number of minutes on this machine, over all stages."""

    def plan(recipe: Recipe, prepared: Prepared) -> tuple[Recipe, str]:
        return _fitted(recipe, prepared, 60 * minutes)

    return plan


def _fitted(recipe: Recipe, prepared: Prepared, budget: float) -> tuple[Recipe, str]:
    changes: list[str] = []
    seconds = _seconds(recipe, prepared)
    for layers in LAYERS:
        if sum(seconds) <= budget:
            break
        if recipe.model.layers is None or layers < recipe.model.layers:
            recipe = _with(recipe, "model", layers=layers)
            seconds = _seconds(recipe, prepared)
            changes = [f"model.layers: {layers}"]
    training, rest = seconds
    if training + rest > budget and training > 0:
        epochs = max(FEWEST_EPOCHS, int(recipe.finetune.epochs * (budget - rest) / training))
        if epochs < recipe.finetune.epochs:
            training *= epochs / recipe.finetune.epochs
            recipe = _with(recipe, "finetune", epochs=epochs)
            changes.append(f"finetune.epochs: {epochs}")
    if training + rest > budget:
        rows = sum(map(len, prepared.splits.values()))
        limit = int(rows * budget / (training + rest))
        if limit < FEWEST_ROWS or recipe.privacy is not None:
            raise RecipeError(
                f"--minutes: the fastest plan takes about {(training + rest) / 60:.0f} minutes; give more, or take"
                " strategy=statistical, which takes seconds for a table without free text"
            )
        recipe = _with(recipe, "data", limit=limit)
        training, rest = (part * limit / rows for part in (training, rest))
        changes.append(f"data.limit: {limit}")
    if recipe.privacy is None:
        recipe = _with(recipe, "finetune", max_minutes=round(max(1.0, (budget - rest) / 60), 1))
    said = ", ".join(changes) or "the default settings"
    return (
        recipe,
        f"planned for {budget / 60:g} min: {said}; about {(training + rest) / 60:.1f} min in all",
    )


def _seconds(recipe: Recipe, prepared: Prepared) -> tuple[float, float]:
    """Return the estimated seconds of training, and of the other stages."""
    from paracosm.finetune.cost_estimate import estimate_cost
    from paracosm.finetune.dp.settings import as_trained
    from paracosm.records.schema.table import to_records
    from paracosm.stage_costs import stage_costs

    trained = as_trained(recipe)
    train = to_records(prepared.splits["train"], prepared.schema)
    costs = stage_costs(
        trained, prepared.schema, prepared.splits, estimate_cost(trained, prepared.schema, train)
    )
    training = costs["training"].seconds
    return training, sum(cost.seconds for cost in costs.values()) - training


def _with(recipe: Recipe, section: str, **values: object) -> Recipe:
    return recipe.model_copy(update={section: getattr(recipe, section).model_copy(update=values)})
