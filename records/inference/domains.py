"""Fitting of domains: range, categories, lengths and share of missing cells of every field, from the training records alone.

A minimum or maximum that fewer than ten training records share is rounded outward, so that the grammar does not publish it.
"""

from dataclasses import replace

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data, FieldOverride
from paracosm.records.schema.schema import Field, Schema


def fit_domains(schema: Schema, train: pd.DataFrame, data: Data) -> Schema:
    """Return `schema` with domains: those that the recipe declares, else those of the training records.

    Args:
        schema: an inferred schema without domains.
        train: typed table of the training records only.
        data: the recipe's data section.

    Raises:
        DataError: a training value lies outside a declared domain, or a column has no training value.
    """
    return Schema(
        tuple(
            _fit(field, train[field.name], data.fields.get(field.name, FieldOverride())) for field in schema
        )
    )


def _fit(field: Field, column: pd.Series, override: FieldOverride) -> Field:
    field = replace(field, nullable=_nullable(field, column, override), missing=float(column.isna().mean()))
    return field.kind.fit(field, column.dropna(), override)


def _nullable(field: Field, column: pd.Series, override: FieldOverride) -> bool:
    absent = int(column.isna().sum())
    if override.nullable is False and absent and field.modelled:
        raise DataError(f"data.fields.{field.name}.nullable: {absent} training records have no value")
    return absent > 0 if override.nullable is None else override.nullable
