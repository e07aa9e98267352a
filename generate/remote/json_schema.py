"""JSON schema of an answer in the part that servers agree on: types, closed lists, required keys. No bounds, patterns or lengths."""

from collections.abc import Mapping, Sequence
from typing import Any

from paracosm.generate.constraints.allowed_values import EVERYTHING, AllowedValues
from paracosm.generate.prompting.natural_writing import is_json_number, shown
from paracosm.records.schema.schema import Field, Schema

MOST_LISTED = 200
"""Values of a closed list beyond which the schema says `string`: servers limit all lists together to some hundreds."""


def answer_schema(
    schema: Schema, names: Sequence[str], allowed: Mapping[str, AllowedValues]
) -> dict[str, Any]:
    """Return the schema of an object with some fields.

    Args:
        schema: the fields.
        names: those that are asked for, in order.
        allowed: per field, the values that constraints leave; all where it has none.
    """
    return {
        "type": "object",
        "properties": {name: _property(schema[name], allowed.get(name, EVERYTHING)) for name in names},
        "required": list(names),
        "additionalProperties": False,
    }


def _json_type(field: Field) -> str:
    if field.kind.expressed_as == "truth":
        return "boolean"
    if not is_json_number(field):
        return "string"
    return "integer" if field.is_whole else "number"


def _property(field: Field, allowed: AllowedValues) -> dict[str, Any]:
    nullable = field.nullable and allowed.missing
    if allowed.values == ():
        return {"type": "null"}
    plain: dict[str, Any] = {"type": _json_type(field)}
    if field.discrete and plain["type"] == "string":
        values = field.categories if allowed.values is None else allowed.values
        if len(values) <= MOST_LISTED:
            plain["enum"] = [shown(field, value) for value in values]
    elif plain["type"] != "string" and allowed.values is not None and len(allowed.values) <= MOST_LISTED:
        plain["enum"] = list(allowed.values)
    if nullable:
        plain["type"] = [plain["type"], "null"]
        if "enum" in plain:
            plain["enum"] = [*plain["enum"], None]
    return plain
