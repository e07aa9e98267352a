"""The settings with which the synthetic records of a run were generated, as `run.json` keeps them."""

from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.generate import Generate
from paracosm.recipes.sections.rules import Rules

NOT_COMPARED = {"records", "engine", "to", "table", "existing_table"}
"""Settings that the inputs of the stage leave out: the resolved number of records has its own entry, engines its decoder, and a table
gets the records that there are."""


def as_generated(recipe: Recipe, run: Run) -> Recipe:
    """Return the recipe with the sections `generate` and `rules` of the command that generated the run's records.

    Args:
        recipe: the recipe of the run.
        run: the run; its recipe is returned unchanged if the journal does not hold these settings.
    """
    stage = run.journal.stage("generate")
    inputs = stage.get("inputs", {})
    if "generate" not in inputs or "rules" not in inputs:
        return recipe
    settings = {key: value for key, value in inputs["generate"].items() if key in Generate.model_fields}
    settings["engine"] = recipe.generate.engine
    settings["records"] = stage.get("facts", {}).get("records_asked", recipe.generate.records)
    sections = {
        "generate": Generate.model_validate(settings),
        "rules": Rules.model_validate(inputs["rules"]),
    }
    return recipe.model_copy(update=sections)
