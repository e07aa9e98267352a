"""Patterns of identifiers: inference from the values of a column, and new values of the same pattern."""

from collections import Counter
from collections.abc import Collection, Iterable

import numpy as np

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMALL = "abcdefghijklmnopqrstuvwxyz"
CLASSES = {"9": DIGITS, "A": CAPITALS, "a": SMALL}
LITERALS_NEED = 10
"""Fewest values from which a character that all of them share is a literal."""
ROOM = 4
"""Least ratio of the number of values that a pattern allows to the number of values in the column."""

ASCII_SHAPES = str.maketrans(DIGITS + CAPITALS + SMALL, "9" * 10 + "A" * 26 + "a" * 26)

PatternPositions = list[tuple[str, str]]
"""Class and allowed characters of each position; a literal has the class '' and its one character."""


def shape(text: str) -> str:
    """Return `text` with 9 for every digit, A for every capital letter and a for every other letter."""
    if text.isascii():
        return text.translate(ASCII_SHAPES)
    return "".join(_class(letter) or letter for letter in text)


def infer_pattern(values: Iterable[str]) -> str:
    """Return the most common shape among `values`, as a `Field.pattern`.

    Letters and digits that all values of this shape share are literals (`VA` in `VA049`), if there are at least ten values. A
    pattern that allows fewer than four times the values is widened: literal digits become free, then digits are added.
    """
    distinct = sorted(set(values))
    shapes = Counter(shape(value) for value in distinct)
    if not shapes:
        return "9" * 8
    common = min(shapes, key=lambda candidate: (-shapes[candidate], candidate))
    alike = [value for value in distinct if shape(value) == common]
    positions: PatternPositions = []
    for letters in zip(*alike, strict=True):
        kind = _class(letters[0])
        literal = not kind or (len(alike) >= LITERALS_NEED and len(set(letters)) == 1)
        positions.append(("", letters[0]) if literal else (kind, CLASSES[kind]))
    return write_pattern(with_room(positions, ROOM * len(distinct)))


def read_pattern(pattern: str) -> PatternPositions:
    """Return the positions of a `Field.pattern`."""
    positions: PatternPositions = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            positions.append(("", next(letters, "\\")))
        else:
            positions.append((letter, CLASSES[letter]) if letter in CLASSES else ("", letter))
    return positions


def write_pattern(positions: PatternPositions) -> str:
    """Return the `Field.pattern` of some positions: the inverse of `read_pattern`."""
    return "".join(kind or (f"\\{letter}" if letter in "9Aa\\" else letter) for kind, letter in positions)


def with_room(positions: PatternPositions, values: int) -> PatternPositions:
    """Return a pattern widened until it allows `values` values: literal digits become free, from the right, then digits are added."""
    positions = list(positions)
    for index in reversed(range(len(positions))):
        if _capacity(positions) < values and _class(positions[index][1]) == "9" and not positions[index][0]:
            positions[index] = ("9", DIGITS)
    open_places = [index for index, (kind, _) in enumerate(positions) if kind]
    after = open_places[-1] + 1 if open_places else len(positions)
    while _capacity(positions) < values:
        positions.insert(after, ("9", DIGITS))
    return positions


def mint(pattern: str, count: int, *, seed: int, taken: Collection[str] = frozenset()) -> list[str]:
    """Return distinct new identifiers of a `Field.pattern`, none of them in `taken`.

    Args:
        pattern: of the identifiers; empty for eight digits.
        count: number of identifiers.
        seed: seed of the random draw.
        taken: the real values, which are never drawn.
    """
    used = set(taken)
    positions = with_room(read_pattern(pattern or "9" * 8), 2 * (count + len(used)))
    draw = np.random.default_rng(seed)
    minted: list[str] = []
    while len(minted) < count:
        columns = [
            _drawn_characters(position, index, count, draw) for index, position in enumerate(positions)
        ]
        for value in map("".join, zip(*columns, strict=True)):
            if value not in used and len(minted) < count:
                used.add(value)
                minted.append(value)
    return minted


def _drawn_characters(
    position: tuple[str, str], index: int, count: int, draw: np.random.Generator
) -> list[str]:
    allowed = _allowed(position, index)
    return [allowed[index] for index in draw.integers(len(allowed), size=count)]


def _allowed(position: tuple[str, str], index: int) -> str:
    kind, letters = position
    return letters[1:] if kind == "9" and index == 0 else letters


def _capacity(positions: PatternPositions) -> int:
    room = 1
    for index, position in enumerate(positions):
        room *= len(_allowed(position, index))
    return room


def _class(letter: str) -> str:
    if letter.isdecimal():
        return "9"
    if letter.isupper():
        return "A"
    return "a" if letter.isalpha() else ""
