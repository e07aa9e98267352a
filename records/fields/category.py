"""The kind `category`: a closed list of texts."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.field_code import FieldCode, choice_code
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.fields.bases import Kind
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import Value

SHOWN = 12
"""Values of a list that an error message shows."""


class Category(Kind):
    """Texts of a closed list."""

    name = "category"
    declared_keys: ClassVar[tuple[str, ...]] = ("categories",)
    needed_keys: ClassVar[tuple[str, ...]] = ("categories", "nullable")
    discrete: ClassVar[bool] = True

    def fit(self, field: Field, present: pd.Series, override: FieldOverride) -> Field:
        values = sorted(present.unique())
        if override.categories is None:
            return replace(field, categories=tuple(values))
        extra = [value for value in values if value not in override.categories]
        if extra:
            raise DataError(
                f"data.fields.{field.name}.categories: {len(extra)} values of training records are not among them"
            )
        return replace(field, categories=tuple(dict.fromkeys(override.categories)), declared=True)

    def declaration(self, field: Field) -> dict[str, Any]:
        return {"categories": list(field.categories)}

    def allows(self, field: Field, value: Value) -> bool:
        return value in field.categories

    def code(self, field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        return choice_code([(name, name) for name in field.categories], tokenizer, alphabet)

    def values(self, field: Field, at_most: int) -> list[Value] | None:
        return None if len(field.categories) > at_most else list(field.categories)

    def draw(self, field: Field, rng: np.random.Generator) -> str:
        return field.categories[int(rng.integers(len(field.categories)))]

    def summary(self, field: Field) -> str:
        return f"{len(field.categories)} value{'s' * (len(field.categories) != 1)}"

    def hint(self, field: Field, text: str) -> str:
        return did_you_mean(text, field.categories) or f"; allowed: {', '.join(field.categories[:SHOWN])}"
