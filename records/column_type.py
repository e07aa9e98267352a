"""The type of one column, decided from its cells as found.

The rules, in order; the first that holds decides. `n` is the number of cells that are there.

1. Two words of a known pair (true/false, yes/no, y/n, t/f in one spelling): boolean.
2. Mostly different cells under a name of a direct identifier (name, e-mail, phone, ...), or e-mail addresses or UUIDs: identifier.
3. Integers, with one unit and one padding or none: identifier if all differ and the name says id or they count up from 0 or 1
   or carry a word as prefix; else integer. Eight digits that are dates, under a name that says date: datetime.
4. Numbers with one unit or none: number. An infinity among numbers is an error.
5. One date format that gives every cell back: datetime.
6. Words. Long ones (on average four words or forty letters) of which more than half occur once: text.
   Shorter ones that occur once in more than half of the cells: text if they are several words without a common shape, else identifier.
   More than 2,000 different ones: text. All else: category.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from paracosm.recipes.errors import DataError
from paracosm.recipes.recipe import FieldType
from paracosm.records.datetime_text import datetime_formats, is_ambiguous
from paracosm.records.identifiers import infer_pattern, shape
from paracosm.records.number_text import integer_format, is_infinite, number_format

PAIRS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
DECLARED_PAIRS = (*PAIRS, ("1", "0"), ("1.0", "0.0"))
ID_NAME = re.compile(
    r"(?:^|[\W_]|(?<=[a-z])(?=I))(?:id|ids|uuid|guid|key|no|nr|num|number|mrn|ssn|index|rowid|column 1)$",
    re.IGNORECASE,
)
STRICT_ID_NAME = re.compile(r"(?:^|[\W_]|(?<=[a-z])(?=I))(?:id|uuid|guid|mrn|ssn)$", re.IGNORECASE)
DIRECT_NAME = re.compile(
    r"(?:first|last|family|given|sur|middle|maiden|full|user|patient|doctor|customer|client|person|employee|login)[\W_]*name"
    r"|^name$|e-?mail|phone|(?:^|[\W_])(?:ssn|mrn|iban|passport|mobile|street|address|file|url|ip)(?:$|[\W_])|^filename$",
    re.IGNORECASE,
)
DATE_NAME = re.compile(r"date|(?:^|[\W_])(?:dt|dob|day)(?:$|[\W_])", re.IGNORECASE)
DIRECT_CELL = re.compile(
    r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
FEWEST_IDENTIFIERS = 10
MOST_CATEGORIES = 2000
LONGEST_IDENTIFIER = 64
LONG_LETTERS = 40
LONG_WORDS = 4
MANY = 20


@dataclass(frozen=True)
class ColumnType:
    """What one column holds: its type, the other `Field` attributes that follow from how it is written, and doubts."""

    type: FieldType
    attributes: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def infer_type(name: str, counts: Mapping[str, int]) -> ColumnType:
    """Return the type of a column by the rules above.

    Args:
        name: the column's name.
        counts: each distinct cell (missing ones left out, so never empty) and how often it occurs.

    Raises:
        DataError: a number is infinite.
    """
    cells = list(counts)
    total = sum(counts.values())
    if words := boolean_words(cells, PAIRS):
        return ColumnType("boolean", words)
    if _names_someone(name, cells, total):
        return identifier(cells)
    if written := integer_format(cells):
        return _integer_type(name, cells, total, written)
    if written := number_format(cells):
        return ColumnType("number", written)
    _reject_infinities(name, cells)
    if formats := datetime_formats(cells):
        return _datetime_type(name, formats)
    return _word_type(name, counts, total)


def identifier(cells: list[str]) -> ColumnType:
    """Return the identifier type with the pattern of `cells`."""
    return ColumnType("identifier", {"pattern": infer_pattern(cells)})


def boolean_words(cells: list[str], pairs: tuple[tuple[str, str], ...]) -> dict[str, str] | None:
    """Return how true and false are written, when `cells` are exactly one of `pairs`."""
    for true, false in pairs:
        by_meaning = {cell.lower(): cell for cell in cells}
        if len(cells) == 2 and set(by_meaning) == {true, false}:
            return {"true": by_meaning[true], "false": by_meaning[false]}
    return None


def _names_someone(name: str, cells: list[str], total: int) -> bool:
    if all(DIRECT_CELL.fullmatch(cell) for cell in cells):
        return True
    mostly_different = len(cells) >= max(FEWEST_IDENTIFIERS, 0.2 * total)
    return (
        mostly_different
        and DIRECT_NAME.search(name) is not None
        and max(map(len, cells)) <= 4 * LONGEST_IDENTIFIER
    )


def _integer_type(name: str, cells: list[str], total: int, written: dict[str, Any]) -> ColumnType:
    prefix, suffix = len(written["prefix"]), len(written["suffix"])
    numbers = [int(cell[prefix : len(cell) - suffix]) for cell in cells]
    distinct = len(cells)
    if distinct == total >= FEWEST_IDENTIFIERS:
        counts_up = min(numbers) in (0, 1) and max(numbers) - min(numbers) == distinct - 1
        if counts_up or ID_NAME.search(name) or any(letter.isalpha() for letter in written["prefix"]):
            return identifier(cells)
    if STRICT_ID_NAME.search(name) and distinct >= max(MANY, 0.1 * total):
        return _repeated(name, cells)
    if DATE_NAME.search(name) and all(len(cell) == 8 for cell in cells) and _compact_dates(cells):
        return ColumnType("datetime", {"format": "%Y%m%d"})
    return ColumnType("integer", written)


def _repeated(name: str, cells: list[str]) -> ColumnType:
    doubt = f"column {name!r}: repeats, and looks as if it names whom a record is about; if it does, set data.subject to it"
    return ColumnType("identifier", identifier(cells).attributes, (doubt,))


def _compact_dates(cells: list[str]) -> bool:
    return (
        bool(datetime_formats([f"{cell[:4]}-{cell[4:6]}-{cell[6:]}" for cell in cells]))
        and min(cells) >= "1900"
    )


def _datetime_type(name: str, formats: list[str]) -> ColumnType:
    if not is_ambiguous(formats):
        return ColumnType("datetime", {"format": formats[0]})
    doubt = f"column {name!r}: day and month cannot be told apart; read as {formats[0]}; set data.fields.{name}.format if that is wrong"
    return ColumnType("datetime", {"format": formats[0]}, (doubt,))


def _reject_infinities(name: str, cells: list[str]) -> None:
    infinite = [cell for cell in cells if is_infinite(cell)]
    if (
        infinite
        and (finite := [cell for cell in cells if cell not in set(infinite)])
        and number_format(finite)
    ):
        raise DataError(
            f"column {name!r}: holds {infinite[0]!r}, which is no number that can be modelled; remove it or call it missing"
        )


def _word_type(name: str, counts: Mapping[str, int], total: int) -> ColumnType:
    cells = list(counts)
    distinct = len(cells)
    once = sum(count == 1 for count in counts.values())
    words = sum(len(cell.split()) for cell in cells) / distinct
    letters = sum(map(len, cells)) / distinct
    doubts = _nearly_numbers(name, counts, total)
    long = words >= LONG_WORDS or letters > LONG_LETTERS
    if long and 2 * once > distinct and (distinct > MANY or 2 * once > total):
        return ColumnType("text", warnings=doubts)
    if 2 * once > total >= FEWEST_IDENTIFIERS:
        if not long and max(map(len, cells)) <= LONGEST_IDENTIFIER and (words < 1.2 or _shaped(cells)):
            return ColumnType("identifier", identifier(cells).attributes, doubts)
        return ColumnType("text", warnings=doubts)
    if STRICT_ID_NAME.search(name) and distinct >= max(MANY, 0.1 * total):
        return _repeated(name, cells)
    return ColumnType("text" if distinct > MOST_CATEGORIES else "category", warnings=doubts)


def _shaped(cells: list[str]) -> bool:
    shapes = {shape(cell) for cell in cells}
    return len(shapes) <= max(3, 0.05 * len(cells)) and all("9" in each for each in shapes)


def _nearly_numbers(name: str, counts: Mapping[str, int], total: int) -> tuple[str, ...]:
    numeric = [cell for cell in counts if number_format([cell])]
    if sum(counts[cell] for cell in numeric) >= 0.9 * total and number_format(numeric):
        rest = next(cell for cell in counts if cell not in set(numeric))
        looks = shape(rest)[:LONG_LETTERS]
        return (
            f"column {name!r}: is numbers but for cells such as one of the shape {looks!r}; if those mean missing, add them to data.missing",
        )
    plain = [
        cell.replace(",", "")
        for cell in counts
        if re.fullmatch(r"\D{0,4}\d{1,3}(?:,\d{3})+(?:\.\d+)?\D{0,4}|\D{0,4}\d{1,3}(?:\.\d+)?\D{0,4}", cell)
    ]
    if len(plain) == len(counts) and number_format(plain):
        return (
            f"column {name!r}: is numbers with thousands separators; write them without to have them modelled as numbers",
        )
    return ()
