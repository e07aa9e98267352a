"""Base of the models of `metrics.json` and `measurements.json`, and the rules by which they become JSON."""

import json
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

DECIMALS = 6
"""Decimals of a published number: more would show rounding differences between machines."""

Number = int | float
"""A finite number. Whole numbers stay whole in JSON."""
Interval = tuple[Number, Number]
Breakdown = dict[str, Number]
Curves = dict[str, list[list[Number]]]


class ResultModel(BaseModel):
    """A frozen part of a result file that refuses unknown keys, values of another type, NaN and infinity."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    optional_keys: ClassVar[frozenset[str]] = frozenset()
    """Keys that are left out of the JSON where the value is None; every other key is always written."""

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values = handler(self)
        return {
            key: value for key, value in values.items() if value is not None or key not in self.optional_keys
        }

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values under the names of the file's keys."""
        return self.model_dump(by_alias=True)

    def to_json(self) -> str:
        """Return indented JSON; equal models give equal bytes."""
        return json_text(self.plain())


def json_text(plain: Any) -> str:
    """Return plain values as indented JSON with a final newline.

    Raises:
        ValueError: a value is NaN or infinite.
    """
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain_values(value: Any, decimals: int | None = None) -> Any:
    """Return nested values as plain Python ones: numpy scalars as numbers, tuples as lists, keys in their order.

    Args:
        value: numbers, texts, None, and lists, tuples and dicts of them.
        decimals: decimals to which floats are rounded; None keeps them exact.
    """
    if isinstance(value, float):
        # Adding zero turns -0.0 into 0.0.
        return float(value) if decimals is None else float(round(value, decimals)) + 0.0
    if isinstance(value, dict):
        return {key: plain_values(item, decimals) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(item, decimals) for item in value]
    return int(value) if isinstance(value, np.integer) else value
