"""Refusals: everything that a later stage would refuse, checked before the training; `validate` and `run` share it."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.extras import require_extra
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Record, Schema

if TYPE_CHECKING:
    from paracosm.generate.constraints.request import Abilities


def refuse_recipe(recipe: Recipe) -> None:
    """Check what needs no records.

    Raises:
        RecipeError: the recipe limits a gate that does not exist, or asks for what its privacy section forbids.
        ModelError: the base model is missing, incomplete or unsuitable, or a package that the recipe needs is not installed.
    """
    from paracosm.eval.gates.ruling import check_names

    check_names(recipe.release)
    if recipe.strategy == "statistical":
        from paracosm.generate.strategies.statistical import refuse_settings

        refuse_settings(recipe.generate)
    elif recipe.strategy in ("prompt", "chain"):
        from paracosm.generate.chains.prompt_plan import refuse_prompting

        refuse_prompting(recipe)
    elif recipe.strategy == "augment":
        from paracosm.generate.augmentation.strategy import refuse_recipe as refuse_augmentation

        refuse_augmentation(recipe)
    else:
        _refuse_training(recipe)
    if recipe.generate.questions is not None:
        from paracosm.generate.questions.of_run import refuse_questions

        refuse_questions(recipe)
    if recipe.generate.engine != "local" and find_spec(recipe.generate.engine) is None:
        require_extra(
            recipe.generate.engine, recipe.generate.engine, f"generate.engine: {recipe.generate.engine}"
        )


def _refuse_training(recipe: Recipe) -> None:
    from paracosm.finetune.dp.settings import as_trained
    from paracosm.finetune.models.base_model import check_objective, locate
    from paracosm.finetune.models.quantization import check_installed
    from paracosm.finetune.refusals import refuse_model

    as_trained(recipe)
    if recipe.adapt is not None:
        require_extra("trl", "adapt", "the section adapt")
    locate(recipe.model)
    check_installed(recipe.model)
    check_objective(recipe.model, recipe.finetune.objective)
    refuse_model(recipe)


def refuse_records(
    recipe: Recipe, schema: Schema, splits: Mapping[str, pd.DataFrame], root: Path
) -> list[str]:
    """Check the prepared records against everything that training, generation and evaluation ask of them.

    Args:
        recipe: the whole recipe.
        schema: of the records.
        splits: the typed tables.
        root: the folder that relative paths start from.

    Returns:
        How many training records violate each rule.

    Raises:
        RecipeError: a condition, a quota or a rule names an unknown field or value.
        DataError: there are too few records to evaluate, a record is longer than the base model's input, or the file of partial
            records does not fit.
    """
    from paracosm.eval.measuring.metric import FEWEST_ROWS
    from paracosm.generate.constraints.conditions import read_conditions
    from paracosm.generate.constraints.rule_constraints import RuleConstraints
    from paracosm.generate.questions.of_run import refuse_records as refuse_questions
    from paracosm.records.constraints.rules import read_rules
    from paracosm.records.schema.table import to_records

    rows = len(splits["train"])
    if rows < FEWEST_ROWS:
        raise DataError(
            f"train: has {rows} of {sum(map(len, splits.values()))} records; at least {FEWEST_ROWS} are needed to measure anything;"
            " add rows, or lower data.split.control and data.split.test"
        )
    refuse_questions(recipe, schema)
    rules = read_rules(recipe.rules, schema, root)
    train = to_records(splits["train"], schema)
    abilities = _abilities(recipe, schema, train)
    shared = RuleConstraints(abilities.schema, rules)
    read_conditions(recipe, abilities, shared, count=recipe.generate.records or rows, root=root)
    return rules.violations(train)


def _abilities(recipe: Recipe, schema: Schema, train: list[Record]) -> "Abilities":
    """Return what the strategy of a recipe will be able to draw, after checking that it can be prepared on the records."""
    if recipe.strategy == "statistical":
        from paracosm.generate.strategies.statistical import abilities_for

        return abilities_for(schema, recipe.data.target)
    if recipe.strategy in ("prompt", "chain"):
        from paracosm.generate.chains.prompt_plan import plan_of

        return plan_of(recipe, schema).abilities
    if recipe.strategy == "augment":
        from paracosm.generate.augmentation.strategy import abilities_for as augmentation_of

        return augmentation_of(schema)
    if recipe.strategy == "combined":
        from paracosm.generate.strategies.combined import refuse_records

        refuse_records(schema)
    from paracosm.finetune.dp.settings import as_trained
    from paracosm.finetune.refusals import codec_of, refuse_lengths
    from paracosm.generate.decoding.loaded_model import abilities_of
    from paracosm.generate.strategies.combined import combined_abilities
    from paracosm.records.schema.learnt_part import refuse_loss

    trained = as_trained(recipe)
    refuse_loss(trained, schema)
    codec = codec_of(trained, schema, train)
    refuse_lengths(trained, codec, train)
    return combined_abilities(codec) if recipe.strategy == "combined" else abilities_of(codec)
