"""Detection of number formats: digits, decimals, padding and unit of a column of integers or numbers."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

MOST_DECIMALS = 12
MOST_FIXED_DIGITS = 15
MOST_PADDED_DIGITS = 18
INT64 = 2**63

CURRENCIES = {"USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "US$", "R$", "Rs", "kr"}
UNIT = re.compile(
    r"(?P<prefix>[^\d+\-.]{0,12})(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?P<suffix>(?:[^\d.,:;/\-][^\d]{0,15})?)",
    re.DOTALL | re.ASCII,
)
WHOLE = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)


def integer_format(cells: Iterable[str]) -> dict[str, Any] | None:
    """Return the `Field` attributes (prefix, suffix, width) that read every cell as an integer, or None.

    A column of cells such as `233.0` (a table that once was converted to floats) is an integer with the suffix `.0`.
    """
    parts = _parts(cells)
    if parts is None:
        return None
    prefix, numbers, suffix = parts
    numbers, zeros = _without_zero_fraction(numbers)
    if all(WHOLE.fullmatch(number) for number in numbers) and "-0" not in numbers:
        width = 0
    elif not zeros and (width := _padded_width(numbers)):
        pass
    else:
        return None
    if any(not -INT64 <= int(number) < INT64 for number in numbers):
        return None
    return {"prefix": prefix, "suffix": zeros + suffix, "width": width}


def number_format(cells: Iterable[str]) -> dict[str, Any] | None:
    """Return the `Field` attributes (unit and decimals or significant digits) that read every cell as a number, or None.

    The format is fixed point with the most decimals that occur. If that takes more than 12 decimals or 15 digits, it is
    scientific with the significant digits that the values need.
    """
    parts = _parts(cells)
    if parts is None:
        return None
    prefix, numbers, suffix = parts
    if any(float(number) in (float("inf"), float("-inf")) for number in numbers):
        return None
    exact = [Decimal(number) for number in numbers]
    decimals = max(_decimals(number, value) for number, value in zip(numbers, exact, strict=True))
    whole_digits = max(max(value.adjusted() + 1, 1) for value in exact)
    unit = {"prefix": prefix, "suffix": suffix}
    if decimals > MOST_DECIMALS or whole_digits + decimals > MOST_FIXED_DIGITS:
        return unit | {"scientific": max(significant_digits(float(number)) for number in numbers)}
    plain = [
        _decimals(number, value)
        for number, value in zip(numbers, exact, strict=True)
        if "e" not in number.lower()
    ]
    least = min(plain, default=0)
    return unit | {
        "decimals": decimals,
        "trim": least < decimals,
        "least_decimals": least if least < decimals else 0,
    }


def digits_of(text: str, prefix: str, suffix: str, expected: re.Pattern[str]) -> str:
    """Return the digits of a cell, without its unit.

    Raises:
        ValueError: the cell has another unit, or its rest does not match `expected`.
    """
    if not (text.startswith(prefix) and text.endswith(suffix)):
        raise ValueError("another unit")
    digits = text[len(prefix) : len(text) - len(suffix)]
    if not expected.fullmatch(digits):
        raise ValueError("not a number")
    return digits


def unit_words(prefix: str, suffix: str) -> str:
    """Return the unit of a column as the end of a description; empty if it has none."""
    unit = f"{prefix}{suffix}".strip()
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


def is_infinite(cell: str) -> bool:
    """Return whether `cell` is an infinity or a number too large for a float."""
    if INFINITE.fullmatch(cell):
        return True
    match = UNIT.fullmatch(cell)
    return match is not None and abs(float(match["number"])) == float("inf")


def _parts(cells: Iterable[str]) -> tuple[str, list[str], str] | None:
    """Return the common prefix, the numbers and the common suffix of all cells, or None if they differ in the unit."""
    numbers, units = [], set()
    for cell in cells:
        match = UNIT.fullmatch(cell)
        if match is None:
            return None
        numbers.append(match["number"])
        units.add((match["prefix"], match["suffix"]))
        if len(units) > 1:
            return None
    if not numbers:
        return None
    prefix, suffix = units.pop()
    return (prefix, numbers, suffix) if _is_unit(prefix) else None


def _is_unit(prefix: str) -> bool:
    return (
        not any(letter.isalpha() for letter in prefix) or prefix.strip() in CURRENCIES or prefix[-1].isspace()
    )


def _without_zero_fraction(numbers: list[str]) -> tuple[list[str], str]:
    fractions = {number.partition(".")[2] if "." in number else None for number in numbers}
    fraction = fractions.pop() if len(fractions) == 1 else None
    if not fraction or fraction.strip("0"):
        return numbers, ""
    return [number.partition(".")[0] for number in numbers], f".{fraction}"


def _padded_width(numbers: list[str]) -> int:
    widths = {len(number) for number in numbers}
    width = widths.pop()
    padded = not widths and 1 < width <= MOST_PADDED_DIGITS and all(number.isdecimal() for number in numbers)
    return width if padded else 0


def _decimals(number: str, value: Decimal) -> int:
    if "e" in number.lower():
        value = value.normalize()
    return max(-int(value.as_tuple().exponent), 0)
