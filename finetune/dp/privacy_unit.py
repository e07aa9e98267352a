"""Units of differential privacy: single records, or subjects with all their records."""

import pandas as pd

from paracosm.finetune.dp.settings import unit_of
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Schema


def training_units(recipe: Recipe, schema: Schema, table: pd.DataFrame, records: int) -> list[list[int]]:
    """Return the indices of the training records of each unit.

    Args:
        recipe: `privacy` and `data.subject` are read.
        schema: of the records; a sequence counts as one record.
        table: the training records.
        records: number of encoded records; those beyond the table are canaries, and each is a separate unit.
    """
    if unit_of(recipe) == "record" or schema.sequence is not None:
        return [[number] for number in range(records)]
    subjects = list(table[recipe.data.subject])
    groups: dict[object, list[int]] = {}
    for number in range(records):
        has_subject = number < len(subjects) and not pd.isna(subjects[number])
        groups.setdefault(subjects[number] if has_subject else (number,), []).append(number)
    return list(groups.values())


def expected_units(recipe: Recipe, schema: Schema, table: pd.DataFrame) -> int:
    """Return the expected number of units, with half of the canaries."""
    records = len(table) if schema.sequence is None else table[schema.sequence.subject].nunique(dropna=False)
    return len(training_units(recipe, schema, table, records + recipe.finetune.canaries // 2))
