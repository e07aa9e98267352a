"""Notations of numbers: decimal mark, thousands marks, signs and unit, as the picture of one number.

A picture is how the source writes 1234567.89: `$1,234,567.89`, `1.234.567,89 €`, `12,34,567.89`, `+1234567.89%`. The digits
stand for themselves only in their marks; a fraction of zeros (`1,234,567.00`) is literal. After a semicolon stands how negative
numbers are written, if that is not a minus before the picture: `1234567.89;(1234567.89)`, `1234567.89;1234567.89-`. After a second
semicolon stands zero, if it has no plus: `+1234567;-1234567;0`. `.89` writes numbers below one without a zero before the mark.

Numbers with an exponent follow a convention: a printf format (`%.3e`, `%.17g`; `%-.3e` writes `1.500e7` rather than `1.500e+07`), or
the shortest form of `python`, `r`, `java` or `javascript`. Without a notation they are written as Python writes them.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

PRINTF = re.compile(r"%\.\d{1,2}[eEgG]|%-\.\d{1,2}[eE]")
PADDED_EXPONENT = re.compile(r"(?<=[eE])(?:\+0?|(-)0)(?=\d)")
PROGRAMS = ("python", "r", "java", "javascript")
PICTURE = re.compile(r"(?P<before>\D*?)(?P<body>[.,]?\d(?:.*\d)?)(?P<after>\D*)", re.DOTALL | re.ASCII)
MARKS = ".,"
BODY = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
R_DIGITS = 15
"""Significant digits that R writes."""
MILLIONS = "1234567"
FRACTION = "89"


@dataclass(frozen=True)
class Notation:
    """How numbers are written.

    Attributes:
        mark: decimal mark.
        grouping: mark between groups of digits, or nothing.
        indian: whether groups have two digits above the first thousand (`12,34,567`).
        bare: whether numbers below one have no zero before the mark.
        literal: decimal mark and zeros after every whole number (`.00`).
        positive: what stands before and after the digits of a positive number.
        negative: the same for a negative number.
        zero: the same for zero.
    """

    mark: str = "."
    grouping: str = ""
    indian: bool = False
    bare: bool = False
    literal: str = ""
    positive: tuple[str, str] = ("", "")
    negative: tuple[str, str] = ("-", "")
    zero: tuple[str, str] = ("", "")
    _forms: tuple[tuple[str, str, str], ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        forms = {(*self.positive, ""), (*self.negative, "-"), (*self.zero, "")}
        # The longest first, so that a minus is not taken for a part of the digits.
        object.__setattr__(
            self, "_forms", tuple(sorted(forms, key=lambda form: -len(form[0]) - len(form[1])))
        )

    def plain(self, text: str) -> str:
        """Return a number in plain notation (`-1234.5`).

        Raises:
            ValueError: the text is not a number in this notation.
        """
        for before, after, sign in self._forms:
            if text.startswith(before) and text.endswith(after):
                body = text[len(before) : len(text) - len(after)]
                if self.literal:
                    if not body.endswith(self.literal):
                        continue
                    body = body.removesuffix(self.literal)
                if self.grouping:
                    body = body.replace(self.grouping, "")
                if self.mark != ".":
                    body = body.replace(self.mark, ".") if "." not in body else "x"
                if BODY.fullmatch(body):
                    return sign + body
        raise ValueError("not a number in this notation")

    def written(self, plain: str) -> str:
        """Return a number in plain notation (`-1234.50`) as this notation writes it."""
        negative = plain[0] == "-"
        whole, _, fraction = plain.removeprefix("-").partition(".")
        if self.grouping and len(whole) > 3:
            whole = self._grouped(whole)
        if self.bare and whole == "0" and fraction.strip("0"):
            whole = ""
        body = f"{whole}{self.mark}{fraction}" if fraction else f"{whole}{self.literal}"
        if negative:
            before, after = self.negative
        elif self.zero != self.positive and not plain.strip("0."):
            before, after = self.zero
        else:
            before, after = self.positive
        return f"{before}{body}{after}"

    def _grouped(self, whole: str) -> str:
        if not self.indian:
            return f"{int(whole):,}".replace(",", self.grouping)
        head, tail = whole[:-3], whole[-3:]
        start = len(head) % 2
        groups = [head[:start]] * (start > 0) + [head[at : at + 2] for at in range(start, len(head), 2)]
        return self.grouping.join([*groups, tail])

    def picture(self) -> str:
        """Return the picture of this notation: the inverse of `notation_of`."""
        whole = "" if self.bare else self._grouped(MILLIONS) if self.grouping else MILLIONS
        body = f"{whole}{self.literal or self.mark + FRACTION}"
        positive, negative, zero = (
            f"{before}{body}{after}" for before, after in (self.positive, self.negative, self.zero)
        )
        if self.zero != self.positive:
            return f"{positive};{negative};{zero}"
        return positive if negative == _default_negative(positive) else f"{positive};{negative}"


@lru_cache(maxsize=1024)
def notation_of(picture: str) -> Notation:
    """Return the notation that a picture shows.

    Raises:
        ValueError: the picture does not show a number.
    """
    sections = picture.split(";")
    shown = PICTURE.fullmatch(sections[0])
    if shown is None or len(sections) > 3:
        raise ValueError(f"{picture!r} does not show a number such as 1,234,567.89")
    mark, grouping, indian, literal = _marks(shown["body"])
    bare = shown["body"][0] in MARKS
    affixes = [_affixes(section) for section in sections]
    positive = affixes[0]
    negative = affixes[1] if len(sections) > 1 else _affixes(_default_negative(sections[0]))
    zero = affixes[2] if len(sections) > 2 else positive
    return Notation(mark, grouping, indian, bare, literal, positive, negative, zero)


def is_convention(text: str) -> bool:
    """Return whether `text` names how a program writes numbers with exponents, rather than showing a picture."""
    return text in PROGRAMS or PRINTF.fullmatch(text) is not None


def in_convention(value: float, convention: str) -> str:
    """Return a number as a convention writes it: a printf format, or the shortest form of a program."""
    if convention == "python":
        return repr(value)
    if convention == "r":
        return _as_r(value)
    if convention in ("java", "javascript"):
        return _as_java(value) if convention == "java" else _as_javascript(value)
    if convention[1] == "-":
        return PADDED_EXPONENT.sub(r"\1", f"%{convention[2:]}" % value)
    return convention % value


def _default_negative(positive: str) -> str:
    return positive.replace("+", "-", 1) if "+" in positive else f"-{positive}"


def _affixes(section: str) -> tuple[str, str]:
    shown = PICTURE.fullmatch(section)
    if shown is None:
        raise ValueError(f"{section!r} does not show a number such as 1,234,567.89")
    return shown["before"], shown["after"]


def _marks(body: str) -> tuple[str, str, bool, str]:
    """Return decimal mark, grouping mark, whether it is Indian, and a literal fraction of zeros."""
    separators = [(at, letter) for at, letter in enumerate(body) if not letter.isdecimal()]
    if not separators:
        return ".", "", False, ""
    at, last = separators[-1]
    tail = body[at + 1 :]
    groups = {letter for _, letter in separators[:-1]}
    alone = len(separators) == 1 and (len(tail) != 3 or last in MARKS)
    is_mark = last in MARKS and last not in groups and (bool(groups) or alone)
    # A single mark before three digits (`1,234`) groups them, unless it is a point.
    if is_mark and not groups and last == "," and len(tail) == 3 and at:
        is_mark = False
    mark = last if is_mark else ("," if last == "." else ".")
    whole = body[:at] if is_mark else body
    grouping = next((letter for letter in whole if not letter.isdecimal()), "")
    parts = whole.split(grouping) if grouping else [whole]
    literal = f"{mark}{tail}" if is_mark and not tail.strip("0") else ""
    return mark, grouping, len(parts) > 2 and len(parts[-2]) == 2, literal


def _as_r(value: float) -> str:
    """Return a number with up to 15 significant digits: fixed, unless the scientific form is shorter."""
    digits = next((count for count in range(1, R_DIGITS) if float(f"%.{count}g" % value) == value), R_DIGITS)
    scientific = f"{value:.{digits - 1}e}"
    exponent = int(scientific.partition("e")[2])
    fixed = f"{value:.{max(digits - 1 - exponent, 0)}f}"
    return fixed if len(fixed) <= len(scientific) else scientific


def _digits_and_exponent(value: float) -> tuple[str, str, int]:
    """Return sign, shortest digits and decimal exponent of a number other than zero."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    return "-" * sign, "".join(map(str, digits)), len(digits) - 1 + int(exponent)


def _as_java(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return format(Decimal(repr(value)), "f")
    sign, digits, exponent = _digits_and_exponent(value)
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _as_javascript(value: float) -> str:
    if value == 0:
        return "0"
    sign, digits, exponent = _digits_and_exponent(value)
    if -7 < exponent < 21:
        return format(Decimal(repr(value)).normalize(), "f")
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{fraction}e{exponent:+d}"
