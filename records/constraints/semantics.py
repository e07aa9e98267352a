"""Meaning of parsed expressions: the kind of every node of a syntax tree, and its computation from a record's values.

Every node is checked and turned into a function; nothing is executed as Python.
"""

import ast
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.records.constraints.expression import DAY, Compute, ValueKind, close
from paracosm.records.constraints.operations import ARGUMENT_KINDS, COMPARISONS, FUNCTIONS, OPERATORS
from paracosm.records.formats.time_format import on_day
from paracosm.records.schema.schema import Schema, Value

WORD = re.compile(r"\w+")
HIGHEST_POWER = 8
"""A power with a larger exponent is unknown, because its value may take long to compute."""


class Builder:
    """Turns a syntax tree into functions of a record's values, and checks the kinds of all operands."""

    def __init__(self, schema: Schema, names: Mapping[str, str], where: str, hint: str) -> None:
        self.schema = schema
        self.names = names
        self.where = where
        self.hint = hint
        self.used: set[str] = set()
        self.parts: dict[int, tuple[ValueKind, Compute]] = {}

    def build(self, node: ast.expr) -> tuple[ValueKind, Compute]:
        """Return kind and computation of a node.

        Raises:
            RecipeError: the node is not part of the language, or its operands have the wrong kind.
        """
        self.parts[id(node)] = self._build(node)
        return self.parts[id(node)]

    def _build(self, node: ast.expr) -> tuple[ValueKind, Compute]:
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
                raise self._refusal(f"{ast.unparse(node)!r} is not part of the language")

    def _refusal(self, what: str) -> RecipeError:
        shown = WORD.sub(lambda word: f"`{self.names[word[0]]}`" if word[0] in self.names else word[0], what)
        return RecipeError(f"{self.where}: {shown}{self.hint}")

    def _constant(self, value: object) -> tuple[ValueKind, Compute]:
        if isinstance(value, bool):
            return "truth", lambda _: value
        if isinstance(value, (int, float)):
            return "number", lambda _: value
        if isinstance(value, str):
            return "text", lambda _: value
        raise self._refusal(f"{value!r} is not a number, a text, True or False")

    def _field(self, word: str) -> tuple[ValueKind, Compute]:
        name = self.names.get(word, word)
        if name not in self.schema.names:
            # Python's parser normalises names: `ﬁeld` arrives as `field`.
            alike = [field for field in self.schema.names if _normalised(field) == _normalised(name)]
            name = alike[0] if len(alike) == 1 else name
        if name not in self.schema.names:
            raise self._refusal(
                f"there is no field {name!r}{did_you_mean(name, self.schema.names)}; texts need quotes"
            )
        self.used.add(name)
        kind = self.schema[name].kind

        def compute(values: Mapping[str, Value]) -> Any:
            value = values[name]
            return None if value is None else kind.in_rules(value)

        return kind.expressed_as, compute

    def _all_or_any(self, node: ast.BoolOp) -> tuple[ValueKind, Compute]:
        operands = [self._truth(operand) for operand in node.values]
        decisive = isinstance(node.op, ast.Or)

        def compute(values: Mapping[str, Value]) -> bool | None:
            unknown = False
            for operand in operands:
                truth = operand(values)
                if truth is decisive:
                    return decisive
                unknown = unknown or truth is None
            return None if unknown else not decisive

        return "truth", compute

    def _truth(self, node: ast.expr) -> Compute:
        kind, compute = self.build(node)
        if kind != "truth":
            raise self._refusal(f"{ast.unparse(node)!r} is a {kind}, not true or false")
        return compute

    def _unary(self, node: ast.UnaryOp) -> tuple[ValueKind, Compute]:
        if isinstance(node.op, ast.Not):
            inner = self._truth(node.operand)
            return "truth", lambda values: None if (value := inner(values)) is None else not value
        kind, inner = self.build(node.operand)
        if kind != "number" or not isinstance(node.op, (ast.USub, ast.UAdd)):
            raise self._refusal(f"{ast.unparse(node)!r}: only numbers can have a sign")
        negative = isinstance(node.op, ast.USub)
        return (
            "number",
            lambda values: None if (value := inner(values)) is None else -value if negative else value,
        )

    def _binary(self, node: ast.BinOp) -> tuple[ValueKind, Compute]:
        if type(node.op) not in OPERATORS:
            raise self._refusal(f"{ast.unparse(node)!r} is not part of the language")
        sign, apply = OPERATORS[type(node.op)]
        (left_kind, left), (right_kind, right) = self.build(node.left), self.build(node.right)
        match left_kind, sign, right_kind:
            case "number", _, "number":
                kind: ValueKind = "number"
            case "moment", "-", "moment":
                kind, apply = "number", lambda first, second: (first - second) / DAY
            case "moment", "+" | "-", "number":
                kind, inner = "moment", apply
                apply = lambda first, second: inner(first, second * DAY)  # noqa: E731
            case _:
                raise self._refusal(f"{ast.unparse(node)!r}: {left_kind} {sign} {right_kind} is not defined")

        def compute(values: Mapping[str, Value]) -> Any:
            first, second = left(values), right(values)
            if first is None or second is None or (sign == "**" and abs(second) > HIGHEST_POWER):
                return None
            try:
                result = apply(first, second)
            except (ZeroDivisionError, OverflowError):
                return None
            return None if isinstance(result, complex) else result

        return kind, compute

    def _compare(self, node: ast.Compare) -> tuple[ValueKind, Compute]:
        terms = [node.left, *node.comparators]
        links = [
            self._link(first, sign, second)
            for first, sign, second in zip(terms, node.ops, terms[1:], strict=False)
        ]
        if len(links) == 1:
            return "truth", links[0]

        def compute(values: Mapping[str, Value]) -> bool | None:
            truths = [link(values) for link in links]
            return False if False in truths else None if None in truths else True

        return "truth", compute

    def _link(self, first: ast.expr, sign: ast.cmpop, second: ast.expr) -> Compute:
        """Return the computation of one comparison of a chain."""
        shown = ast.unparse(ast.Compare(first, [sign], [second]))
        if isinstance(sign, (ast.In, ast.NotIn)):
            return self._membership(first, second, shown, wanted=isinstance(sign, ast.In))
        if type(sign) not in COMPARISONS:
            raise self._refusal(f"{shown!r} is not part of the language")
        symbol, compare = COMPARISONS[type(sign)]
        (left_kind, left), (right_kind, right) = self.build(first), self.build(second)
        left_kind, left = self._as_moment(first, left_kind, left, right_kind)
        right_kind, right = self._as_moment(second, right_kind, right, left_kind)
        if left_kind != right_kind:
            raise self._refusal(f"{shown!r} compares a {left_kind} with a {right_kind}")
        if left_kind in ("text", "truth") and symbol not in ("==", "!="):
            raise self._refusal(f"{shown!r}: a {left_kind} has no order; == and != are allowed")

        true_if_equal = symbol in ("==", "<=", ">=")

        def compute(values: Mapping[str, Value]) -> bool | None:
            one, other = left(values), right(values)
            if one is None or other is None:
                return None
            # Rounding errors do not count: 0.1 + 0.2 equals 0.3.
            if (isinstance(one, float) or isinstance(other, float)) and close(one, other):
                return true_if_equal
            return compare(one, other)

        return compute

    def _as_moment(
        self, node: ast.expr, kind: ValueKind, compute: Compute, beside: ValueKind
    ) -> tuple[ValueKind, Compute]:
        """Return a text constant that is compared with a moment as a moment, and everything else unchanged."""
        if beside != "moment" or not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            return kind, compute
        try:
            moment = _moment(node.value)
        except ValueError as error:
            raise self._refusal(f"{node.value!r} is not a moment such as 2024-12-31 or 08:30") from error
        self.parts[id(node)] = "moment", lambda _: moment
        return self.parts[id(node)]

    def _membership(self, tested: ast.expr, listed: ast.expr, shown: str, *, wanted: bool) -> Compute:
        if not isinstance(listed, (ast.Tuple, ast.List, ast.Set)):
            raise self._refusal(f"{shown!r}: `in` needs a list such as (1, 2, 3)")
        kind, left = self.build(tested)
        members = set()
        for item in listed.elts:
            item_kind, member = self.build(item)
            item_kind, member = self._as_moment(item, item_kind, member, kind)
            signed = item.operand if isinstance(item, ast.UnaryOp) else item
            if not isinstance(signed, ast.Constant) or item_kind != kind:
                raise self._refusal(f"{shown!r}: {ast.unparse(item)!r} is not a constant {kind}")
            members.add(member({}))
        return lambda values: None if (value := left(values)) is None else (value in members) is wanted

    def _choice(self, node: ast.IfExp) -> tuple[ValueKind, Compute]:
        condition = self._truth(node.test)
        (kind, then), (other_kind, other) = self.build(node.body), self.build(node.orelse)
        if kind != other_kind:
            raise self._refusal(f"{ast.unparse(node)!r} is a {kind} or a {other_kind}")

        def compute(values: Mapping[str, Value]) -> Any:
            truth = condition(values)
            return None if truth is None else then(values) if truth else other(values)

        return kind, compute

    def _call(self, node: ast.Call) -> tuple[ValueKind, Compute]:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name == "missing" and len(node.args) == 1 and isinstance(node.args[0], ast.Name):
            _, field = self._field(node.args[0].id)
            return "truth", lambda values: field(values) is None
        if name not in FUNCTIONS or node.keywords:
            known = ["missing", *FUNCTIONS]
            raise self._refusal(
                f"{ast.unparse(node)!r}: there is no function {name!r}{did_you_mean(name, known) or '; there are: ' + ', '.join(known)}"
            )
        fewest, most, kind, apply = FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            raise self._refusal(
                f"{ast.unparse(node)!r}: {name} takes {fewest if fewest == most else f'{fewest} to {most}'} values"
            )
        wanted = ARGUMENT_KINDS.get(name, "number")
        arguments = []
        for argument in node.args:
            argument_kind, argument_value = self.build(argument)
            if argument_kind != wanted:
                raise self._refusal(f"{ast.unparse(node)!r}: {name} takes a {wanted}, not a {argument_kind}")
            arguments.append(argument_value)

        def compute(values: Mapping[str, Value]) -> Any:
            computed = [argument(values) for argument in arguments]
            if None in computed:
                return None
            try:
                return apply(*computed)
            except (ValueError, OverflowError):
                return None

        return kind, compute


def _moment(text: str) -> datetime:
    """Return the moment of a text constant; a time of day is one of the day on which rules compare times."""
    try:
        return on_day(time.fromisoformat(text).replace(tzinfo=None))
    except ValueError:
        return datetime.fromisoformat(text).replace(tzinfo=None)


def _normalised(name: str) -> str:
    return unicodedata.normalize("NFKC", name)
