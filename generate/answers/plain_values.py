"""Values of records as JSON values, exactly, in the form that `Field.kind` defines for bounds and words."""

from collections.abc import Mapping
from typing import Any

from paracosm.records.schema.schema import Record, Schema, Value


def to_plain(schema: Schema, values: Mapping[str, Value]) -> dict[str, Any]:
    """Return values as JSON values that `from_plain` reads back."""
    return {
        name: None if value is None else schema[name].kind.to_json(value) for name, value in values.items()
    }


def from_plain(schema: Schema, plain: Mapping[str, Any]) -> Record:
    """Return the values that `to_plain` wrote."""
    return {
        name: None if value is None else schema[name].kind.from_json(value) for name, value in plain.items()
    }
