"""Detection of the format of a column of numbers: notation, decimals, padding and unit."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any

from paracosm.records.formats.numbers.affixes import ends_in_mark, is_unit, marks_between, signs_of
from paracosm.records.formats.numbers.notation import (
    PROGRAMS,
    Notation,
    in_convention,
    is_convention,
    notation_of,
)
from paracosm.records.formats.numbers.written import (
    INT64,
    MOST_DECIMALS,
    MOST_FIXED_DIGITS,
    PLAIN,
    NumberFormat,
    gives_back,
    significant_digits,
)

MOST_PADDED_DIGITS = 18
LONGEST_WHOLE = 40
"""Digits of the longest whole number that is read, with the zeros that pad it; 64 bits hold 19 digits."""
MOST_UNITS = 6
"""Most pairs of what stands before and after the digits: signs, each with and without a bare decimal mark."""
SAMPLE = 200
"""Cells that a format has to fit before all cells are read."""
PARTS = re.compile(
    r"(?P<before>\D{0,12}?)(?P<body>\d(?:[\d.,' \u00a0\u202f\u2009\u2019]*\d)?(?:[eE][+-]?\d+)?)(?P<after>\D{0,16})",
    re.DOTALL | re.ASCII,
)
FIXED = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
GROUPED = re.compile(r"-?\d{1,3}(?:\.\d{3})*", re.ASCII)
EXPONENT = re.compile(r"-?\d(?:\.(\d+))?([eE])[+-]?\d+", re.ASCII)


def integer_formats(cells: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Return formats that may read and give back every cell as an integer, preferred first."""
    yield from (attributes for whole, attributes in _formats(cells) if whole)


def number_formats(cells: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Return formats that may read and give back every cell as a number, preferred first."""
    yield from (attributes for whole, attributes in _formats(cells) if not whole)


def integer_format(cells: Iterable[str], picture: str | None = None) -> dict[str, Any] | None:
    """Return the `Field` attributes that read every cell as an integer and give it back, or None.

    A column of cells such as `233.0` (a table that once was converted to floats)
    is an integer with the suffix `.0`.

    Args:
        cells: the distinct cells.
        picture: notation that the recipe declares.
    """
    return _best(list(cells), picture, whole=True)


def number_format(cells: Iterable[str], picture: str | None = None) -> dict[str, Any] | None:
    """Return the `Field` attributes that read every cell as a number, or None.

    Formats that give back every cell come first. The format is fixed point with the most decimals that occur. If that takes more
    than 12 decimals or 15 digits, it is scientific with the significant digits that the values need.

    Args:
        cells: the distinct cells.
        picture: notation that the recipe declares.
    """
    return _best(list(cells), picture, whole=False)


def is_quantity(cell: str) -> bool:
    """Return whether a cell alone looks like a number, possibly with a unit after it, a currency or a sign."""
    match = PARTS.fullmatch(cell)
    return match is not None and not (match["before"][:1].isalpha() and not is_unit(match["before"], ""))


def is_infinite(cell: str) -> bool:
    """Return whether `cell` is an infinity or a number too large for a float."""
    if INFINITE.fullmatch(cell):
        return True
    return PLAIN.fullmatch(cell) is not None and abs(float(cell)) == float("inf")


def _best(cells: list[str], picture: str | None, *, whole: bool) -> dict[str, Any] | None:
    if not cells:
        return None
    formats = _formats(cells) if picture is None else _declared(cells, picture)
    candidates = [attributes for is_whole, attributes in formats if is_whole == whole]
    for attributes in candidates:
        form = NumberFormat(**attributes)
        if all(gives_back(form, cell, whole=whole) for cell in cells):
            return attributes
    return candidates[0] if candidates and not whole else None


def _declared(cells: list[str], picture: str) -> Iterator[tuple[bool, dict[str, Any]]]:
    if is_convention(picture):
        if all(PLAIN.fullmatch(cell) for cell in cells):
            yield from _convention_formats(cells, [picture])
        return
    notation = notation_of(picture)
    try:
        plain = [notation.plain(cell) for cell in cells]
    except ValueError:
        return
    yield from _fixed_formats(plain, notation)


def _formats(cells: Sequence[str]) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Return whether a format is of integers, and its attributes, preferred first."""
    if any(PARTS.fullmatch(cell) is None for cell in islice(cells, SAMPLE)):
        return
    if all(map(FIXED.fullmatch, cells)):
        yield from _fixed_formats(cells, Notation())
        yield from _number_groups(cells)
        return
    bodies, units = set(), set()
    for cell in cells:
        match = PARTS.fullmatch(cell)
        if match is None:
            return
        before, body, after = match.groups()
        units.add((before, after))
        if len(units) > MOST_UNITS:
            return
        bodies.add(body)
    bare = [before[-1] for before, _ in units if ends_in_mark(before)]
    units = {(before[:-1] if ends_in_mark(before) else before, after) for before, after in units}
    separators = set("".join(bodies)) - set("0123456789")
    signs = signs_of(units)
    if signs is None:
        return
    if separators & set("eE"):
        if units <= {("", ""), ("-", "")}:
            yield from _convention_formats(cells, ["", *_printf(cells), *PROGRAMS])
        return
    for mark, grouping, indian in marks_between(separators | set(bare), bodies):
        notation = Notation(mark, grouping, indian, bool(bare), "", *signs)
        try:
            plain = [notation.plain(cell) for cell in cells]
        except ValueError:
            continue
        yield from _fixed_formats(plain, notation)


def _number_groups(cells: Sequence[str]) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Return the format of whole numbers with points between thousands, if all cells may be such numbers."""
    if all(map(GROUPED.fullmatch, cells)) and any("." in cell for cell in cells):
        notation = Notation(",", ".")
        yield from _fixed_formats([cell.replace(".", "") for cell in cells], notation)


def _fixed_formats(plain: Sequence[str], notation: Notation) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Return the formats of numbers in plain notation: as integers where they are, then as numbers."""
    parts = [number.removeprefix("-").partition(".") for number in plain]
    fractions = {fraction for _, _, fraction in parts}
    zeros = next(iter(fractions)) if len(fractions) == 1 else "1"
    if not zeros.strip("0"):
        numbers = [number.partition(".")[0] for number in plain]
        if all(map(_is_int64, numbers)):
            form = replace(notation, literal=f"{notation.mark}{zeros}") if zeros else notation
            width = 0 if zeros or form.grouping else _padded_width(numbers)
            yield True, {"width": width, **_unit(form)}
    decimals, least = max(map(len, fractions)), min(map(len, fractions))
    whole_digits = max(max(len(whole.lstrip("0")), 1) for whole, _, _ in parts)
    unit = _unit(notation)
    if decimals <= MOST_DECIMALS and whole_digits + decimals <= MOST_FIXED_DIGITS:
        least = least if least < decimals else 0
        trim = min(map(len, fractions)) < decimals
        yield False, {"decimals": decimals, "trim": trim, "least_decimals": least, **unit}
    elif unit["format"]:
        digits = max(significant_digits(float(number)) for number in plain)
        yield False, {"scientific": digits, **unit}
    elif decimals:
        yield from _convention_formats(plain, ["", *_printf(plain), *PROGRAMS], unit)


def _is_int64(number: str) -> bool:
    # The length comes first, because Python refuses to read thousands of digits. A cell such as `.0` has no digit here.
    digits = number.removeprefix("-")
    return 0 < len(digits) <= LONGEST_WHOLE and -INT64 <= int(number) < INT64


def _printf(cells: Sequence[str]) -> list[str]:
    """Return the printf formats that may write numbers some of which have an exponent."""
    matches = [match for cell in islice(cells, SAMPLE) if (match := EXPONENT.fullmatch(cell))]
    forms = {f"%.{len(match[1] or '')}{match[2]}" for match in matches}
    letter = "G" if any("E" in cell for cell in cells) else "g"
    exponents = [pad + form[1:] for form in forms for pad in ("%", "%-")] if len(forms) == 1 else []
    return [*exponents, f"%.17{letter}", f"%.15{letter}", f"%.6{letter}"]


def _convention_formats(
    numbers: Sequence[str], conventions: Sequence[str], unit: dict[str, Any] | None = None
) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Return the formats under conventions of programs that write all numbers as they are, and one that merely reads them.

    Args:
        numbers: numbers in plain notation, possibly with an exponent.
        conventions: conventions to try; an empty one is that of Python.
        unit: prefix and suffix.
    """
    values = [float(number) for number in numbers]
    if any(abs(value) == float("inf") for value in values):
        return
    unit = unit or {"prefix": "", "suffix": "", "format": ""}
    exact = [Decimal(number).normalize() for number in numbers]
    decimals = max(max(-int(value.as_tuple().exponent) for value in exact), 0)
    whole_digits = max(max(value.adjusted() + 1, 1) for value in exact)
    digits: dict[str, Any] = {"scientific": max(map(significant_digits, values))}
    is_fixed = decimals <= MOST_DECIMALS and whole_digits + decimals <= MOST_FIXED_DIGITS
    fixed = {"decimals": decimals, "trim": decimals > 0, "least_decimals": 0} if is_fixed else digits
    for convention in conventions:
        if all(
            (in_convention(value, convention) if convention else repr(value)) == number
            for value, number in zip(values, numbers, strict=True)
        ):
            # A field with an empty format and fixed decimals is written without exponents.
            form = convention or ("python" if is_fixed else "")
            yield False, {**fixed, **unit, "format": form}
    yield False, {**fixed, **unit}


def _unit(notation: Notation) -> dict[str, Any]:
    """Return prefix and suffix where these say everything about the notation, else its picture."""
    before, after = notation.positive
    simple = (
        notation.mark == "."
        and not notation.grouping
        and not notation.bare
        and notation.zero == notation.positive
        and notation.negative == (f"{before}-", after)
    )
    if simple:
        return {"prefix": before, "suffix": notation.literal + after, "format": ""}
    return {"prefix": "", "suffix": "", "format": notation.picture()}


def _padded_width(numbers: Sequence[str]) -> int:
    widths = {len(number) for number in numbers}
    width = widths.pop()
    padded = (
        not widths
        and 1 < width <= MOST_PADDED_DIGITS
        and all(number.isdecimal() for number in numbers)
        and any(number[0] == "0" for number in numbers)
    )
    return width if padded else 0
