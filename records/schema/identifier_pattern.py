"""Identifiers: the shape of a column's values, and fresh values of that shape."""

from collections import Counter
from collections.abc import Collection, Iterable

import numpy as np

from paracosm.records.schema.schema import Field

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMALL = "abcdefghijklmnopqrstuvwxyz"
CLASSES = {"9": DIGITS, "A": CAPITALS, "a": SMALL}
LITERALS_NEED = 10
ROOM = 4

Places = list[tuple[str, str]]
"""Per character: its class and the allowed characters; a literal has class '' and itself."""


def shape(text: str) -> str:
    """Return `text` with 9 for every digit, A for every capital and a for every other letter."""
    return "".join(_class(letter) or letter for letter in text)


def infer_pattern(values: Iterable[str]) -> str:
    """Return the most common shape among `values`, as a `Field.pattern`.

    Letters and digits that all values of that shape share stay as they are (`VA` in `VA049`), when there are at least ten.
    A pattern with room for fewer than four times the values is widened: digits that all share are drawn too, then digits are added.
    """
    distinct = sorted(set(values))
    shapes = Counter(shape(value) for value in distinct)
    if not shapes:
        return "9" * 8
    common = min(shapes, key=lambda each: (-shapes[each], each))
    alike = [value for value in distinct if shape(value) == common]
    places: Places = []
    for letters in zip(*alike, strict=True):
        kind = _class(letters[0])
        literal = not kind or (len(alike) >= LITERALS_NEED and len(set(letters)) == 1)
        places.append(("", letters[0]) if literal else (kind, CLASSES[kind]))
    return write_pattern(with_room(places, ROOM * len(distinct)))


def read_pattern(pattern: str) -> Places:
    """Return the places of a `Field.pattern`."""
    places: Places = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            places.append(("", next(letters, "\\")))
        else:
            places.append((letter, CLASSES[letter]) if letter in CLASSES else ("", letter))
    return places


def write_pattern(places: Places) -> str:
    """Return the `Field.pattern` of `places`."""
    return "".join(kind or (f"\\{letter}" if letter in "9Aa\\" else letter) for kind, letter in places)


def with_room(places: Places, values: int) -> Places:
    """Return `places`, widened until it has room for `values` values: literal digits are opened, from the right, then digits added."""
    places = list(places)
    for at in reversed(range(len(places))):
        if _capacity(places) < values and _class(places[at][1]) == "9" and not places[at][0]:
            places[at] = ("9", DIGITS)
    open_places = [at for at, (kind, _) in enumerate(places) if kind]
    after = open_places[-1] + 1 if open_places else len(places)
    while _capacity(places) < values:
        places.insert(after, ("9", DIGITS))
    return places


def mint(field: Field, count: int, *, seed: int, taken: Collection[str] = frozenset()) -> list[str]:
    """Return `count` new identifiers of the field's shape: distinct, and none of them in `taken`.

    Args:
        field: an identifier; its pattern says the shape.
        count: how many to make.
        seed: of the draw.
        taken: the real values, which are never made again.
    """
    used = set(taken)
    places = with_room(read_pattern(field.pattern or "9" * 8), 2 * (count + len(used)))
    draw = np.random.default_rng(seed)
    minted: list[str] = []
    while len(minted) < count:
        columns = [_letters(place, at, count, draw) for at, place in enumerate(places)]
        for value in map("".join, zip(*columns, strict=True)):
            if value not in used and len(minted) < count:
                used.add(value)
                minted.append(value)
    return minted


def _letters(place: tuple[str, str], at: int, count: int, draw: np.random.Generator) -> list[str]:
    allowed = _allowed(place, at)
    return [allowed[index] for index in draw.integers(len(allowed), size=count)]


def _allowed(place: tuple[str, str], at: int) -> str:
    kind, letters = place
    return letters[1:] if kind == "9" and at == 0 else letters


def _capacity(places: Places) -> int:
    room = 1
    for at, place in enumerate(places):
        room *= len(_allowed(place, at))
    return room


def _class(letter: str) -> str:
    if letter.isdecimal():
        return "9"
    if letter.isupper():
        return "A"
    return "a" if letter.isalpha() else ""
