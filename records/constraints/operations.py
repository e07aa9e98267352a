"""Operators, comparisons and functions of the expression language."""

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from paracosm.records.constraints.expression import ValueKind

OPERATORS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
}
"""Syntax -> symbol and function of an arithmetic operator."""
COMPARISONS: dict[type, tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
}
"""Syntax -> symbol and function of a comparison."""
FUNCTIONS: dict[str, tuple[int, int, ValueKind, Callable[..., Any]]] = {
    "abs": (1, 1, "number", abs),
    "min": (2, 20, "number", min),
    "max": (2, 20, "number", max),
    "sum": (1, 200, "number", lambda *terms: sum(terms)),
    "round": (1, 2, "number", lambda value, digits=0: round(value, int(digits)) if digits else round(value)),
    "floor": (1, 1, "number", math.floor),
    "ceil": (1, 1, "number", math.ceil),
    "sqrt": (1, 1, "number", math.sqrt),
    "log": (1, 1, "number", math.log),
    "exp": (1, 1, "number", math.exp),
    "length": (1, 1, "number", len),
    "year": (1, 1, "number", lambda moment: moment.year),
    "month": (1, 1, "number", lambda moment: moment.month),
    "lower": (1, 1, "text", str.lower),
}
"""Name -> fewest and most arguments, kind of the result, and function."""
ARGUMENT_KINDS: dict[str, ValueKind] = {
    "length": "text",
    "lower": "text",
    "year": "moment",
    "month": "moment",
}
"""Kind of the arguments of a function, where they are not numbers."""
