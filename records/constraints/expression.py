"""Parsed expressions over the fields of a record. `parser.py` defines the language."""

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from paracosm.records.schema.schema import Value

ValueKind = Literal["number", "text", "truth", "moment", "nothing"]
Compute = Callable[[Mapping[str, Value]], Any]

DAY = timedelta(days=1)
TOLERANCE = 1e-9
"""Relative and absolute difference up to which two numbers are equal."""


def close(first: float, second: float) -> bool:
    """Return whether two numbers differ by rounding errors only."""
    return math.isclose(first, second, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


@dataclass(frozen=True, eq=False)
class Expression:
    """A checked expression.

    Attributes:
        text: the source text.
        kind: kind of its value.
        fields: names of the fields that it reads.
        tree: its syntax tree; `names` resolves the identifiers in it.
        names: identifier in the tree -> name of the field, for names in backticks.
        parts: `id` of a node of the tree -> kind and computation of its value.
        compute: values of the fields -> value of the expression; None for unknown.
    """

    text: str
    kind: ValueKind
    fields: frozenset[str]
    tree: ast.expr
    names: Mapping[str, str]
    parts: Mapping[int, tuple[ValueKind, Compute]]
    compute: Compute

    def reads(self, node: ast.expr, name: str) -> bool:
        """Return whether a node of the tree reads the field `name`."""
        return any(
            isinstance(part, ast.Name) and self.names.get(part.id, part.id) == name for part in ast.walk(node)
        )
