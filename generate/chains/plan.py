"""What a chain needs of a run: the order of its fields, the fields that statistics draw, templates that can be filled in."""

from dataclasses import replace

from paracosm.generate.chains.steps import in_chain_order, steps_of
from paracosm.generate.chains.templates import compiled
from paracosm.generate.constraints.request import Abilities
from paracosm.generate.prompting.needs import Plan
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Schema

ADVICE = "put the field into the draw, or raise generate.attempts"


def chain_plan(recipe: Recipe, schema: Schema) -> Plan:
    """Return the plan of a recipe's chain.

    Raises:
        RecipeError: a step names an unknown field, or no step makes a field.
    """
    steps = steps_of(recipe, schema)
    for step in steps:
        if step.settings.prompt is not None:
            compiled(step)
    fields = in_chain_order(schema, steps)
    names = next((step.fields for step in steps if step.settings.kind == "draw"), ())
    drawn = replace(schema, fields=tuple(schema[name] for name in names), relations=()) if names else None
    return Plan(
        Abilities(fields, advice=ADVICE), drawn, True, f"chain ({', '.join(step.name for step in steps)})"
    )
