"""Encoding of one field: conversion between its values and paths through a token automaton."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from paracosm.foundation.errors import DataError
from paracosm.records.codec.automaton import END, Node, TokenPath, digits, prefix_tree
from paracosm.records.codec.datetime_automaton import moment_digits, moment_of, moments, parts_written
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer, plain_tokens, single_token
from paracosm.records.schema.schema import Field, Value


@dataclass(frozen=True)
class FieldCode:
    """Encoding of a field with a closed domain: its automaton, and the conversion between values and paths.

    Attributes:
        root: accepts exactly the paths of the values in the field's domain.
        path: value (not None) -> whole path, with forced tokens.
        value: whole path -> value.
        missing: token of the missing value; None if the field is not nullable.
    """

    root: Node
    path: Callable[[Value], Sequence[int]]
    value: Callable[[TokenPath], Value]
    missing: int | None

    def read(self, path: TokenPath) -> Value:
        """Return the value of a path; None for the missing value."""
        return None if self.missing is not None and path == (self.missing,) else self.value(path)

    def spell(self, value: Value) -> Sequence[int]:
        """Return the path of a value or of None."""
        return self.path(value) if value is not None else (self.missing,) if self.missing is not None else ()


def field_code(field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
    """Return the encoding of a field with a closed domain.

    Raises:
        DataError: the field is a text or an identifier.
    """
    match field.type:
        case "integer":
            code = _integer_code(field, alphabet)
        case "number":
            code = (
                _scientific_code(field, alphabet) if field.scientific else _fixed_point_code(field, alphabet)
            )
        case "datetime":
            code = _datetime_code(field, alphabet)
        case "boolean":
            code = _choice_code([(True, field.true), (False, field.false)], tokenizer, alphabet)
        case "category":
            code = _choice_code([(name, name) for name in field.categories], tokenizer, alphabet)
        case _:
            raise DataError(f"field {field.name!r} of type {field.type} has no closed encoding")
    return _with_missing(code, tokenizer, alphabet) if field.nullable else code


def _with_missing(code: FieldCode, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
    missing = single_token(tokenizer, "?", {*code.root.edges, alphabet.stop, alphabet.start})
    edges = code.root.edges or {alphabet.stop: END}
    present = (lambda value: code.path(value)) if code.root.edges else (lambda _: (alphabet.stop,))
    value = code.value if code.root.edges else (lambda _: code.value(()))
    return FieldCode(Node({**edges, missing: END}), present, value, missing)


def _choice_code(
    named: Sequence[tuple[Value, str]], tokenizer: Tokenizer, alphabet: SymbolTokens
) -> FieldCode:
    """Return the encoding of a closed list of values.

    A value is encoded as the tokens of its name, up to the token that distinguishes it from all other names.

    Args:
        named: the values, each with its name.
        tokenizer: tokenizer of the base model.
        alphabet: tokens of digits and of the stop symbol.
    """
    spelled: dict[TokenPath, Value] = {}
    for value, name in named:
        path = tuple(plain_tokens(tokenizer, name))
        if alphabet.stop in path or path in spelled:
            # The tokenizer maps two names to the same tokens, so a number distinguishes them.
            path += tuple(alphabet.symbols[digit] for digit in str(len(spelled)))
            path = tuple(token for token in path if token != alphabet.stop)
        while path in spelled:
            path += (alphabet.symbols["0"],)
        spelled[path] = value
    root = prefix_tree([(path, END) for path in _shortest_distinct(list(spelled))], alphabet.stop)
    whole = {_accepted_path(root, path, alphabet.stop): value for path, value in spelled.items()}
    back = {value: path for path, value in whole.items()}
    return FieldCode(root, back.__getitem__, whole.__getitem__, None)


def _shortest_distinct(paths: list[TokenPath]) -> list[TokenPath]:
    """Return the paths, sorted, each cut after the token that distinguishes it from all others."""
    ordered = sorted(paths)
    shared = [0, *(_common_length(first, second) for first, second in pairwise(ordered)), 0]
    return [path[: max(shared[i], shared[i + 1]) + 1] for i, path in enumerate(ordered)]


def _common_length(first: TokenPath, second: TokenPath) -> int:
    return next(
        (i for i, (left, right) in enumerate(zip(first, second, strict=False)) if left != right),
        min(len(first), len(second)),
    )


def _accepted_path(root: Node, path: TokenPath, stop: int) -> TokenPath:
    """Return the accepted path that begins like `path`: cut where the automaton accepts, else ended by `stop`."""
    node = root
    for length, token in enumerate(path):
        if node.accepts:
            return path[:length]
        node = node.edges[token]
    return path if node.accepts else (*path, stop)


def _signed(low: int, high: int, alphabet: SymbolTokens, magnitude: Callable[[int, int], Node]) -> Node:
    """Return the automaton of a sign and a magnitude, without a sign if no value is negative; there is no minus zero."""
    if low >= 0:
        return magnitude(low, high)
    edges = {alphabet.symbols["-"]: magnitude(max(1, -high), -low)}
    if high >= 0:
        edges[alphabet.symbols["+"]] = magnitude(0, high)
    return Node(edges)


def _spell(text: str, alphabet: SymbolTokens) -> list[int]:
    return [alphabet.symbols[symbol] for symbol in text]


def _reader(alphabet: SymbolTokens) -> Callable[[TokenPath], str]:
    letters = {token: symbol for symbol, token in alphabet.symbols.items()}
    return lambda path: "".join(letters[token] for token in path)


def _whole_number_code(
    low: int, high: int, alphabet: SymbolTokens
) -> tuple[Node, Callable[[int], list[int]], Callable[[TokenPath], int]]:
    width = len(str(max(abs(low), abs(high))))
    root = _signed(low, high, alphabet, lambda first, last: digits(first, last, width, alphabet.symbols))
    read = _reader(alphabet)

    def path(value: int) -> list[int]:
        sign = "" if low >= 0 else "-" if value < 0 else "+"
        return _spell(f"{sign}{abs(value):0{width}d}", alphabet)

    return root, path, lambda tokens: int(read(tokens))


def _integer_code(field: Field, alphabet: SymbolTokens) -> FieldCode:
    assert isinstance(field.minimum, int)
    assert isinstance(field.maximum, int)
    root, path, value = _whole_number_code(field.minimum, field.maximum, alphabet)
    return FieldCode(root, path, value, None)  # type: ignore[arg-type]


def _fixed_point_code(field: Field, alphabet: SymbolTokens) -> FieldCode:
    """Return the encoding of a number as an integer: its multiple of the last decimal."""
    unit = 10**field.decimals
    low, high = math.ceil(_scaled(field.minimum, unit)), math.floor(_scaled(field.maximum, unit))
    root, path, value = _whole_number_code(low, high, alphabet)

    def whole(number: Value) -> list[int]:
        return path(round(_scaled(number, unit)))

    def number(tokens: TokenPath) -> float:
        # The quotient of two exact integers is the float nearest to the decimal, as parsing its text gives.
        return value(tokens) / unit

    return FieldCode(root, whole, number, None)


def _scaled(number: Value, unit: int) -> Decimal:
    # Decimals, because a product of doubles can differ from the integer that it represents.
    return Decimal(repr(number)) * unit


def _scientific_code(field: Field, alphabet: SymbolTokens) -> FieldCode:
    """Return the encoding of a number as sign, decimal exponent and significant digits; zero is the symbol `0` alone."""
    assert isinstance(field.minimum, (int, float))
    assert isinstance(field.maximum, (int, float))
    count, symbols = field.scientific, alphabet.symbols
    zero = symbols["0"]
    edges: dict[int, Node] = {zero: END}
    if field.maximum > 0:
        edges[symbols["+"]] = _magnitudes(max(field.minimum, 0.0), field.maximum, count, alphabet)
    if field.minimum < 0:
        edges[symbols["-"]] = _magnitudes(max(-field.maximum, 0.0), -field.minimum, count, alphabet)
    if not field.minimum <= 0 <= field.maximum:
        del edges[zero]
    read = _reader(alphabet)

    def path(value: Value) -> list[int]:
        assert isinstance(value, float)
        if value == 0:
            return [zero]
        exponent, mantissa = _exponent_and_digits(abs(value), count)
        return _spell(f"{'-' if value < 0 else '+'}{exponent + OFFSET:03d}{mantissa:0{count}d}", alphabet)

    def value(tokens: TokenPath) -> float:
        text = read(tokens)
        if text == "0":
            return 0.0
        return float(f"{text[0]}{text[4]}.{text[5:] or '0'}e{int(text[1:4]) - OFFSET}")

    return FieldCode(Node(edges), path, value, None)


OFFSET = 400
"""Added to a decimal exponent, which makes that of every double a positive number of three digits."""


def _exponent_and_digits(value: float, count: int) -> tuple[int, int]:
    mantissa, exponent = f"{value:.{count - 1}e}".split("e")
    return int(exponent), int(mantissa.replace(".", ""))


def _magnitudes(low: float, high: float, count: int, alphabet: SymbolTokens) -> Node:
    """Return the automaton of the numbers with `count` significant digits in [low, high], low >= 0, without zero."""
    least, most = 10 ** (count - 1), 10**count - 1
    low_exponent, low_mantissa = _exponent_and_digits(low, count) if low > 0 else (-323, least)
    high_exponent, high_mantissa = _exponent_and_digits(high, count)
    if low > 0 and float(f"{low:.{count - 1}e}") < low:
        low_mantissa += 1
    if float(f"{high:.{count - 1}e}") > high:
        high_mantissa -= 1
    free = digits(least, most, count, alphabet.symbols)
    paths = []
    for exponent in range(low_exponent, high_exponent + 1):
        first = low_mantissa if exponent == low_exponent else least
        last = high_mantissa if exponent == high_exponent else most
        if first <= last:
            then = free if (first, last) == (least, most) else digits(first, last, count, alphabet.symbols)
            paths.append((_spell(f"{exponent + OFFSET:03d}", alphabet), then))
    return prefix_tree(paths, alphabet.stop)


def _datetime_code(field: Field, alphabet: SymbolTokens) -> FieldCode:
    assert isinstance(field.minimum, datetime)
    assert isinstance(field.maximum, datetime)
    parts = parts_written(field.format)
    root = moments(field.minimum, field.maximum, parts, alphabet.symbols, alphabet.stop)
    read = _reader(alphabet)

    def path(value: Value) -> list[int]:
        assert isinstance(value, datetime)
        return _spell(moment_digits(value, parts), alphabet)

    return FieldCode(root, path, lambda tokens: moment_of(read(tokens), parts), None)
