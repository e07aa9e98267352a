"""What a rule leaves of a field once the other fields that it reads are known: a range, solved from the rule."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from paracosm.records.constraints.expression import DAY, TOLERANCE, Expression
from paracosm.records.schema.schema import Field, Value

EPOCH = datetime(1970, 1, 1)
Line = tuple[float, float]
"""A number that is linear in the field: slope and intercept. A moment counts as days since 1970."""


@dataclass(frozen=True)
class Bounds:
    """A range; None is no bound, and a strict bound is itself outside."""

    low: Any = None
    high: Any = None
    low_strict: bool = False
    high_strict: bool = False


def bounds(check: Expression, field: Field, values: Mapping[str, Value]) -> Bounds | None:
    """Return a range outside of which `check` is false, or None when the rule does not tell one.

    Solves comparisons that are linear in the field, chains and conjunctions of them, and implications whose condition
    is known to hold. The range may be too wide, never too narrow: the check itself has the last word.

    Args:
        check: a rule, true or false.
        field: integer, number or datetime.
        values: of the other fields that the rule reads.
    """
    return _bounds(check.tree, check, field, values)


def _bounds(node: ast.expr, check: Expression, field: Field, values: Mapping[str, Value]) -> Bounds | None:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return _both(_bounds(each, check, field, values) for each in node.values)
    if isinstance(node, ast.BoolOp):
        # An implication reads `not A or B`: with A known to hold, B is what remains.
        alive = [
            each
            for each in node.values
            if check.reads(each, field.name) or check.parts[id(each)][1](values) is not False
        ]
        return _bounds(alive[0], check, field, values) if len(alive) == 1 else None
    if isinstance(node, ast.Compare):
        terms = [node.left, *node.comparators]
        links = zip(terms, node.ops, terms[1:], strict=False)
        return _both(_solved(one, sign, other, check, field, values) for one, sign, other in links)
    return None


def _both(found: Iterable[Bounds | None]) -> Bounds | None:
    result = None
    for each in found:
        if each is not None:
            result = each if result is None else intersection(result, each)
    return result


def intersection(one: Bounds, other: Bounds) -> Bounds:
    """Return the range that lies in both."""
    low, low_strict = one.low, one.low_strict
    if other.low is not None and (low is None or (other.low, other.low_strict) > (low, low_strict)):
        low, low_strict = other.low, other.low_strict
    high, high_strict = one.high, one.high_strict
    if other.high is not None and (
        high is None or (other.high, not other.high_strict) < (high, not high_strict)
    ):
        high, high_strict = other.high, other.high_strict
    return Bounds(low, high, low_strict, high_strict)


def _solved(
    one: ast.expr,
    sign: ast.cmpop,
    other: ast.expr,
    check: Expression,
    field: Field,
    values: Mapping[str, Value],
) -> Bounds | None:
    if not isinstance(sign, (ast.Eq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        return None
    left, right = _line(one, check, field, values), _line(other, check, field, values)
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
    """Return an edge as the field counts, from below and from above, and whether it is exact."""
    if field.type == "datetime":
        try:
            moment = EPOCH + timedelta(days=edge)
        except OverflowError:
            moment = datetime.max if edge > 0 else datetime.min
        return moment, moment, True
    if field.type == "integer" and edge == int(edge):
        return int(edge), int(edge), True
    slack = TOLERANCE * max(1.0, abs(edge))
    return edge - slack, edge + slack, False


def _line(node: ast.expr, check: Expression, field: Field, values: Mapping[str, Value]) -> Line | None:
    """Return a part of a rule as a line in the field, None when it is none or is unknown."""
    if not check.reads(node, field.name):
        return _constant(node, check, values)
    match node:
        case ast.Name():
            return 1.0, 0.0
        case ast.UnaryOp(op=ast.USub()):
            inner = _line(node.operand, check, field, values)
            return None if inner is None else (-inner[0], -inner[1])
        case ast.BinOp():
            left, right = (_line(each, check, field, values) for each in (node.left, node.right))
            return None if left is None or right is None else _joined(left, node.op, right)
        case _:
            return None


def _constant(node: ast.expr, check: Expression, values: Mapping[str, Value]) -> Line | None:
    kind, compute = check.parts[id(node)]
    found = compute(values) if kind in ("number", "moment") else None
    if found is None:
        return None
    return 0.0, (found - EPOCH) / DAY if kind == "moment" else float(found)


def _joined(left: Line, sign: ast.operator, right: Line) -> Line | None:
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
