"""What a private draft declares: everything that inference finds, over the whole table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import FieldOverride
from paracosm.recipes.sections.privacy import Privacy
from paracosm.records.inference.domains import fit_domains
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.number_format import MOST_DECIMALS, MOST_FIXED_DIGITS, decimals_of
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import to_typed
from paracosm.records.splitting.splits import divide_independently

EPSILON = 8
"""The budget that a private draft proposes."""


def with_declarations(recipe: Recipe, raw: pd.DataFrame) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe with a privacy budget and everything declared that inference finds, and what to look at.

    The domains are those of all rows: a private run divides by hashes, so that any row may train.

    Raises:
        DataError: the rows are too few for three parts, or the target, or every field, cannot be learnt or declared.
    """
    found = infer(raw, recipe.data)
    schema = Schema(found.schema.modelled)
    schema, rounded = _in_fixed_point(recipe, schema, to_typed(raw, schema))
    typed = to_typed(raw, schema)
    empty = _without_training_cells(recipe, schema, typed)
    warnings = (
        *found.warnings,
        *rounded,
        *(f"column {name!r}: has no cells in the training records; left out" for name in empty),
    )
    schema = fit_domains(_without(schema, empty), typed, recipe.data)
    left_out = [str(name) for name in raw.columns if name not in (*schema.names, *recipe.data.drop)]
    fields = {field.name: _override(field) for field in schema}
    data = recipe.data.model_copy(update={"drop": [*recipe.data.drop, *left_out], "fields": fields})
    return recipe.model_copy(update={"data": data, "privacy": Privacy(epsilon=EPSILON)}), warnings


def _in_fixed_point(recipe: Recipe, schema: Schema, typed: pd.DataFrame) -> tuple[Schema, list[str]]:
    """Return the schema without scientific numbers, which no recipe can declare, and what becomes of them."""
    fields, told = [], []
    for field in schema:
        if not field.scientific:
            fields.append(field)
            continue
        values = [float(value) for value in typed[field.name].dropna()]
        exact = max(decimals_of(value) for value in values)
        decimals = min(exact, MOST_DECIMALS)
        lost = sum(value != 0 and round(value, decimals) == 0 for value in values)
        if 2 * lost > len(values) or max(map(abs, values)) >= 10**MOST_FIXED_DIGITS:
            says = (
                f"its magnitudes do not fit fixed point, {MOST_FIXED_DIGITS} digits before the point and {MOST_DECIMALS}"
                " after it, which is all that privacy can declare; write it in another unit"
            )
            if field.name == recipe.data.target:
                raise DataError(f"column {field.name!r}: {says}")
            told.append(f"column {field.name!r}: {says}; left out")
            continue
        fields.append(replace(field, scientific=0, decimals=decimals))
        told.append(
            f"column {field.name!r}: is declared with {decimals} decimals, for privacy takes no scientific numbers"
            f"{', and so is rounded' * (exact > decimals)}{f'; {lost} values become 0' * (lost > 0)}"
        )
    if not fields:
        raise DataError(f"no column is left to model: {told[0]}")
    return Schema(tuple(fields)), told


def _without_training_cells(recipe: Recipe, schema: Schema, typed: pd.DataFrame) -> list[str]:
    """Return the fields that no training record has a value of."""
    found: list[str] = []
    while True:
        # A record's place is a hash of its cells, so that a field less divides anew.
        kept = _without(schema, found)
        train = divide_independently(typed, kept, recipe.data)["train"]
        empty = [name for name in kept.names if train[name].isna().all()]
        if recipe.data.target in empty:
            raise DataError(
                f"data.target: {recipe.data.target!r} has no cell in any of the {len(train)} training records"
            )
        if not empty:
            return found
        found += empty


def _without(schema: Schema, names: Sequence[str]) -> Schema:
    return Schema(tuple(field for field in schema if field.name not in names))


def _override(field: Field) -> FieldOverride:
    stated: dict[str, Any] = {"type": field.type, "nullable": field.nullable}
    if field.type in ("integer", "number", "datetime"):
        for key in ("minimum", "maximum"):
            bound = getattr(field, key)
            stated[key] = bound.strftime(field.format) if field.type == "datetime" else bound
    if field.type == "number":
        stated["decimals"] = field.decimals
    if field.type == "datetime":
        stated["format"] = field.format
    if field.type == "category":
        stated["categories"] = list(field.categories)
    if field.type == "text":
        stated["max_length"] = field.max_length
    return FieldOverride.model_validate(stated)
