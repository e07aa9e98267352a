"""Reading and writing of numbers in the format of a column."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from paracosm.records.formats.numbers.notation import in_convention, is_convention, notation_of

MOST_DECIMALS = 12
MOST_FIXED_DIGITS = 15
INT64 = 2**63
PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


class Written(Protocol):
    """The attributes of a field that say how its numbers are written."""

    @property
    def prefix(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def decimals(self) -> int: ...
    @property
    def trim(self) -> bool: ...
    @property
    def least_decimals(self) -> int: ...
    @property
    def scientific(self) -> int: ...


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written; its attributes are those of a `Field`."""

    prefix: str = ""
    suffix: str = ""
    format: str = ""
    width: int = 0
    decimals: int = 0
    trim: bool = False
    least_decimals: int = 0
    scientific: int = 0


def read_number(field: Written, text: str) -> float:
    """Return the number that a cell holds, rounded to the field's decimals.

    Raises:
        ValueError: the cell is not a number in the field's notation.
    """
    value = float(_digits(field, text, PLAIN))
    if abs(value) == float("inf"):
        raise ValueError("too large")
    return value if field.scientific else round(value, field.decimals)


def write_number(field: Written, value: float) -> str:
    """Return a number in the notation of the field."""
    if field.format and is_convention(field.format):
        return f"{field.prefix}{in_convention(value, field.format)}{field.suffix}"
    if field.scientific:
        text = repr(value)
    else:
        whole, point, fraction = f"{value:.{field.decimals}f}".partition(".")
        if field.trim:
            fraction = fraction.rstrip("0").ljust(field.least_decimals, "0")
        text = f"{whole}{point if fraction else ''}{fraction}"
    return notation_of(field.format).written(text) if field.format else f"{field.prefix}{text}{field.suffix}"


def read_integer(field: Written, text: str) -> int:
    """Return the integer that a cell holds.

    Raises:
        ValueError: the cell is not an integer of 64 bits in the field's notation.
    """
    whole = int(_digits(field, text, WHOLE))
    if not -INT64 <= whole < INT64:
        raise ValueError("too large")
    return whole


def write_integer(field: Written, value: int) -> str:
    """Return an integer in the notation of the field."""
    if field.format:
        return notation_of(field.format).written(str(value))
    return f"{field.prefix}{value:0{field.width}d}{field.suffix}"


def gives_back(field: Written, cell: str, *, whole: bool) -> bool:
    """Return whether a cell is written again as it was read.

    Args:
        field: attributes of the format.
        cell: a cell of the source.
        whole: whether the field is an integer.
    """
    try:
        if whole:
            return write_integer(field, read_integer(field, cell)) == cell
        value = read_number(field, cell)
    except ValueError:
        return False
    return write_number(field, value) == cell


def notation_error(picture: str) -> str | None:
    """Return why a declared notation is not supported, or None if it is."""
    if is_convention(picture):
        return None
    try:
        notation_of(picture)
    except ValueError as error:
        return str(error)
    return None


def unit_words(field: Written) -> str:
    """Return the notation or the unit of a field as the end of a description; empty if numbers are plain."""
    if field.format:
        return f", written as {field.format}"
    unit = f"{field.prefix}{field.suffix}".strip()
    # The suffix `.0` of whole numbers such as 145.0 is not a unit.
    return f", unit {unit!r}" if unit.strip(".0") else ""


def significant_digits(value: float) -> int:
    """Return the fewest significant digits with which `value`, rounded to them, reads back as the same float."""
    shortest = len(Decimal(repr(value)).normalize().as_tuple().digits)
    # The shortest decimal of a float may lie on a tie, which rounding to as many digits resolves to its neighbour.
    return next(digits for digits in (shortest, 17) if float(f"{value:.{digits - 1}e}") == value)


def decimals_of(value: float) -> int:
    """Return the number of decimals of the shortest decimal that equals `value` as a float."""
    return max(-int(Decimal(repr(value)).normalize().as_tuple().exponent), 0)


def _digits(field: Written, text: str, expected: re.Pattern[str]) -> str:
    if field.format and not is_convention(field.format):
        return notation_of(field.format).plain(text)
    if not (text.startswith(field.prefix) and text.endswith(field.suffix)):
        raise ValueError("another unit")
    digits = text[len(field.prefix) : len(text) - len(field.suffix)]
    if not expected.fullmatch(digits):
        raise ValueError("not a number")
    return digits
