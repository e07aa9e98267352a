"""The kind `identifier`: values that name a record or a person, which the model never sees."""

from collections.abc import Sequence
from typing import Any, ClassVar

from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.fields.bases import Kind
from paracosm.records.fields.field import Field
from paracosm.records.formats.identifier_pattern import infer_pattern


class Identifier(Kind):
    """Keys of one pattern: left out, or newly made for every synthetic record."""

    name = "identifier"
    declared_keys: ClassVar[tuple[str, ...]] = ("fresh",)
    needed_keys: ClassVar[tuple[str, ...]] = ()
    modelled: ClassVar[bool] = False

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        return {"pattern": infer_pattern(cells)}

    def summary(self, field: Field) -> str:
        return "newly generated" if field.fresh else "left out"
