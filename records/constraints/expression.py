"""Expressions over the fields of a record: a small language of its own, read with Python's grammar and never executed as Python.

    discharge >= admission
    if sex == "male" then pregnancies == 0
    round(weight / (height / 100) ** 2, 1)
    `family history` in ("yes", "no") or missing(age)

A field whose name is no word stands in backticks. What touches a missing value is unknown, and `missing(x)` asks for it.
Moments are written as text ("2024-12-31"); one minus another is a number of days, and a moment plus a number is days later.
"""

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from paracosm.records.schema.schema import Value

Kind = Literal["number", "text", "truth", "moment", "nothing"]
Compute = Callable[[Mapping[str, Value]], Any]

DAY = timedelta(days=1)
TOLERANCE = 1e-9


def close(one: float, other: float) -> bool:
    """Return whether two numbers differ by rounding only."""
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


@dataclass(frozen=True, eq=False)
class Expression:
    """A checked expression.

    Attributes:
        text: as it was written.
        kind: of its value.
        fields: names of the fields that it reads.
        tree: its syntax; field names are resolved with `names`.
        names: identifier in the tree -> field.
        parts: id of a node of the tree -> its kind and its computation.
        compute: values -> value, None for unknown.
    """

    text: str
    kind: Kind
    fields: frozenset[str]
    tree: ast.expr
    names: Mapping[str, str]
    parts: Mapping[int, tuple[Kind, Compute]]
    compute: Compute

    def reads(self, node: ast.expr, name: str) -> bool:
        """Return whether a node of the tree reads the field `name`."""
        return any(
            isinstance(each, ast.Name) and self.names.get(each.id, each.id) == name for each in ast.walk(node)
        )
