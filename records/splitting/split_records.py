"""The records to learn, and those by which training decides when to stop."""

import numpy as np
import pandas as pd

from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records

STOPPING_SHARE = 0.1
"""Share of the training subjects that are not learnt where no control records are kept out."""


def read_split_records(recipe: Recipe, run: Run, schema: Schema) -> tuple[list[Record], list[Record]]:
    """Return the records to learn and the held-out ones of a run.

    Held out are the control records, or, where `data.split.control` is 0, the records of a tenth of the training subjects: without
    any, training would not notice that it memorises records.
    """
    train, control = (read_table(run.split(name), schema) for name in ("train", "control"))
    if control.empty and recipe.data.split.control == 0:
        held_out = _drawn(train, recipe)
        train, control = train[~held_out], train[held_out]
    return to_records(train, schema), to_records(control, schema)


def _drawn(train: pd.DataFrame, recipe: Recipe) -> np.ndarray:
    """Return which rows belong to the subjects that are not learnt."""
    subject = recipe.data.subject
    units = np.arange(len(train))
    if subject in train.columns:
        codes, names = pd.factorize(train[subject])
        # A row without a subject is one of its own.
        units = np.where(codes < 0, len(names) + units, codes)
    present = np.unique(units)
    count = max(1, round(STOPPING_SHARE * len(present)))
    chosen = np.random.default_rng(recipe.data.split.seed).permutation(present)[:count]
    return np.isin(units, chosen)
