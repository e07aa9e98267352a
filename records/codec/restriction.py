"""A part of a field's automaton: the encodings of some of its values, such as those that a condition or a rule leaves."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from paracosm.records.codec.automaton import END, Node
from paracosm.records.codec.datetime_automaton import moment_digits, moment_of, parts_written, round_up
from paracosm.records.codec.field_codec import FieldCode
from paracosm.records.codec.symbol_tokens import SymbolTokens
from paracosm.records.schema.schema import Field, Value

TINY = timedelta(microseconds=1)


def part_of_values(code: FieldCode, values: Iterable[Value]) -> Node | None:
    """Return the automaton of these values of the domain, None when there are none."""
    paths = [tuple(code.spell(value)) for value in values]
    if not paths:
        return None
    edges: dict[int, Node] = {}
    for path in paths:
        if not path:
            return END
        here: Any = edges
        for token in path[:-1]:
            here = here.setdefault(token, Node({})).edges
        here[path[-1]] = END
    return Node(edges)


def part_present(code: FieldCode) -> Node:
    """Return the automaton without the missing value."""
    if code.missing is None:
        return code.root
    return Node({token: then for token, then in code.root.edges.items() if token != code.missing})


def part_of_range(
    field: Field, code: FieldCode, low: Value, high: Value, alphabet: SymbolTokens, *, missing: bool
) -> Node | None:
    """Return the automaton of the values in [low, high], None when there are none.

    Args:
        field: integer, number or datetime.
        code: of the field.
        low: smallest value; None for no bound. Both need not be values of the domain.
        high: largest value.
        alphabet: the tokens of digits and signs.
        missing: whether the missing value is in it too.
    """
    least: Any = field.minimum
    most: Any = field.maximum
    outside = (low is not None and low > most) or (high is not None and high < least)
    bottom = None if outside or low is None or low <= least else inward(field, low, up=True)
    top = None if outside or high is None or high >= most else inward(field, high, up=False)
    present = part_present(code)
    if outside or (least if bottom is None else bottom) > (most if top is None else top):
        part = None
    elif not present.edges or alphabet.stop in present.edges:
        # The domain has one value, which no token tells.
        part = present
    else:
        lowest, highest = (None if bound is None else tuple(code.path(bound)) for bound in (bottom, top))
        part = _between_signed(present, lowest, highest, alphabet)
    if code.missing is None or not missing:
        return part
    return Node({**(part.edges if part is not None else {}), code.missing: END})


def inward(field: Field, bound: Any, *, up: bool) -> Any:
    """Return the value on the field's grid that is nearest to `bound` from above (`up`) or from below."""
    if field.type == "datetime":
        parts = parts_written(field.format)
        return round_up(bound, parts) if up else moment_of(moment_digits(bound, parts), parts)
    rounding = ROUND_CEILING if up else ROUND_FLOOR
    if field.type == "integer":
        return math.ceil(bound) if up else math.floor(bound)
    exact = Decimal(repr(float(bound)))
    place = exact.adjusted() - field.scientific + 1 if field.scientific else -field.decimals
    return float(exact.quantize(Decimal(1).scaleb(place), rounding=rounding)) + 0.0


def beyond(bound: Any, *, up: bool) -> Any:
    """Return the least step above (`up`) or below `bound`: turns `>` into `>=`."""
    if isinstance(bound, datetime):
        return bound + TINY if up else bound - TINY
    if isinstance(bound, int):
        return bound + 1 if up else bound - 1
    return math.nextafter(bound, math.inf if up else -math.inf)


def _between_signed(
    root: Node, low: Sequence[int] | None, high: Sequence[int] | None, alphabet: SymbolTokens
) -> Node | None:
    minus, plus, zero = (alphabet.symbols[symbol] for symbol in "-+0")
    ranks = {alphabet.symbols[digit]: int(digit) for digit in "0123456789"}
    if minus not in root.edges and plus not in root.edges:
        return _between(root, low, high, ranks)
    edges: dict[int, Node] = {}
    low_sign, high_sign = (_sign(bound, minus, zero, default) for bound, default in ((low, -1), (high, 1)))
    if minus in root.edges and low_sign < 0:
        # Below zero the larger magnitude is the smaller number.
        part = _between(
            root.edges[minus],
            high[1:] if high is not None and high_sign < 0 else None,
            low[1:] if low is not None else None,
            ranks,
        )
        if part is not None:
            edges[minus] = part
    if zero in root.edges and low_sign <= 0 <= high_sign:
        edges[zero] = root.edges[zero]
    if plus in root.edges and high_sign > 0:
        part = _between(
            root.edges[plus],
            low[1:] if low is not None and low_sign > 0 else None,
            high[1:] if high is not None else None,
            ranks,
        )
        if part is not None:
            edges[plus] = part
    return Node(edges) if edges else None


def _sign(path: Sequence[int] | None, minus: int, zero: int, default: int) -> int:
    if path is None:
        return default
    return -1 if path[0] == minus else 0 if path[0] == zero else 1


def _between(
    node: Node, low: Sequence[int] | None, high: Sequence[int] | None, ranks: Mapping[int, int]
) -> Node | None:
    """Keep the paths of digits between two paths; what is off both bounds is shared, not copied."""
    if (low is None and high is None) or node.accepts:
        return node
    first = ranks[low[0]] if low is not None else 0
    last = ranks[high[0]] if high is not None else 9
    edges: dict[int, Node] = {}
    for token, then in node.edges.items():
        rank = ranks[token]
        if not first <= rank <= last:
            continue
        part = _between(
            then,
            low[1:] if low is not None and rank == first else None,
            high[1:] if high is not None and rank == last else None,
            ranks,
        )
        if part is not None:
            edges[token] = part
    return Node(edges) if edges else None


def all_values(field: Field, at_most: int) -> Collection[Value] | None:
    """Return every value of a field's domain, missing included, or None when there are more than `at_most`."""
    match field.type:
        case "category":
            values: list[Value] = list(field.categories)
        case "boolean":
            values = [True, False]
        case "integer":
            assert isinstance(field.minimum, int)
            assert isinstance(field.maximum, int)
            if field.maximum - field.minimum >= at_most:
                return None
            values = list(range(field.minimum, field.maximum + 1))
        case _:
            return None
    if len(values) > at_most:
        return None
    return [*values, None] if field.nullable else values
