"""What stands around and between the digits of a column of numbers: signs, units and marks."""

import re
from unicodedata import category

from paracosm.records.formats.numbers.notation import MARKS

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
UNIT_START = ".,:;/-+\u2212#"
"""What a unit after the digits does not begin with."""


def ends_in_mark(before: str) -> bool:
    """Return whether a number begins with its decimal mark (`-.5`); the point of `Rs.5` belongs to the unit."""
    return before[-1:] in (".", ",") and not before[-2:-1].isalpha()


def marks_between(separators: set[str], bodies: set[str]) -> list[tuple[str, str, bool]]:
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


def signs_of(
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
    if len(bare_units) != 1 or not is_unit(*bare_units.pop()):
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


def is_unit(before: str, after: str) -> bool:
    if after and after[0] in UNIT_START:
        return False
    name = before.strip()
    if not any(letter.isalpha() for letter in name):
        return all(letter not in UNIT_START or letter == "." for letter in name) and "%" not in name[1:]
    return name in CURRENCIES or all(category(letter) == "Sc" for letter in name)
