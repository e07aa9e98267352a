"""The units that differential privacy hides: records, or subjects with all their records."""

import pandas as pd

from paracosm.finetune.dp.settings import unit_of
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Schema


def training_units(recipe: Recipe, schema: Schema, table: pd.DataFrame, records: int) -> list[list[int]]:
    """Return each unit as the numbers of its training records.

    Args:
        recipe: says the unit.
        schema: of the records; a sequence is one record already.
        table: the training records.
        records: how many are trained on; those beyond the table are canaries, each a unit of its own.
    """
    if unit_of(recipe) == "record" or schema.sequence is not None:
        return [[number] for number in range(records)]
    subjects = list(table[recipe.data.subject])
    groups: dict[object, list[int]] = {}
    for number in range(records):
        known = number < len(subjects) and not pd.isna(subjects[number])
        groups.setdefault(subjects[number] if known else (number,), []).append(number)
    return list(groups.values())


def expected_units(recipe: Recipe, schema: Schema, table: pd.DataFrame) -> int:
    """Return how many units there will be, half of the canaries among them."""
    records = len(table) if schema.sequence is None else table[schema.sequence.subject].nunique(dropna=False)
    return len(training_units(recipe, schema, table, records + recipe.finetune.canaries // 2))
