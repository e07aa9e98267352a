"""Inference of a column's type from its cells.

The first of these rules that applies decides. Missing cells do not count.

1. boolean: two words of a known pair (true/false, yes/no, y/n, t/f) in one spelling.
2. identifier: keys of persons, accounts or orders that repeat (`repeating_keys`); e-mail addresses or UUIDs, or mostly distinct cells in a column named like a direct identifier (name of a person,
   e-mail, phone, address, file, ...).
3. integer: integers with one unit and one padding, or none. They are an identifier if all are distinct and the name says id, or
   they count up from 0 or 1, or a word precedes them. Eight digits that are dates, in a column whose name says date, are a datetime.
4. number: numbers with one unit or none.
5. datetime: one date format that reproduces every cell.
6. Words. Long cells (four words or forty letters on average) of which more than half occur once are a text. Shorter cells of
   which more than half occur once are a text if they have several words without a common shape, or are mostly numbers or dates
   (with a warning); else an identifier. More than 2,000 distinct cells, or so many unique ones that a tenth of new records would
   have a new value, are a text, because a closed list would not cover them. All others are a category.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from paracosm.recipes.sections.data import FieldType
from paracosm.records.formats.boolean_format import PAIRS, boolean_words
from paracosm.records.formats.datetime_format import datetime_formats, is_ambiguous, reproduces
from paracosm.records.formats.identifier_pattern import infer_pattern, shape
from paracosm.records.formats.number_format import integer_format, number_format
from paracosm.records.inference.column_names import (
    may_name_a_key,
    names_a_date,
    names_personal_cells,
)
from paracosm.records.inference.repeating_keys import is_repeating_key, repeating_key_warning

THOUSANDS = re.compile(r"\D{0,4}(?:\d{1,3}(?:,\d{3})+|\d{1,3})(?:\.\d+)?\D{0,4}")
PADDED = re.compile(r"\D?0\d")
DIRECT_CELL = re.compile(
    r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
FEWEST_IDENTIFIERS = 10
"""Fewest distinct cells of an identifier."""
MANY_IDENTIFIERS = 100
"""Distinct cells that always suffice for a column named like a direct identifier."""
MOST_CATEGORIES = 2000
MOST_UNSEEN = 0.1
"""Largest share of new records with a value that is not among the categories."""
LONGEST_IDENTIFIER = 64
LONG_LETTERS = 40
LONG_WORDS = 4
MANY = 20
MOSTLY_NUMBERS = 0.9
"""Share of numbers from which on a column of words gets a warning."""
MOSTLY_DATES = 0.5
"""Share of dates from which on a column of words gets a warning."""


@dataclass(frozen=True)
class ColumnType:
    """The type of a column, the `Field` attributes of its format, and warnings."""

    type: FieldType
    attributes: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def infer_type(name: str, counts: Mapping[str, int]) -> ColumnType:
    """Return the type of a column by the rules above.

    Args:
        name: the column's name.
        counts: distinct cell -> number of occurrences; without missing cells, and not empty.
    """
    cells = list(counts)
    total = sum(counts.values())
    if words := boolean_words(cells, PAIRS):
        return ColumnType("boolean", words)
    if is_repeating_key(name, counts):
        return ColumnType("identifier", identifier(cells).attributes, (repeating_key_warning(name),))
    if _is_direct_identifier(name, cells, total):
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


def _is_direct_identifier(name: str, cells: list[str], total: int) -> bool:
    if all(DIRECT_CELL.fullmatch(cell) for cell in cells):
        return True
    mostly_different = len(cells) >= max(FEWEST_IDENTIFIERS, min(0.2 * total, MANY_IDENTIFIERS))
    return mostly_different and names_personal_cells(name) and max(map(len, cells)) <= 4 * LONGEST_IDENTIFIER


def _integer_type(name: str, cells: list[str], total: int, written: dict[str, Any]) -> ColumnType:
    prefix, suffix = len(written["prefix"]), len(written["suffix"])
    numbers = [int(cell[prefix : len(cell) - suffix]) for cell in cells]
    distinct = len(cells)
    if distinct == total >= FEWEST_IDENTIFIERS:
        counts_up = min(numbers) in (0, 1) and max(numbers) - min(numbers) == distinct - 1
        if counts_up or may_name_a_key(name) or any(letter.isalpha() for letter in written["prefix"]):
            return identifier(cells)
    if names_a_date(name) and all(len(cell) == 8 for cell in cells) and _compact_dates(cells):
        return ColumnType("datetime", {"format": "%Y%m%d"})
    return ColumnType("integer", written)


def _compact_dates(cells: list[str]) -> bool:
    return (
        bool(datetime_formats([f"{cell[:4]}-{cell[4:6]}-{cell[6:]}" for cell in cells]))
        and min(cells) >= "1900"
    )


def _datetime_type(name: str, formats: list[str]) -> ColumnType:
    if not is_ambiguous(formats):
        return ColumnType("datetime", {"format": formats[0]})
    warning = (
        f"column {name!r}: the order of day and month is ambiguous; read as {formats[0]}; set"
        f" data.fields.{name}.format if that is wrong"
    )
    return ColumnType("datetime", {"format": formats[0]}, (warning,))


def _word_type(name: str, counts: Mapping[str, int], total: int) -> ColumnType:
    cells = list(counts)
    distinct = len(cells)
    once = sum(count == 1 for count in counts.values())
    words = sum(len(cell.split()) for cell in cells) / distinct
    letters = sum(map(len, cells)) / distinct
    near_misses = _near_misses(name, counts, total)
    long = words >= LONG_WORDS or letters > LONG_LETTERS
    if long and 2 * once > distinct > 2:
        return ColumnType("text", warnings=near_misses)
    if 2 * once > total >= FEWEST_IDENTIFIERS:
        if (
            not near_misses
            and not long
            and max(map(len, cells)) <= LONGEST_IDENTIFIER
            and (words < 1.2 or _shaped(cells))
        ):
            return ColumnType("identifier", identifier(cells).attributes, near_misses)
        return ColumnType("text", warnings=near_misses)
    # Good-Turing: the probability of a value that never occurred is about the share of cells that occur once.
    open_ended = distinct > MOST_CATEGORIES or once > max(MANY, MOST_UNSEEN * total)
    return ColumnType("text" if open_ended else "category", warnings=near_misses)


def _shaped(cells: list[str]) -> bool:
    shapes = {shape(cell) for cell in cells}
    return len(shapes) <= max(3, 0.05 * len(cells)) and all("9" in found for found in shapes)


def _near_misses(name: str, counts: Mapping[str, int], total: int) -> tuple[str, ...]:
    """Return a warning if few cells keep a column of words from being numbers or dates; it is then not an identifier."""
    codes = any(PADDED.match(cell) for cell in counts)
    if not codes and _share(counts, total, _is_quantity) >= MOSTLY_NUMBERS:
        several = number_format([cell for cell in counts if _is_quantity(cell)]) is None
        if several and len(counts) < MANY:
            # Classes such as `<=50K` and `>50K` are meant to be a category.
            return ()
        rest = "" if several else next((cell for cell in counts if not _is_quantity(cell)), "")
        if rest:
            return (
                f"column {name!r}: holds numbers except for {_sample_shape(rest)}; if these mean missing, add them"
                " to data.missing",
            )
        return (
            f"column {name!r}: holds numbers in several units or paddings; use one unit and padding to model them as numbers",
        )
    if _have_thousands_separators(list(counts)):
        return (
            f"column {name!r}: holds numbers with thousands separators; remove the separators to model them as numbers",
        )
    formats = next((codes for cell in islice(counts, MANY) if (codes := datetime_formats([cell]))), [])
    for code in formats:
        if _share(counts, total, lambda cell, code=code: reproduces(cell, code)) >= MOSTLY_DATES:
            rest = next(cell for cell in counts if not reproduces(cell, code))
            return (
                f"column {name!r}: holds dates like {code} except for {_sample_shape(rest)}; if these mean missing,"
                " add them to data.missing",
            )
    return ()


def _share(counts: Mapping[str, int], total: int, holds: Callable[[str], bool]) -> float:
    return sum(count for cell, count in counts.items() if holds(cell)) / total


def _is_quantity(cell: str) -> bool:
    return not cell[:1].isalpha() and number_format([cell]) is not None


def _sample_shape(cell: str) -> str:
    return f"cells such as one of the shape {shape(cell)[:LONG_LETTERS]!r}"


def _have_thousands_separators(cells: list[str]) -> bool:
    return (
        all(THOUSANDS.fullmatch(cell) for cell in cells)
        and number_format([cell.replace(",", "") for cell in cells]) is not None
    )
