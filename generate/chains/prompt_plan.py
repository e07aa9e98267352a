"""What the strategies `prompt` and `chain` need of a run, from recipe and schema alone; `validate` and the stages share it."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from paracosm.finetune.models.base_model import check_objective, locate
from paracosm.finetune.models.chat_prompt import ordered
from paracosm.foundation.errors import RecipeError
from paracosm.generate.constraints.request import Abilities
from paracosm.generate.prompting.needs import Plan
from paracosm.generate.remote.client import key_of
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.generate import Generate
from paracosm.recipes.sections.model import Server
from paracosm.records.schema.schema import Schema

UNUSED = ("rewrite",)
"""Settings that no prompted model has."""
PACE = {"concurrency", "retries", "timeout", "price_input", "price_output", "key"}
"""Settings of a server that do not change what it answers."""
LOCAL_ONLY = ("temperatures", "top_k", "min_p")
"""Settings that servers do not share."""


def plan_of(recipe: Recipe, schema: Schema) -> Plan:
    """Return the plan of a recipe for records.

    Raises:
        RecipeError: the strategy cannot serve the records.
    """
    refuse_sequences(recipe.strategy, schema)
    if recipe.strategy == "chain":
        from paracosm.generate.chains.plan import chain_plan

        return chain_plan(recipe, schema)
    fields = ordered(schema, recipe.data.target)
    drawn = None
    if recipe.prompt.examples == "synthetic":
        drawn = without_texts(fields)
        if not drawn.modelled:
            raise RecipeError(
                "prompt.examples: synthetic rows need a column that is not free text, and there is none; use statistics"
            )
    return Plan(
        Abilities(fields, any_order=True),
        drawn,
        recipe.prompt.examples != "schema",
        f"prompt ({recipe.prompt.examples})",
    )


def without_texts(schema: Schema) -> Schema:
    """Return a schema without its free texts."""
    return replace(
        schema, fields=tuple(field for field in schema.modelled if not field.is_text), relations=()
    )


def refuse_sequences(strategy: str, schema: Schema) -> None:
    """Check that the records are single ones.

    Raises:
        RecipeError: they form sequences.
    """
    if schema.sequence is not None:
        raise RecipeError(
            f"strategy: {strategy} makes single records, not the sequences of data.sequence; leave out data.sequence, or use"
            " strategy finetuned"
        )


def refuse_prompting(recipe: Recipe) -> None:
    """Check what needs no records: settings, keys of servers, base models.

    Raises:
        RecipeError: a setting is not one of this strategy, or the variable of a key is not set.
        ModelError: a base model is missing.
    """
    places = servers(recipe)
    for name in (*UNUSED, *(LOCAL_ONLY if places else ())):
        if getattr(recipe.generate, name) != Generate.model_fields[name].get_default():
            whom = "masked models" if name in UNUSED else "models on this machine"
            raise RecipeError(f"generate.{name}: is for {whom}; leave it out with strategy {recipe.strategy}")
    if recipe.generate.engine == "vllm":
        raise RecipeError(
            f"generate.engine: vllm is for the strategy finetuned; start `vllm serve` and name its URL in {recipe.strategy}.server"
        )
    for where, server in places:
        key_of(server, where)
    for base in bases(recipe):
        model = recipe.model.model_copy(update={"base": base})
        locate(model)
        check_objective(model, "causal")


def result_settings(recipe: Recipe) -> dict[str, Any]:
    """Return the settings on which the records depend, without those that only say how fast and how patiently they are asked for."""
    plain = recipe.model_dump(
        mode="json", include={"prompt" if recipe.strategy == "prompt" else "chain", "model", "description"}
    )
    return _without(plain, PACE)


def _without(plain: Any, names: Collection[str]) -> Any:
    if isinstance(plain, dict):
        return {name: _without(each, names) for name, each in plain.items() if name not in names}
    return [_without(each, names) for each in plain] if isinstance(plain, list) else plain


def servers(recipe: Recipe) -> list[tuple[str, Server]]:
    """Return the servers that a recipe uses, each with its place in the recipe."""
    if recipe.strategy == "prompt":
        return [] if recipe.prompt.server is None else [("prompt.server", recipe.prompt.server)]
    own = [(f"chain.steps.{index}.server", step.server) for index, step in enumerate(recipe.chain.steps)]
    shared = [("chain.server", recipe.chain.server)]
    return [(where, server) for where, server in (*shared, *own) if server is not None]


def bases(recipe: Recipe) -> list[str]:
    """Return the base models that a recipe loads on this machine."""
    if recipe.strategy == "prompt":
        return [recipe.model.base] if recipe.prompt.server is None else []
    steps = [step for step in recipe.chain.steps if step.kind != "draw"]
    named = [step.base for step in steps if step.base is not None]
    if recipe.chain.server is None and (
        not steps or any(step.server is None and step.base is None and step.adapter is None for step in steps)
    ):
        named.append(recipe.model.base)
    return list(dict.fromkeys(named))
