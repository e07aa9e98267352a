"""Per field: how a value becomes a path through a token automaton, and back."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from paracosm.foundation.errors import DataError
from paracosm.records.codec.automaton import END, Node, Path, choices, digits
from paracosm.records.codec.datetime_automaton import moment_digits, moment_of, moments, parts_written
from paracosm.records.codec.symbol_tokens import SymbolTokens, Tokenizer, plain_tokens, single_token
from paracosm.records.schema.schema import Field, Value


@dataclass(frozen=True)
class FieldCode:
    """The closed encoding of one field: its automaton, and the way between values and paths.

    Attributes:
        root: accepts the path of every value in the field's domain and no other path.
        path: value (not None) -> whole path, forced tokens included.
        value: whole path -> value.
        missing: token that stands for a missing value, if the field is nullable.
    """

    root: Node
    path: Callable[[Value], Sequence[int]]
    value: Callable[[Path], Value]
    missing: int | None

    def read(self, path: Path) -> Value:
        return None if self.missing is not None and path == (self.missing,) else self.value(path)

    def spell(self, value: Value) -> Sequence[int]:
        return self.path(value) if value is not None else (self.missing,) if self.missing is not None else ()


def field_code(field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
    """Return the code of a field that is not free text."""
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
            code = _choice_code([(each, each) for each in field.categories], tokenizer, alphabet)
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
    """Spell each choice with the tokens of its name; the automaton keeps those that tell choices apart."""
    spelled: dict[Path, Value] = {}
    for value, name in named:
        path = tuple(plain_tokens(tokenizer, name))
        if alphabet.stop in path or path in spelled:
            # The tokenizer cannot tell this name from another one: number it.
            path += tuple(alphabet.symbols[digit] for digit in str(len(spelled)))
            path = tuple(token for token in path if token != alphabet.stop)
        while path in spelled:
            path += (alphabet.symbols["0"],)
        spelled[path] = value
    root = choices([(path, END) for path in _shortest_distinct(list(spelled))], alphabet.stop)
    whole = {_followed(root, path, alphabet.stop): value for path, value in spelled.items()}
    back = {value: path for path, value in whole.items()}
    return FieldCode(root, back.__getitem__, whole.__getitem__, None)


def _shortest_distinct(paths: list[Path]) -> list[Path]:
    """Cut each path after the token that tells it from all others."""
    ordered = sorted(paths)
    shared = [0, *(_common(one, other) for one, other in pairwise(ordered)), 0]
    return [path[: max(shared[i], shared[i + 1]) + 1] for i, path in enumerate(ordered)]


def _common(one: Path, other: Path) -> int:
    return next(
        (i for i, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(len(one), len(other)),
    )


def _followed(root: Node, path: Path, stop: int) -> Path:
    """Return the path through `root` that spells `path`: cut where the automaton accepts, stopped where it goes on."""
    node = root
    for length, token in enumerate(path):
        if node.accepts:
            return path[:length]
        node = node.edges[token]
    return path if node.accepts else (*path, stop)


def _signed(low: int, high: int, alphabet: SymbolTokens, magnitude: Callable[[int, int], Node]) -> Node:
    """Return sign, then magnitude; no sign when nothing is negative. There is no minus zero."""
    if low >= 0:
        return magnitude(low, high)
    edges = {alphabet.symbols["-"]: magnitude(max(1, -high), -low)}
    if high >= 0:
        edges[alphabet.symbols["+"]] = magnitude(0, high)
    return Node(edges)


def _spell(text: str, alphabet: SymbolTokens) -> list[int]:
    return [alphabet.symbols[symbol] for symbol in text]


def _reader(alphabet: SymbolTokens) -> Callable[[Path], str]:
    letters = {token: symbol for symbol, token in alphabet.symbols.items()}
    return lambda path: "".join(letters[token] for token in path)


def _whole_number_code(
    low: int, high: int, alphabet: SymbolTokens
) -> tuple[Node, Callable[[int], list[int]], Callable[[Path], int]]:
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
    """Write a number as the integer that it is in units of its last decimal."""
    unit = 10**field.decimals
    low, high = math.ceil(_scaled(field.minimum, unit)), math.floor(_scaled(field.maximum, unit))
    root, path, value = _whole_number_code(low, high, alphabet)

    def whole(number: Value) -> list[int]:
        return path(round(_scaled(number, unit)))

    def number(tokens: Path) -> float:
        # Dividing correctly rounded integers gives the float nearest to the decimal, as reading its text would.
        return value(tokens) / unit

    return FieldCode(root, whole, number, None)


def _scaled(number: Value, unit: int) -> Decimal:
    # In decimals, because a product of doubles can land beside the whole number that it stands for.
    return Decimal(repr(number)) * unit


def _scientific_code(field: Field, alphabet: SymbolTokens) -> FieldCode:
    """Write sign, decimal exponent, significant digits; zero is the symbol `0` alone."""
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
        exponent, mantissa = _split(abs(value), count)
        return _spell(f"{'-' if value < 0 else '+'}{exponent + OFFSET:03d}{mantissa:0{count}d}", alphabet)

    def value(tokens: Path) -> float:
        text = read(tokens)
        if text == "0":
            return 0.0
        return float(f"{text[0]}{text[4]}.{text[5:] or '0'}e{int(text[1:4]) - OFFSET}")

    return FieldCode(Node(edges), path, value, None)


OFFSET = 400  # makes every decimal exponent of a double a positive three-digit number


def _split(value: float, count: int) -> tuple[int, int]:
    mantissa, exponent = f"{value:.{count - 1}e}".split("e")
    return int(exponent), int(mantissa.replace(".", ""))


def _magnitudes(low: float, high: float, count: int, alphabet: SymbolTokens) -> Node:
    """Return exponent and significant digits of all numbers of `count` digits in [low, high], low >= 0, zero left out."""
    least, most = 10 ** (count - 1), 10**count - 1
    low_exponent, low_mantissa = _split(low, count) if low > 0 else (-323, least)
    high_exponent, high_mantissa = _split(high, count)
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
    return choices(paths, alphabet.stop)


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
