"""Interval of a field's values that a rule allows, given the other fields that the rule reads: a linear solver."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paracosm.records.constraints.expression import DAY, TOLERANCE, Expression
from paracosm.records.schema.schema import Field, Value

EPOCH = datetime(1970, 1, 1)
Line = tuple[float, float]
"""Slope and intercept of a number that is linear in the field. Datetimes count as days since 1970."""


@dataclass(frozen=True)
class Bounds:
    """An interval.

    Attributes:
        low: lower bound; None for no bound.
        high: upper bound; None for no bound.
        low_strict: whether `low` itself is excluded.
        high_strict: whether `high` itself is excluded.
    """

    low: Any = None
    high: Any = None
    low_strict: bool = False
    high_strict: bool = False


def bounds(check: Expression, field: Field, values: Mapping[str, Value]) -> Bounds | None:
    """Return an interval outside of which `check` is false, or None if none can be derived.

    Solves comparisons that are linear in the field, chains and conjunctions of them, and implications whose condition is known
    to hold. The interval may be too wide but never too narrow, so callers still evaluate the check.

    Args:
        check: an expression of kind `truth`.
        field: a field of type integer, number or datetime.
        values: values of the other fields that the check reads.
    """
    return _bounds(check.tree, check, field, values)


def _bounds(node: ast.expr, check: Expression, field: Field, values: Mapping[str, Value]) -> Bounds | None:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return _intersection_of_all(_bounds(operand, check, field, values) for operand in node.values)
    if isinstance(node, ast.BoolOp):
        # An implication is parsed as `not A or B`: if A is known to hold, only B is left.
        possible = [
            operand
            for operand in node.values
            if check.reads(operand, field.name) or check.parts[id(operand)][1](values) is not False
        ]
        return _bounds(possible[0], check, field, values) if len(possible) == 1 else None
    if isinstance(node, ast.Compare):
        terms = [node.left, *node.comparators]
        links = zip(terms, node.ops, terms[1:], strict=False)
        return _intersection_of_all(
            _solve(first, sign, second, check, field, values) for first, sign, second in links
        )
    return None


def _intersection_of_all(intervals: Iterable[Bounds | None]) -> Bounds | None:
    result = None
    for interval in intervals:
        if interval is not None:
            result = interval if result is None else intersection(result, interval)
    return result


def intersection(first: Bounds, second: Bounds) -> Bounds:
    """Return the intersection of two intervals."""
    low, low_strict = first.low, first.low_strict
    if second.low is not None and (low is None or (second.low, second.low_strict) > (low, low_strict)):
        low, low_strict = second.low, second.low_strict
    high, high_strict = first.high, first.high_strict
    if second.high is not None and (
        high is None or (second.high, not second.high_strict) < (high, not high_strict)
    ):
        high, high_strict = second.high, second.high_strict
    return Bounds(low, high, low_strict, high_strict)


def _solve(
    first: ast.expr,
    sign: ast.cmpop,
    second: ast.expr,
    check: Expression,
    field: Field,
    values: Mapping[str, Value],
) -> Bounds | None:
    if not isinstance(sign, (ast.Eq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        return None
    left, right = _line(first, check, field, values), _line(second, check, field, values)
    if left is None or right is None or left[0] == right[0]:
        return None
    slope = left[0] - right[0]
    edge = (right[1] - left[1]) / slope
    low, high, strict = _edges(edge, field)
    if isinstance(sign, ast.Eq):
        return Bounds(low, high)
    strict = strict and isinstance(sign, (ast.Lt, ast.Gt))
    upward = isinstance(sign, (ast.Gt, ast.GtE)) == (slope > 0)
    return Bounds(low=low, low_strict=strict) if upward else Bounds(high=high, high_strict=strict)


def _edges(edge: float, field: Field) -> tuple[Any, Any, bool]:
    """Return an edge in the units of the field, as a lower and as an upper bound, and whether it is exact."""
    exact = field.kind.exactly(edge)
    if exact is not None:
        return exact, exact, True
    slack = TOLERANCE * max(1.0, abs(edge))
    return edge - slack, edge + slack, False


def _line(node: ast.expr, check: Expression, field: Field, values: Mapping[str, Value]) -> Line | None:
    """Return a part of a rule as a linear function of the field, or None if it is not linear or unknown."""
    if not check.reads(node, field.name):
        return _constant(node, check, values)
    match node:
        case ast.Name():
            return 1.0, 0.0
        case ast.UnaryOp(op=ast.USub()):
            inner = _line(node.operand, check, field, values)
            return None if inner is None else (-inner[0], -inner[1])
        case ast.BinOp():
            left, right = (_line(operand, check, field, values) for operand in (node.left, node.right))
            return None if left is None or right is None else _combined(left, node.op, right)
        case _:
            return None


def _constant(node: ast.expr, check: Expression, values: Mapping[str, Value]) -> Line | None:
    kind, compute = check.parts[id(node)]
    value = compute(values) if kind in ("number", "moment") else None
    if value is None:
        return None
    return 0.0, (value - EPOCH) / DAY if kind == "moment" else float(value)


def _combined(left: Line, sign: ast.operator, right: Line) -> Line | None:
    match sign:
        case ast.Add():
            return left[0] + right[0], left[1] + right[1]
        case ast.Sub():
            return left[0] - right[0], left[1] - right[1]
        case ast.Mult() if left[0] == 0 or right[0] == 0:
            return left[0] * right[1] + right[0] * left[1], left[1] * right[1]
        case ast.Div() if right[0] == 0 and right[1] != 0:
            return left[0] / right[1], left[1] / right[1]
        case _:
            return None
