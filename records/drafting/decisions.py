"""What the columns of a table decide about a recipe: identifiers, subject, personal data, layers and order."""

from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.model import Model
from paracosm.records.drafting.persons import Persons, find_persons
from paracosm.records.inference.infer_schema import Inference, infer
from paracosm.records.schema.origin import origin_of

LAYERS = 6
"""Transformer layers in a draft for records without text: the best fit per minute of training on a CPU (docs/defaults.md)."""


@dataclass(frozen=True)
class Decisions:
    """What was decided for a table.

    Attributes:
        recipe: with the decisions; identifiers are in `data.drop`.
        inferred: the fields of the table, and warnings about them.
        identifiers: columns that are left out as identifiers.
        persons: decisions about persons.
    """

    recipe: Recipe
    inferred: Inference
    identifiers: tuple[str, ...]
    persons: Persons

    @property
    def lines(self) -> tuple[str, ...]:
        """Reasons of the decisions about persons, one line each."""
        return (*self.persons.subject_lines, *self.persons.pii_lines)

    def with_new_identifiers(self) -> Recipe:
        """Return the recipe with identifiers that are newly made for synthetic records, instead of left out."""
        data = self.recipe.data
        fresh = {name: {"fresh": True} for name in self.identifiers}
        drop = [name for name in data.drop if name not in fresh]
        return self.recipe.model_copy(
            update={
                "data": Data.model_validate(data.model_dump() | {"drop": drop, "fields": data.fields | fresh})
            }
        )


def nested_of(raw: pd.DataFrame) -> Literal["error", "json", "rows"]:
    """Return the value of `data.nested` that reads a table as it was read."""
    origin = origin_of(raw)
    if origin.divided:
        return "rows"
    return "json" if origin.has_arrays else "error"


def decide(raw: pd.DataFrame, data: Data, *, name: str, private: bool = False) -> Decisions:
    """Return the decisions for a raw table.

    Args:
        raw: the table, with arrays read as JSON text.
        data: how it was read; a subject or a target that it names stays.
        name: of the recipe.
        private: whether the recipe is meant for differential privacy.

    Raises:
        DataError: the target is not a column.
    """
    inferred = infer(raw, data)
    persons = find_persons(raw, inferred.schema, data, private=private)
    if data.subject is not None:
        persons = replace(persons, subject=data.subject, subject_lines=())
    spared = persons.decided
    identifiers = tuple(
        field.name for field in inferred.schema if not field.modelled and field.name not in spared
    )
    left_out = [*identifiers, *(each for each in persons.dropped if each not in identifiers)]
    is_structured = not any(
        field.is_text for field in inferred.schema if field.name not in (*spared, *left_out)
    )
    recipe = Recipe(
        name=name,
        data=data.model_copy(
            update={
                "nested": nested_of(raw),
                "drop": left_out,
                "subject": persons.subject,
                "pii": persons.pii,
            }
        ),
        model=Model(layers=LAYERS) if is_structured else Model(),
        finetune=Finetune(order="target_first") if data.target and not private else Finetune(),
    )
    return Decisions(recipe, inferred, identifiers, persons)
