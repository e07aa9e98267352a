"""Formats of numbers: notation, decimals, padding and unit of a column, and how its cells are read and written."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol
from unicodedata import category

from paracosm.records.formats.number_notation import (
    MARKS,
    PROGRAMS,
    Notation,
    in_convention,
    is_convention,
    notation_of,
)

MOST_DECIMALS = 12
MOST_FIXED_DIGITS = 15
MOST_PADDED_DIGITS = 18
INT64 = 2**63
LONGEST_WHOLE = 40
"""Digits of the longest whole number that is read, with the zeros that pad it; 64 bits hold 19 digits."""
MOST_UNITS = 6
"""Most pairs of what stands before and after the digits: signs, each with and without a bare decimal mark."""
SAMPLE = 200
"""Cells that a format has to fit before all cells are read."""

CURRENCIES = frozenset(
    re.findall(
        r"\S+",
        "USD EUR GBP CHF JPY CNY INR AUD CAD NZD SEK NOK DKK PLN CZK HUF RON BGN TRY RUB UAH ZAR BRL MXN ARS CLP COP KRW"
        " TWD HKD SGD THB IDR MYR PHP VND ILS AED SAR EGP NGN KES US$ R$ A$ C$ NZ$ HK$ Rs Rs. kr kr. Fr. Fr zł Kč Ft RM"
        " Rp",
    )
)
SPACES = " \u00a0\u202f\u2009"
GROUPING = (*SPACES, "'", "\u2019")
MINUS = "-\u2212"
PARTS = re.compile(
    r"(?P<before>\D{0,12}?)(?P<body>\d(?:[\d.,' \u00a0\u202f\u2009\u2019]*\d)?(?:[eE][+-]?\d+)?)(?P<after>\D{0,16})",
    re.DOTALL | re.ASCII,
)
PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
FIXED = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
GROUPED = re.compile(r"-?\d{1,3}(?:\.\d{3})*", re.ASCII)
EXPONENT = re.compile(r"-?\d(?:\.(\d+))?([eE])[+-]?\d+", re.ASCII)
UNIT_START = ".,:;/-+\u2212#"
"""What a unit after the digits does not begin with."""


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
    # Adding 0.0 turns -0.0 into 0.0, so that zero has one form.
    return (value if field.scientific else round(value, field.decimals)) + 0.0


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
    """Return whether a cell is written again as it was read, apart from the sign of a zero (`-0.0`).

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
    return write_number(field, value) == cell or (value == 0 and write_number(field, -0.0) == cell)


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


def is_quantity(cell: str) -> bool:
    """Return whether a cell alone looks like a number, possibly with a unit after it, a currency or a sign."""
    match = PARTS.fullmatch(cell)
    return match is not None and not (match["before"][:1].isalpha() and not _is_unit(match["before"], ""))


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


def _digits(field: Written, text: str, expected: re.Pattern[str]) -> str:
    if field.format and not is_convention(field.format):
        return notation_of(field.format).plain(text)
    if not (text.startswith(field.prefix) and text.endswith(field.suffix)):
        raise ValueError("another unit")
    digits = text[len(field.prefix) : len(text) - len(field.suffix)]
    if not expected.fullmatch(digits):
        raise ValueError("not a number")
    return digits


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
    bare = [before[-1] for before, _ in units if _ends_in_mark(before)]
    units = {(before[:-1] if _ends_in_mark(before) else before, after) for before, after in units}
    separators = set("".join(bodies)) - set("0123456789")
    signs = _signs(units)
    if signs is None:
        return
    if separators & set("eE"):
        if units <= {("", ""), ("-", "")}:
            yield from _convention_formats(cells, ["", *_printf(cells), *PROGRAMS])
        return
    for mark, grouping, indian in _marks(separators | set(bare), bodies):
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


def _ends_in_mark(before: str) -> bool:
    """Return whether a number begins with its decimal mark (`-.5`); the point of `Rs.5` belongs to the unit."""
    return before[-1:] in (".", ",") and not before[-2:-1].isalpha()


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


def _marks(separators: set[str], bodies: set[str]) -> list[tuple[str, str, bool]]:
    """Return decimal mark, grouping mark and whether groups are Indian, as they may explain the marks between digits."""
    groups, marks = separators & set(GROUPING), separators & set(MARKS)
    if separators - groups - marks or len(groups) > 1 or len(groups) + len(marks) > 2:
        return []
    if groups:
        return [(marks.pop() if marks else ".", groups.pop(), False)]
    if not marks:
        return [(".", "", False)]
    if len(marks) == 2:
        both = next((body for body in bodies if "." in body and "," in body), "")
        pairs = [(".", ","), (",", ".")]
        if both:
            pairs = [pair for pair in pairs if both.rfind(pair[0]) > both.rfind(pair[1])]
        return [(mark, group, indian) for mark, group in pairs for indian in (False, True)]
    if marks == {"."}:
        return [(".", "", False), (",", ".", False)]
    return [(".", ",", False), (".", ",", True), (",", "", False)]


def _signs(
    units: set[tuple[str, str]],
) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]] | None:
    """Return what stands before and after positive numbers, negative ones and zero, or None if the units differ."""
    roles: dict[str, tuple[str, str]] = {}
    bare_units = set()
    for before, after in units:
        role, unit = _role(before, after, alone=len(units) == 1)
        if role in roles:
            return None
        roles[role] = (before, after)
        bare_units.add(unit)
    if len(bare_units) != 1 or not _is_unit(*bare_units.pop()):
        return None
    if "plus" in roles:
        positive = roles["plus"]
        zero = roles.get("plain", positive)
        negative = roles.get("minus", (positive[0].replace("+", "-", 1), positive[1].replace("+", "-", 1)))
        return positive, negative, zero
    if "plain" in roles:
        positive = roles["plain"]
        return positive, roles.get("minus", (f"{positive[0]}-", positive[1])), positive
    before, after = roles["minus"]
    letters = str.maketrans("", "", f"{MINUS}()")
    positive = (before.translate(letters), after.translate(letters))
    return positive, (before, after), positive


def _role(before: str, after: str, *, alone: bool) -> tuple[str, tuple[str, str]]:
    """Return the sign that affixes state, and their unit."""
    if "(" in before and after[:1] == ")" and not alone:
        return "minus", (before.replace("(", "", 1), after[1:])
    if "(" in before and ")" in after and not alone:
        return "minus", (before.replace("(", "", 1), after.replace(")", "", 1))
    for minus in MINUS:
        if minus in before:
            return "minus", (before.replace(minus, "", 1), after)
        if after[:1] == minus or after[-1:] == minus:
            return "minus", (before, after.replace(minus, "", 1))
    if "+" in before:
        return "plus", (before.replace("+", "", 1), after)
    return "plain", (before, after)


def _is_unit(before: str, after: str) -> bool:
    if after and after[0] in UNIT_START:
        return False
    name = before.strip()
    if not any(letter.isalpha() for letter in name):
        return all(letter not in UNIT_START or letter == "." for letter in name) and "%" not in name[1:]
    return name in CURRENCIES or all(category(letter) == "Sc" for letter in name)
