"""The type of one column, decided from its cells as found.

The rules, in order; the first that holds decides. Missing cells do not count.

1. Two words of a known pair (true/false, yes/no, y/n, t/f in one spelling): boolean.
2. E-mail addresses or UUIDs, or mostly different cells under the name of a direct identifier
   (a person's name, e-mail, phone, address, file, ...): identifier.
3. Integers with one unit and one padding, or none: integer. They are an identifier if all differ, and the name
   says id, or they count up from 0 or 1, or a word stands before them; also if the name says id and at least
   a tenth of them differ. Eight digits that are dates, under a name that says date, are a datetime.
4. Numbers with one unit or none: number.
5. One date format that gives every cell back: datetime.
6. Words. Long ones (on average four words or forty letters) of which more than half occur once: text.
   Shorter ones that occur once in more than half of the cells: text if they are several words without
   a common shape, or mostly numbers or dates (a warning says so); else identifier.
   More than 2,000 different ones, or so many that occur once that a tenth of new records would bring
   a value never seen: text, for a closed list would not hold them. All else: category.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from paracosm.recipes.sections.data import FieldType
from paracosm.records.schema.boolean_format import PAIRS, boolean_words
from paracosm.records.schema.datetime_format import datetime_formats, gives_back, is_ambiguous
from paracosm.records.schema.identifier_pattern import infer_pattern, shape
from paracosm.records.schema.number_format import integer_format, number_format

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
THOUSANDS = re.compile(r"\D{0,4}(?:\d{1,3}(?:,\d{3})+|\d{1,3})(?:\.\d+)?\D{0,4}")
PADDED = re.compile(r"\D?0\d")
DIRECT_CELL = re.compile(
    r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
FEWEST_IDENTIFIERS = 10
MANY_IDENTIFIERS = 100
MOST_CATEGORIES = 2000
MOST_UNSEEN = 0.1
LONGEST_IDENTIFIER = 64
LONG_LETTERS = 40
LONG_WORDS = 4
MANY = 20
MOSTLY_NUMBERS = 0.9
MOSTLY_DATES = 0.5


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
    if formats := datetime_formats(cells):
        return _datetime_type(name, formats)
    return _word_type(name, counts, total)


def identifier(cells: list[str]) -> ColumnType:
    """Return the identifier type with the pattern of `cells`."""
    return ColumnType("identifier", {"pattern": infer_pattern(cells)})


def _names_someone(name: str, cells: list[str], total: int) -> bool:
    if all(DIRECT_CELL.fullmatch(cell) for cell in cells):
        return True
    mostly_different = len(cells) >= max(FEWEST_IDENTIFIERS, min(0.2 * total, MANY_IDENTIFIERS))
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
    doubt = (
        f"column {name!r}: repeats, and looks as if it names whom a record is about; if it does,"
        " set data.subject to it"
    )
    return ColumnType("identifier", identifier(cells).attributes, (doubt,))


def _compact_dates(cells: list[str]) -> bool:
    return (
        bool(datetime_formats([f"{cell[:4]}-{cell[4:6]}-{cell[6:]}" for cell in cells]))
        and min(cells) >= "1900"
    )


def _datetime_type(name: str, formats: list[str]) -> ColumnType:
    if not is_ambiguous(formats):
        return ColumnType("datetime", {"format": formats[0]})
    doubt = (
        f"column {name!r}: day and month cannot be told apart; read as {formats[0]}; set"
        f" data.fields.{name}.format if that is wrong"
    )
    return ColumnType("datetime", {"format": formats[0]}, (doubt,))


def _word_type(name: str, counts: Mapping[str, int], total: int) -> ColumnType:
    cells = list(counts)
    distinct = len(cells)
    once = sum(count == 1 for count in counts.values())
    words = sum(len(cell.split()) for cell in cells) / distinct
    letters = sum(map(len, cells)) / distinct
    doubts = _doubts(name, counts, total)
    long = words >= LONG_WORDS or letters > LONG_LETTERS
    if long and 2 * once > distinct > 2:
        return ColumnType("text", warnings=doubts)
    if 2 * once > total >= FEWEST_IDENTIFIERS:
        if (
            not doubts
            and not long
            and max(map(len, cells)) <= LONGEST_IDENTIFIER
            and (words < 1.2 or _shaped(cells))
        ):
            return ColumnType("identifier", identifier(cells).attributes, doubts)
        return ColumnType("text", warnings=doubts)
    if STRICT_ID_NAME.search(name) and distinct >= max(MANY, 0.1 * total):
        return _repeated(name, cells)
    # Good and Turing: the share of held-out records with a value never seen before is about that of the values seen once.
    open_ended = distinct > MOST_CATEGORIES or once > max(MANY, MOST_UNSEEN * total)
    return ColumnType("text" if open_ended else "category", warnings=doubts)


def _shaped(cells: list[str]) -> bool:
    shapes = {shape(cell) for cell in cells}
    return len(shapes) <= max(3, 0.05 * len(cells)) and all("9" in each for each in shapes)


def _doubts(name: str, counts: Mapping[str, int], total: int) -> tuple[str, ...]:
    """Say what would make this column of words one of numbers or of dates. Such a column is never taken for an identifier."""
    codes = any(PADDED.match(cell) for cell in counts)
    if not codes and _share(counts, total, _is_quantity) >= MOSTLY_NUMBERS:
        several = number_format([cell for cell in counts if _is_quantity(cell)]) is None
        if several and len(counts) < MANY:
            # Classes such as `<=50K` and `>50K`, as they should be.
            return ()
        rest = "" if several else next((cell for cell in counts if not _is_quantity(cell)), "")
        if rest:
            return (
                f"column {name!r}: is numbers but for {_like(rest)}; if those mean missing, add them"
                " to data.missing",
            )
        return (
            f"column {name!r}: is numbers in several units or paddings; write them in one to have"
            " them modelled as numbers",
        )
    if _thousands(list(counts)):
        return (
            f"column {name!r}: is numbers with thousands separators; write them without to have them"
            " modelled as numbers",
        )
    formats = next((found for cell in islice(counts, MANY) if (found := datetime_formats([cell]))), [])
    for code in formats:
        if _share(counts, total, lambda cell, code=code: gives_back(cell, code)) >= MOSTLY_DATES:
            rest = next(cell for cell in counts if not gives_back(cell, code))
            return (
                f"column {name!r}: is dates like {code} but for {_like(rest)}; if those mean missing,"
                " add them to data.missing",
            )
    return ()


def _share(counts: Mapping[str, int], total: int, holds: Callable[[str], bool]) -> float:
    return sum(count for cell, count in counts.items() if holds(cell)) / total


def _is_quantity(cell: str) -> bool:
    return not cell[:1].isalpha() and number_format([cell]) is not None


def _like(cell: str) -> str:
    return f"cells such as one of the shape {shape(cell)[:LONG_LETTERS]!r}"


def _thousands(cells: list[str]) -> bool:
    return (
        all(THOUSANDS.fullmatch(cell) for cell in cells)
        and number_format([cell.replace(",", "") for cell in cells]) is not None
    )
