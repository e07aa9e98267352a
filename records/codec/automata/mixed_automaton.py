"""Encoding of whole numbers in mixed units, such as hours, minutes and seconds."""

from collections.abc import Callable, Sequence

from paracosm.records.codec.automata.automaton import END, Node, TokenPath, digits, prefix_tree
from paracosm.records.codec.automata.number_automata import reader, signed, spell
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens


def mixed_code(
    low: int, high: int, radices: Sequence[int], alphabet: SymbolTokens
) -> tuple[Node, Callable[[int], list[int]], Callable[[TokenPath], int]]:
    """Return the automaton of the whole numbers in [low, high], with the conversions of a number to a path and back.

    Args:
        low: smallest number, in the smallest unit.
        high: largest number.
        radices: how many of each unit make one of the unit before it; the first unit has no limit.
        alphabet: tokens of digits and signs.
    """
    sizes = [1]
    for radix in reversed(radices):
        sizes.insert(0, sizes[0] * radix)
    widths = [len(str(max(abs(low), abs(high)) // sizes[0])), *(len(str(radix - 1)) for radix in radices)]
    read = reader(alphabet)

    def free(index: int) -> Node:
        node = END
        for position in range(len(sizes) - 1, index - 1, -1):
            node = digits(0, radices[position - 1] - 1, widths[position], alphabet.symbols, node)
        return node

    tails = [free(index) for index in range(1, len(sizes))] + [END]

    def magnitude(least: int, most: int, index: int = 0) -> Node:
        size = sizes[index]
        first, last = least // size, most // size
        if index == len(sizes) - 1:
            return digits(first, last, widths[index], alphabet.symbols)
        paths, inner = [], []
        for value in sorted({first, last}):
            start, end = least - value * size if value == first else 0, size - 1
            end = most - value * size if value == last else end
            paths.append((value, magnitude(start, end, index + 1)))
        if last - first > 1:
            inner = [(value, tails[index]) for value in range(first + 1, last)]
        tree = [(spell(f"{value:0{widths[index]}d}", alphabet), then) for value, then in (*paths, *inner)]
        return prefix_tree(tree, alphabet.stop)

    def path(value: int) -> list[int]:
        sign = "" if low >= 0 else "-" if value < 0 else "+"
        rest, texts = abs(value), []
        for size, width in zip(sizes, widths, strict=True):
            number, rest = divmod(rest, size)
            texts.append(f"{number:0{width}d}")
        return spell(sign + "".join(texts), alphabet)

    def value(tokens: TokenPath) -> int:
        text = read(tokens)
        magnitude_digits, total = text.lstrip("+-"), 0
        for size, width in zip(sizes, widths, strict=True):
            total += int(magnitude_digits[:width]) * size
            magnitude_digits = magnitude_digits[width:]
        return -total if text.startswith("-") else total

    return signed(low, high, alphabet, magnitude), path, value
