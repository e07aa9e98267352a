"""Encodings of numbers: whole numbers of a fixed width, and numbers with significant digits and an exponent."""

from collections.abc import Callable
from typing import Any

from paracosm.records.codec.automata.automaton import END, Node, TokenPath, digits, prefix_tree
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens

OFFSET = 400
"""Added to a decimal exponent, which makes that of every double a positive number of three digits."""


def signed(low: int, high: int, alphabet: SymbolTokens, magnitude: Callable[[int, int], Node]) -> Node:
    """Return the automaton of a sign and a magnitude, without a sign if no value is negative; there is no minus zero."""
    if low >= 0:
        return magnitude(low, high)
    edges = {alphabet.symbols["-"]: magnitude(max(1, -high), -low)}
    if high >= 0:
        edges[alphabet.symbols["+"]] = magnitude(0, high)
    return Node(edges)


def spell(text: str, alphabet: SymbolTokens) -> list[int]:
    """Return the tokens of digits and signs."""
    return [alphabet.symbols[symbol] for symbol in text]


def reader(alphabet: SymbolTokens) -> Callable[[TokenPath], str]:
    """Return the function that turns tokens of digits and signs into text: the inverse of `spell`."""
    letters = {token: symbol for symbol, token in alphabet.symbols.items()}
    return lambda path: "".join(letters[token] for token in path)


def whole_number_code(
    low: int, high: int, alphabet: SymbolTokens
) -> tuple[Node, Callable[[int], list[int]], Callable[[TokenPath], int]]:
    """Return the automaton of the whole numbers in [low, high], with the conversions of a number to a path and back."""
    width = len(str(max(abs(low), abs(high))))
    root = signed(low, high, alphabet, lambda first, last: digits(first, last, width, alphabet.symbols))
    read = reader(alphabet)

    def path(value: int) -> list[int]:
        sign = "" if low >= 0 else "-" if value < 0 else "+"
        return spell(f"{sign}{abs(value):0{width}d}", alphabet)

    return root, path, lambda tokens: int(read(tokens))


def scientific_code(low: float, high: float, count: int, alphabet: SymbolTokens) -> FieldCode:
    """Return the encoding of a number as sign, decimal exponent and significant digits; zero is the symbol `0` alone.

    Args:
        low: smallest number.
        high: largest number.
        count: significant digits.
        alphabet: tokens of digits and signs.
    """
    symbols = alphabet.symbols
    zero = symbols["0"]
    edges: dict[int, Node] = {zero: END}
    if high > 0:
        edges[symbols["+"]] = _magnitudes(max(low, 0.0), high, count, alphabet)
    if low < 0:
        edges[symbols["-"]] = _magnitudes(max(-high, 0.0), -low, count, alphabet)
    if not low <= 0 <= high:
        del edges[zero]
    read = reader(alphabet)

    def path(value: Any) -> list[int]:
        assert isinstance(value, float)
        if value == 0:
            return [zero]
        exponent, mantissa = _exponent_and_digits(abs(value), count)
        return spell(f"{'-' if value < 0 else '+'}{exponent + OFFSET:03d}{mantissa:0{count}d}", alphabet)

    def value(tokens: TokenPath) -> float:
        text = read(tokens)
        if text == "0":
            return 0.0
        return float(f"{text[0]}{text[4]}.{text[5:] or '0'}e{int(text[1:4]) - OFFSET}")

    return FieldCode(Node(edges), path, value, None)


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
            paths.append((spell(f"{exponent + OFFSET:03d}", alphabet), then))
    return prefix_tree(paths, alphabet.stop)
