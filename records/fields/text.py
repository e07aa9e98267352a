"""The kind `text`: free text, which the model writes token by token."""

from dataclasses import replace
from typing import Any, ClassVar

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.fields.bases import Kind
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import Value


class Text(Kind):
    """Texts of a limited length."""

    name = "text"
    declared_keys: ClassVar[tuple[str, ...]] = ("max_length",)
    needed_keys: ClassVar[tuple[str, ...]] = ("max_length", "nullable")

    def fit(self, field: Field, present: pd.Series, override: FieldOverride) -> Field:
        lengths = present.str.len()
        shortest, longest = (int(lengths.min()), int(lengths.max())) if len(present) else (1, 1)
        if override.max_length is None:
            return replace(field, min_length=min(shortest, 1), max_length=_rounded_up(max(longest, 1)))
        if longest > override.max_length:
            raise DataError(
                f"data.fields.{field.name}.max_length: a training record has {longest} characters, more"
                f" than {override.max_length}"
            )
        return replace(field, min_length=min(shortest, 1), max_length=override.max_length, declared=True)

    def declaration(self, field: Field) -> dict[str, Any]:
        return {"max_length": field.max_length}

    def allows(self, field: Field, value: Value) -> bool:
        return isinstance(value, str) and field.min_length <= len(value) <= field.max_length

    def summary(self, field: Field) -> str:
        return f"up to {field.max_length:,} characters"


def _rounded_up(length: int) -> int:
    """Return a length rounded up to two digits, because the exact one would tell that of one record's text."""
    unit = 10 ** max(len(str(length)) - 2, 0)
    return -(-length // unit) * unit
