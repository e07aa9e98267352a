"""The kinds of personal data: patterns of their cells, and their masks in texts. `column_names` has the names of their columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paracosm.records.formats.identifier_pattern import infer_pattern
from paracosm.records.pii.check_digits import iban_is_valid, luhn_is_valid
from paracosm.records.pii.patterns import EMAIL, IP, WEB


@dataclass(frozen=True)
class PersonalKind:
    """One kind of personal data.

    Attributes:
        name: value in `data.pii.entities`.
        mask: text that replaces it when `data.pii` is `drop`.
        cell: pattern that most cells of such a column match.
        by_cells: whether the cells alone identify the kind, whatever the column is called.
    """

    name: str
    mask: str
    cell: re.Pattern[str] = re.compile(r"(?s).+")  # compiled patterns are immutable
    by_cells: bool = False

    def matches(self, cell: str, *, alone: bool = False) -> bool:
        """Return whether a cell can be of this kind; `alone` asks for check digits, where no name of a column speaks for it."""
        if not self.cell.fullmatch(cell.strip()):
            return False
        if self.name == "card":
            return luhn_is_valid(_digits(cell))
        return not alone or self.name != "bank_account" or iban_is_valid(cell)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


NAME_CELL = re.compile(r"[^\W\d_][^\d_@/\\]{0,78}")

KINDS: dict[str, PersonalKind] = {
    kind.name: kind
    for kind in (
        PersonalKind("email", "[EMAIL]", EMAIL, by_cells=True),
        PersonalKind("url", "[URL]", WEB, by_cells=True),
        PersonalKind("ip", "[IP]", IP, by_cells=True),
        PersonalKind("card", "[CARD]", re.compile(r"\d(?:[ -]?\d){11,18}")),
        PersonalKind(
            "bank_account",
            "[ACCOUNT]",
            re.compile(r"(?=(?:.*\d){4})[A-Za-z0-9][A-Za-z0-9 -]{3,40}"),
            by_cells=True,
        ),
        PersonalKind("national_id", "[ID]", re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 ./-]{3,30}")),
        PersonalKind(
            "phone",
            "[PHONE]",
            re.compile(r"(?=(?:.*\d){6})\+?[\d ()./-]{6,24}(?: ?(?:x|ext\.?) ?\d+)?"),
        ),
        PersonalKind("address", "[ADDRESS]", re.compile(r"(?s)(?=.*[^\W\d_]).{4,200}")),
        PersonalKind("place", "[PLACE]", NAME_CELL),
        PersonalKind("postcode", "[POSTCODE]", re.compile(r"(?=.*[\dX])[A-Za-z0-9][A-Za-z0-9 -]{1,9}")),
        PersonalKind("name", "[NAME]", NAME_CELL),
        PersonalKind("record_id", "[ID]", re.compile(r"(?=.*\w)[^\s](?:.{0,62}[^\s])?")),
        PersonalKind("date", "[DATE]"),
        PersonalKind("age", "[AGE]"),
    )
}
ID_KINDS = ("record_id", "national_id", "bank_account", "card", "phone", "email", "ip", "url")
"""Kinds of which a value identifies one person, account or machine: two values never share an invented value."""
NAMES = ("name.given", "name.family", "name.full")
"""Kinds and parts of the names of persons."""


def notation(kind: str, cells: Sequence[str]) -> str:
    """Return how values are written: the words of a name, the part of an address, or the pattern of a number."""
    if kind in NAMES:
        form = kind.removeprefix("name.")
        if form == "full":
            commas = sum("," in cell for cell in cells)
            form = "family, given" if 2 * commas > len(cells) else "given family"
        upper = sum(cell.isupper() for cell in cells)
        lower = sum(cell.islower() for cell in cells)
        most = len(cells) / 2
        return form.upper() if upper > most else form if lower > most else form.title()
    if kind == "address":
        numbered = sum(any(map(str.isdigit, cell)) for cell in cells)
        long = sum("\n" in cell or cell.count(",") > 1 for cell in cells)
        return (
            "address"
            if 2 * long > len(cells)
            else "street_address"
            if 2 * numbered > len(cells)
            else "street_name"
        )
    return "" if kind in ("email", "url") else infer_pattern(cells)


WHAT = {
    "name": "names of persons",
    "email": "e-mail addresses",
    "phone": "phone numbers",
    "address": "addresses",
    "bank_account": "bank accounts",
    "card": "card numbers",
    "national_id": "national numbers of persons",
    "ip": "network addresses",
    "url": "web addresses",
}
CAUSES = frozenset(WHAT) - {"url"}
"""Kinds that call for `data.pii`; web addresses are rarely those of a person."""
