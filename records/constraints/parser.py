"""Reading an expression: Python's grammar, checked node by node and turned into a computation; nothing is executed as Python."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.records.constraints.expression import DAY, Compute, Expression, Kind, close
from paracosm.records.schema.schema import Schema, Value

KINDS: dict[str, Kind] = {
    "integer": "number",
    "number": "number",
    "category": "text",
    "text": "text",
    "identifier": "text",
    "boolean": "truth",
    "datetime": "moment",
}


IF = re.compile(r"\s*if\b(?P<condition>.+?)\bthen\b(?P<then>.+)", re.DOTALL)


QUOTED = re.compile(r"`([^`]+)`")


LONGEST = 2000


HIGHEST_POWER = 8


OPERATORS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
}


COMPARISONS: dict[type, tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
}


FUNCTIONS: dict[str, tuple[int, int, Kind, Callable[..., Any]]] = {
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


TAKES: dict[str, Kind] = {"length": "text", "lower": "text", "year": "moment", "month": "moment"}
"""What a function takes, where that is not numbers."""


def read_expression(text: str, schema: Schema, where: str) -> Expression:
    """Read and check an expression.

    Args:
        text: the expression.
        schema: the fields that it may name.
        where: key of the recipe, for messages.

    Raises:
        RecipeError: in one line, what is wrong with it.
    """
    if len(text) > LONGEST:
        raise RecipeError(f"{where}: is longer than {LONGEST:,} characters")
    names: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        names[f"quoted_{len(names)}"] = match[1]
        return f"quoted_{len(names) - 1}"

    plain = QUOTED.sub(stand_in, text)
    when = IF.fullmatch(plain)
    source = f"(not ({when['condition']})) or ({when['then']})" if when else plain
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = error.msg if isinstance(error, SyntaxError) else "too deep"
        raise RecipeError(f"{where}: {text!r} cannot be read: {said}") from error
    builder = _Builder(schema, names, f"{where}: {text!r}")
    try:
        kind, compute = builder.build(tree)
    except RecursionError as error:
        raise RecipeError(f"{where}: {text!r} cannot be read: too deep") from error
    return Expression(text, kind, frozenset(builder.used), tree, names, builder.parts, compute)


class _Builder:
    """Turns syntax into functions of a record's values, and refuses what does not fit together."""

    def __init__(self, schema: Schema, names: Mapping[str, str], where: str) -> None:
        self.schema = schema
        self.names = names
        self.where = where
        self.used: set[str] = set()
        self.parts: dict[int, tuple[Kind, Compute]] = {}

    def build(self, node: ast.expr) -> tuple[Kind, Compute]:
        self.parts[id(node)] = self._build(node)
        return self.parts[id(node)]

    def _build(self, node: ast.expr) -> tuple[Kind, Compute]:
        match node:
            case ast.Constant():
                return self._constant(node.value)
            case ast.Name():
                return self._field(node.id)
            case ast.BoolOp():
                return self._all_or_any(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.Compare():
                return self._compare(node)
            case ast.IfExp():
                return self._choice(node)
            case ast.Call():
                return self._call(node)
            case _:
                raise self._error(f"{ast.unparse(node)!r} is not part of the language")

    def _error(self, what: str) -> RecipeError:
        return RecipeError(f"{self.where}: {what}")

    def _constant(self, value: object) -> tuple[Kind, Compute]:
        if isinstance(value, bool):
            return "truth", lambda _: value
        if isinstance(value, (int, float)):
            return "number", lambda _: value
        if isinstance(value, str):
            return "text", lambda _: value
        raise self._error(f"{value!r} is no number, text, True or False")

    def _field(self, word: str) -> tuple[Kind, Compute]:
        name = self.names.get(word, word)
        if name not in self.schema.names:
            raise self._error(
                f"there is no field {name!r}{did_you_mean(name, self.schema.names)}; text stands in quotes"
            )
        self.used.add(name)
        return KINDS[self.schema[name].type], lambda values: values[name]

    def _all_or_any(self, node: ast.BoolOp) -> tuple[Kind, Compute]:
        parts = [self._truth(each) for each in node.values]
        decisive = isinstance(node.op, ast.Or)

        def compute(values: Mapping[str, Value]) -> bool | None:
            unknown = False
            for part in parts:
                found = part(values)
                if found is decisive:
                    return decisive
                unknown = unknown or found is None
            return None if unknown else not decisive

        return "truth", compute

    def _truth(self, node: ast.expr) -> Compute:
        kind, compute = self.build(node)
        if kind != "truth":
            raise self._error(f"{ast.unparse(node)!r} is a {kind}, not true or false")
        return compute

    def _unary(self, node: ast.UnaryOp) -> tuple[Kind, Compute]:
        if isinstance(node.op, ast.Not):
            inner = self._truth(node.operand)
            return "truth", lambda values: None if (found := inner(values)) is None else not found
        kind, inner = self.build(node.operand)
        if kind != "number" or not isinstance(node.op, (ast.USub, ast.UAdd)):
            raise self._error(f"{ast.unparse(node)!r}: only a number has a sign")
        negative = isinstance(node.op, ast.USub)
        return (
            "number",
            lambda values: None if (found := inner(values)) is None else -found if negative else found,
        )

    def _binary(self, node: ast.BinOp) -> tuple[Kind, Compute]:
        if type(node.op) not in OPERATORS:
            raise self._error(f"{ast.unparse(node)!r} is not part of the language")
        sign, apply = OPERATORS[type(node.op)]
        (left_kind, left), (right_kind, right) = self.build(node.left), self.build(node.right)
        match left_kind, sign, right_kind:
            case "number", _, "number":
                kind: Kind = "number"
            case "moment", "-", "moment":
                kind, apply = "number", lambda one, other: (one - other) / DAY
            case "moment", "+" | "-", "number":
                kind, inner = "moment", apply
                apply = lambda one, other: inner(one, other * DAY)  # noqa: E731
            case _:
                raise self._error(f"{ast.unparse(node)!r}: {left_kind} {sign} {right_kind} means nothing")

        def compute(values: Mapping[str, Value]) -> Any:
            one, other = left(values), right(values)
            if one is None or other is None or (sign == "**" and abs(other) > HIGHEST_POWER):
                return None
            try:
                found = apply(one, other)
            except (ZeroDivisionError, OverflowError):
                return None
            return None if isinstance(found, complex) else found

        return kind, compute

    def _compare(self, node: ast.Compare) -> tuple[Kind, Compute]:
        terms = [node.left, *node.comparators]
        links = [
            self._link(one, sign, other) for one, sign, other in zip(terms, node.ops, terms[1:], strict=False)
        ]
        if len(links) == 1:
            return "truth", links[0]

        def compute(values: Mapping[str, Value]) -> bool | None:
            found = [link(values) for link in links]
            return False if False in found else None if None in found else True

        return "truth", compute

    def _link(self, one: ast.expr, sign: ast.cmpop, other: ast.expr) -> Compute:
        shown = ast.unparse(ast.Compare(one, [sign], [other]))
        if isinstance(sign, (ast.In, ast.NotIn)):
            return self._among(one, other, shown, wanted=isinstance(sign, ast.In))
        if type(sign) not in COMPARISONS:
            raise self._error(f"{shown!r} is not part of the language")
        kinds_of, compare = COMPARISONS[type(sign)]
        (left_kind, left), (right_kind, right) = self.build(one), self.build(other)
        left_kind, left = self._as_moment(one, left_kind, left, right_kind)
        right_kind, right = self._as_moment(other, right_kind, right, left_kind)
        if left_kind != right_kind:
            raise self._error(f"{shown!r} compares a {left_kind} with a {right_kind}")
        if left_kind in ("text", "truth") and kinds_of not in ("==", "!="):
            raise self._error(f"{shown!r}: a {left_kind} has no order; == and != are allowed")

        equal = kinds_of in ("==", "<=", ">=")

        def compute(values: Mapping[str, Value]) -> bool | None:
            first, second = left(values), right(values)
            if first is None or second is None:
                return None
            # 0.1 + 0.2 is 0.3 here.
            if (isinstance(first, float) or isinstance(second, float)) and close(first, second):
                return equal
            return compare(first, second)

        return compute

    def _as_moment(self, node: ast.expr, kind: Kind, compute: Compute, beside: Kind) -> tuple[Kind, Compute]:
        """Read a text constant beside a moment as a moment."""
        if beside != "moment" or not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            return kind, compute
        try:
            moment = datetime.fromisoformat(node.value).replace(tzinfo=None)
        except ValueError as error:
            raise self._error(f"{node.value!r} is not a moment such as 2024-12-31") from error
        self.parts[id(node)] = "moment", lambda _: moment
        return self.parts[id(node)]

    def _among(self, one: ast.expr, other: ast.expr, shown: str, *, wanted: bool) -> Compute:
        if not isinstance(other, (ast.Tuple, ast.List, ast.Set)):
            raise self._error(f"{shown!r}: `in` takes a list such as (1, 2, 3)")
        kind, left = self.build(one)
        members = set()
        for each in other.elts:
            member_kind, member = self.build(each)
            member_kind, member = self._as_moment(each, member_kind, member, kind)
            if not isinstance(each, (ast.Constant, ast.UnaryOp)) or member_kind != kind:
                raise self._error(f"{shown!r}: {ast.unparse(each)!r} is no constant {kind}")
            members.add(member({}))
        return lambda values: None if (found := left(values)) is None else (found in members) is wanted

    def _choice(self, node: ast.IfExp) -> tuple[Kind, Compute]:
        condition = self._truth(node.test)
        (kind, then), (other_kind, other) = self.build(node.body), self.build(node.orelse)
        if kind != other_kind:
            raise self._error(f"{ast.unparse(node)!r} is a {kind} or a {other_kind}")

        def compute(values: Mapping[str, Value]) -> Any:
            found = condition(values)
            return None if found is None else then(values) if found else other(values)

        return kind, compute

    def _call(self, node: ast.Call) -> tuple[Kind, Compute]:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name == "missing" and len(node.args) == 1 and isinstance(node.args[0], ast.Name):
            _, field = self._field(node.args[0].id)
            return "truth", lambda values: field(values) is None
        if name not in FUNCTIONS or node.keywords:
            known = ["missing", *FUNCTIONS]
            raise self._error(
                f"{ast.unparse(node)!r}: there is no function {name!r}{did_you_mean(name, known) or '; there are: ' + ', '.join(known)}"
            )
        least, most, kind, apply = FUNCTIONS[name]
        if not least <= len(node.args) <= most:
            raise self._error(
                f"{ast.unparse(node)!r}: {name} takes {least if least == most else f'{least} to {most}'} values"
            )
        wanted = TAKES.get(name, "number")
        parts = []
        for argument in node.args:
            found, part = self.build(argument)
            if found != wanted:
                raise self._error(f"{ast.unparse(node)!r}: {name} takes a {wanted}, not a {found}")
            parts.append(part)

        def compute(values: Mapping[str, Value]) -> Any:
            found = [part(values) for part in parts]
            if None in found:
                return None
            try:
                return apply(*found)
            except (ValueError, OverflowError):
                return None

        return kind, compute
