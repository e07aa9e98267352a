"""Declared fields of `paracosm init --private`: all properties that inference finds in the whole table."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import FieldOverride
from paracosm.recipes.sections.privacy import Privacy
from paracosm.records.formats.numbers.written import MOST_DECIMALS, MOST_FIXED_DIGITS, decimals_of
from paracosm.records.inference.domains import fit_domains
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import to_typed
from paracosm.records.splitting.independent_splits import divide_independently

EPSILON = 8
"""Privacy budget of a private draft, as in the shipped private recipe."""


def with_declarations(recipe: Recipe, raw: pd.DataFrame) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe with a privacy budget and with every field declared, and warnings.

    Domains cover all rows, because a private run splits rows by a hash, so that any row can become a training record.

    Raises:
        DataError: there are too few rows for three splits, or the target or all fields cannot be modelled or declared.
    """
    inferred = infer(raw, recipe.data)
    schema = Schema(inferred.schema.modelled)
    schema, rounded = _without_scientific(recipe, schema, to_typed(raw, schema))
    typed = to_typed(raw, schema)
    empty = _without_training_cells(recipe, schema, typed)
    warnings = (
        *inferred.warnings,
        *rounded,
        *(f"column {name!r}: is missing in all training records; left out" for name in empty),
    )
    schema = fit_domains(_without(schema, empty), typed, recipe.data)
    left_out = [str(name) for name in raw.columns if name not in (*schema.names, *recipe.data.drop)]
    fields = {field.name: _override(field) for field in schema}
    data = recipe.data.model_copy(update={"drop": [*recipe.data.drop, *left_out], "fields": fields})
    return recipe.model_copy(update={"data": data, "privacy": Privacy(epsilon=EPSILON)}), warnings


def _without_scientific(recipe: Recipe, schema: Schema, typed: pd.DataFrame) -> tuple[Schema, list[str]]:
    """Return the schema with scientific numbers as fixed-point numbers, and warnings: a recipe cannot declare the former."""
    fields, warnings = [], []
    for field in schema:
        if not field.scientific:
            fields.append(field)
            continue
        values = [float(value) for value in typed[field.name].dropna()]
        exact = max(decimals_of(value) for value in values)
        decimals = min(exact, MOST_DECIMALS)
        lost = sum(value != 0 and round(value, decimals) == 0 for value in values)
        if 2 * lost > len(values) or max(map(abs, values)) >= 10**MOST_FIXED_DIGITS:
            reason = (
                f"its magnitudes do not fit {MOST_FIXED_DIGITS} digits before and {MOST_DECIMALS} after the decimal point, the"
                " limit for private training; convert it to another unit"
            )
            if field.name == recipe.data.target:
                raise DataError(f"column {field.name!r}: {reason}")
            warnings.append(f"column {field.name!r}: {reason}; left out")
            continue
        fields.append(replace(field, scientific=0, decimals=decimals, format=""))
        warnings.append(
            f"column {field.name!r}: is declared with {decimals} decimals, because private training does not support scientific numbers"
            f"{'; values are rounded' * (exact > decimals)}{f'; {lost} values become 0' * (lost > 0)}"
        )
    if not fields:
        raise DataError(f"no column is left to model: {warnings[0]}")
    return Schema(tuple(fields)), warnings


def _without_training_cells(recipe: Recipe, schema: Schema, typed: pd.DataFrame) -> list[str]:
    """Return the fields that are missing in all training records."""
    missing: list[str] = []
    while True:
        # The split is a hash of all cells of a record, so that it changes when a field is removed.
        kept = _without(schema, missing)
        train = divide_independently(typed, kept, recipe.data)["train"]
        empty = [name for name in kept.names if train[name].isna().all()]
        if recipe.data.target in empty:
            raise DataError(
                f"data.target: {recipe.data.target!r} is missing in all {len(train)} training records"
            )
        if not empty:
            return missing
        missing += empty


def _without(schema: Schema, names: Sequence[str]) -> Schema:
    return Schema(tuple(field for field in schema if field.name not in names))


def _override(field: Field) -> FieldOverride:
    return FieldOverride.model_validate(
        {"type": field.type, "nullable": field.nullable} | field.kind.declaration(field)
    )
