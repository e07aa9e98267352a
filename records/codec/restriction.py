"""Restriction of a field's automaton to some of its values, such as those that a condition or a rule allows."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from paracosm.records.codec.automata.automaton import END, Node
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.bins.binned_code import BinnedCode
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens
from paracosm.records.formats.time_format import DAY, on_day
from paracosm.records.schema.schema import Field, Value

SMALLEST_STEP = timedelta(microseconds=1)


def restrict_to_values(code: FieldCode, values: Iterable[Value]) -> Node | None:
    """Return the automaton of some values of the domain, or None if `values` is empty."""
    if isinstance(code, BinnedCode):
        listed = list(values)
        present = code.restricted(code.numbers(value for value in listed if value is not None))
        return _with_missing(present, code) if None in listed else present
    paths = [tuple(code.spell(value)) for value in values]
    if not paths:
        return None
    edges: dict[int, Node] = {}
    for path in paths:
        if not path:
            return END
        current: Any = edges
        for token in path[:-1]:
            current = current.setdefault(token, Node({})).edges
        current[path[-1]] = END
    return Node(edges)


def without_missing(code: FieldCode) -> Node:
    """Return the automaton of a field without the missing value."""
    if code.missing is None:
        return code.root
    return Node({token: then for token, then in code.root.edges.items() if token != code.missing})


def restrict_to_range(
    field: Field, code: FieldCode, low: Value, high: Value, alphabet: SymbolTokens, *, missing: bool
) -> Node | None:
    """Return the automaton of the values in [low, high], or None if there are none.

    Args:
        field: an ordered field.
        code: encoding of the field.
        low: smallest value, or None for no bound; it may lie outside the domain or between its values.
        high: largest value, likewise.
        alphabet: tokens of digits and signs.
        missing: whether to allow the missing value too.
    """
    limits = limits_within(field, low, high)
    present = without_missing(code)
    if limits is None:
        allowed = None
    elif isinstance(code, BinnedCode):
        allowed = code.restricted([code.interval(*limits)])
    elif not present.edges or alphabet.stop in present.edges:
        # The domain has one value, which is encoded without a decision.
        allowed = present
    else:
        lowest, highest = (None if bound is None else tuple(code.path(bound)) for bound in limits)
        allowed = _signed_between(present, lowest, highest, alphabet)
    return allowed if code.missing is None or not missing else _with_missing(allowed, code)


def limits_within(field: Field, low: Value, high: Value) -> tuple[Value, Value] | None:
    """Return the smallest and largest value of a field in [low, high], None for that of the domain; None if there is no value.

    Args:
        field: an ordered field.
        low: smallest value, or None for no bound; it may lie outside the domain or between its values.
        high: largest value, likewise.
    """
    least: Any = field.minimum
    most: Any = field.maximum
    if (low is not None and low > most) or (high is not None and high < least):  # type: ignore[operator]  # values of one field
        return None
    bottom = None if low is None or low <= least else field.kind.round_inward(field, low, up=True)  # type: ignore[operator]
    top = None if high is None or high >= most else field.kind.round_inward(field, high, up=False)  # type: ignore[operator]
    if (least if bottom is None else bottom) > (most if top is None else top):
        return None
    return bottom, top


def _with_missing(present: Node | None, code: FieldCode) -> Node:
    """Return the automaton of some present values and the missing one."""
    assert code.missing is not None
    edges = present.edges if present is not None else {}
    weights = None if present is None or present.weights is None else {**present.weights, code.missing: 0.0}
    return Node({**edges, code.missing: END}, weights)


def next_value(bound: Any, *, up: bool) -> Any:
    """Return the next representable value above (`up`) or below `bound`, which turns `>` into `>=`."""
    if isinstance(bound, time):
        beside = on_day(bound) + (SMALLEST_STEP if up else -SMALLEST_STEP)
        return beside.time() if beside.date() == DAY.date() else bound
    if isinstance(bound, datetime | timedelta):
        return bound + SMALLEST_STEP if up else bound - SMALLEST_STEP
    if isinstance(bound, int):
        return bound + 1 if up else bound - 1
    return math.nextafter(bound, math.inf if up else -math.inf)


def _signed_between(
    root: Node, low: Sequence[int] | None, high: Sequence[int] | None, alphabet: SymbolTokens
) -> Node | None:
    """Return the automaton of the numbers between two paths with signs."""
    minus, plus, zero = (alphabet.symbols[symbol] for symbol in "-+0")
    ranks = {alphabet.symbols[digit]: int(digit) for digit in "0123456789"}
    if minus not in root.edges and plus not in root.edges:
        return _between(root, low, high, ranks)
    edges: dict[int, Node] = {}
    low_sign, high_sign = (_sign(bound, minus, zero, default) for bound, default in ((low, -1), (high, 1)))
    if minus in root.edges and low_sign < 0:
        # Of two negative numbers, the one with the larger magnitude is smaller.
        negative = _between(
            root.edges[minus],
            high[1:] if high is not None and high_sign < 0 else None,
            low[1:] if low is not None else None,
            ranks,
        )
        if negative is not None:
            edges[minus] = negative
    if zero in root.edges and low_sign <= 0 <= high_sign:
        edges[zero] = root.edges[zero]
    if plus in root.edges and high_sign > 0:
        positive = _between(
            root.edges[plus],
            low[1:] if low is not None and low_sign > 0 else None,
            high[1:] if high is not None else None,
            ranks,
        )
        if positive is not None:
            edges[plus] = positive
    return Node(edges) if edges else None


def _sign(path: Sequence[int] | None, minus: int, zero: int, default: int) -> int:
    if path is None:
        return default
    return -1 if path[0] == minus else 0 if path[0] == zero else 1


def _between(
    node: Node, low: Sequence[int] | None, high: Sequence[int] | None, ranks: Mapping[int, int]
) -> Node | None:
    """Return the automaton of the paths of digits between two paths; states away from the bounds are shared."""
    if (low is None and high is None) or node.accepts:
        return node
    first = ranks[low[0]] if low is not None else 0
    last = ranks[high[0]] if high is not None else 9
    edges: dict[int, Node] = {}
    for token, then in node.edges.items():
        rank = ranks[token]
        if not first <= rank <= last:
            continue
        rest = _between(
            then,
            low[1:] if low is not None and rank == first else None,
            high[1:] if high is not None and rank == last else None,
            ranks,
        )
        if rest is not None:
            edges[token] = rest
    return Node(edges) if edges else None


def all_values(field: Field, at_most: int) -> Collection[Value] | None:
    """Return every value of a field's domain, with None for missing, or None if there are more than `at_most` values."""
    values = field.kind.values(field, at_most)
    if values is None:
        return None
    return [*values, None] if field.nullable else values
