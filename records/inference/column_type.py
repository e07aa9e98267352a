"""Inference of a column's type from its cells.

The first of these rules that applies decides. Missing cells do not count. A format counts only if it gives back every cell
(`round_trip`); else the cells are words.

1. boolean: two words of a known pair (true/false, yes/no, y/n, t/f) in one spelling. time: times of day in one format. duration:
   lengths of time in one format; cells that may be both are times unless the name says duration (`clock_type`).
2. identifier: keys of persons, accounts or orders that repeat (`repeating_keys`); e-mail addresses or UUIDs, or mostly distinct
   cells in a column named like a direct identifier (name of a person, e-mail, phone, address, file, ...).
3. integer: whole numbers in one notation. They are an identifier if all are distinct and the name says id, or they count up from 0
   or 1, or if they mostly differ and have one width of ten digits or more. Plain digits that all are plausible dates are a
   datetime. Numbers with zeros in front or with gaps (`codes`) are a category.
4. number: numbers in one notation: decimal mark, thousands marks, signs, unit. Few numbers with gaps are a category.
5. datetime: one format that reproduces every cell.
6. Words. Keys by their shape (`key_shapes`) are identifiers. Long cells (four words or forty letters on average) of which more than
   half occur once are a text, and so are passages (ten words or eighty letters) that few records share. Shorter cells of which more
   than half occur once are a text if they have several words without a
   common shape, consist of digits and punctuation, or are mostly numbers or dates (with a warning); else an identifier. More than
   10,000 distinct cells, or so many unique ones that a tenth of new records would have a new value, are a text, because a closed
   list would not cover them. All others are a category.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from paracosm.recipes.sections.data import FieldType
from paracosm.records.formats.boolean_format import PAIRS, boolean_words
from paracosm.records.formats.clock_type import clock_type
from paracosm.records.formats.datetimes.compact import compact_formats
from paracosm.records.formats.datetimes.detection import (
    datetime_formats,
    datetime_formats_without_offset,
    is_ambiguous,
)
from paracosm.records.formats.identifier_pattern import infer_pattern, shape
from paracosm.records.formats.numbers.detection import integer_formats, number_formats
from paracosm.records.formats.numbers.written import NumberFormat, read_integer, read_number
from paracosm.records.inference.codes import FEW, MOST_CODES, have_gaps, is_closed
from paracosm.records.inference.column_names import (
    may_name_a_key,
    names_a_date,
    names_a_duration,
    names_a_key,
    names_a_person,
    names_a_time_of_day,
    names_hours,
    names_personal_cells,
)
from paracosm.records.inference.column_words import words as words_of
from paracosm.records.inference.key_shapes import are_long_keys, are_quantities, direct_shape, key_shape
from paracosm.records.inference.near_misses import near_misses, sample_shape
from paracosm.records.inference.repeating_keys import is_repeating_key, repeating_key_warning
from paracosm.records.inference.round_trip import first_lossless, has_negative_zero

BY_NAME = "by its name"
PLUS = "+1234567.89"
"""Notation of numbers with a plus, as telephone numbers have it."""
FEWEST_IDENTIFIERS = 10
"""Fewest distinct cells of an identifier."""
MANY_IDENTIFIERS = 100
"""Distinct cells that always suffice for a column named like a direct identifier."""
MOST_UNSEEN = 0.1
"""Largest share of new records with a value that is not among the categories."""
TIME_WORDS = frozenset(["time", "times", "clock", "hhmm", "hhmmss", "hour"])
"""Words of a column with times of day or lengths of time."""
LONGEST_IDENTIFIER = 64
LONG_LETTERS = 40
LONG_WORDS = 4
PASSAGE_WORDS, PASSAGE_LETTERS = 10, 80
FEWEST_OF_CATEGORY = 20
"""Cells of each value, on average, from which on passages are a closed list, such as the answers of a questionnaire."""
MANY = 20
GAPS = "gaps between frequent values"


@dataclass(frozen=True)
class ColumnType:
    """The type of a column, the `Field` attributes of its format, warnings, and why it is an identifier."""

    type: FieldType
    attributes: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    reason: str = ""


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
    if clock := clock_type(
        name,
        cells,
        names_a_duration=names_a_duration(name),
        names_a_time=names_a_time_of_day(name),
        names_time=not TIME_WORDS.isdisjoint(words_of(name)),
        in_hours=names_hours(name),
    ):
        return ColumnType(*clock)
    if is_repeating_key(name, counts) and not _are_quantities(name, cells):
        return _repeating_identifier(name, cells)
    if reason := _direct_identifier(name, cells, total):
        return identifier(cells, reason)
    if (written := first_lossless("integer", integer_formats(cells), cells)) is not None:
        return _integer_type(name, counts, total, written)
    if (written := first_lossless("number", number_formats(cells), cells)) is not None:
        return _number_type(name, counts, total, written)
    if formats := datetime_formats(cells):
        return _datetime_type(name, formats)
    if formats := datetime_formats_without_offset(cells):
        warning = (
            f"column {name!r}: has several offsets from UTC; read as its local time, written without the offset;"
            f" data.fields.{name}.type: text keeps it"
        )
        return ColumnType("datetime", {"format": formats[0]}, (warning,))
    return _word_type(name, counts, total)


def identifier(cells: list[str], reason: str = "") -> ColumnType:
    """Return the identifier type with the pattern of `cells`."""
    return ColumnType("identifier", {"pattern": infer_pattern(cells)}, reason=reason)


def _direct_identifier(name: str, cells: list[str], total: int) -> str:
    """Return why a column is an identifier whatever else its cells look like, or nothing."""
    if kind := direct_shape(cells):
        return f"cells are {kind}"
    mostly_different = len(cells) >= max(FEWEST_IDENTIFIERS, min(0.2 * total, MANY_IDENTIFIERS))
    named = mostly_different and names_personal_cells(name) and max(map(len, cells)) <= 4 * LONGEST_IDENTIFIER
    return BY_NAME if named else ""


def _integer_type(name: str, counts: Mapping[str, int], total: int, written: dict[str, Any]) -> ColumnType:
    cells = list(counts)
    form = NumberFormat(**written)
    numbers = {read_integer(form, cell): count for cell, count in counts.items()}
    distinct = len(cells)
    plain = not (written["prefix"] or written["suffix"] or written["format"])
    dialled = written["format"] == PLUS and all(cell[0] == "+" for cell in cells)
    low, high = min(numbers), max(numbers)
    if distinct == total >= FEWEST_IDENTIFIERS:
        if low in (0, 1) and high - low == distinct - 1:
            return identifier(cells, "cells count up")
        if may_name_a_key(name):
            return identifier(cells, BY_NAME)
    if not plain and not dialled:
        return ColumnType("integer", written)
    if plain and (formats := compact_formats(cells, named=names_a_date(name))):
        return _datetime_type(name, formats, guessed=True)
    widths = set(map(len, cells))
    width = widths.pop() if len(widths) == 1 and low >= 0 else 0
    closed = is_closed(counts, total, MOST_UNSEEN)
    often_distinct = distinct >= FEWEST_IDENTIFIERS and distinct >= min(total / 2, max(MANY, 0.1 * total))
    is_list = closed and have_gaps(numbers, fixed_width=bool(width))
    if often_distinct and not is_list and are_long_keys(numbers, width):
        return _key(name, counts, total, f"cells are numbers of {width} digits")
    if written["width"] and closed and distinct < total:
        return _codes(name, distinct, "zeros in front")
    if written["width"] and distinct >= MANY:
        warning = (
            f"column {name!r}: holds numbers of {width} digits with zeros in front; read as integers, written with as many"
            f" digits; data.fields.{name}.type decides otherwise (category, identifier)"
        )
        return ColumnType("integer", written, (warning,))
    if is_list:
        return _codes(name, distinct, GAPS)
    return ColumnType("integer", written)


def _number_type(name: str, counts: Mapping[str, int], total: int, written: dict[str, Any]) -> ColumnType:
    if has_negative_zero(written, counts):
        warning = f"column {name!r}: holds zeros with a minus (-0.0); synthetic records have zeros without it"
        return ColumnType("number", written, (warning,))
    form = NumberFormat(**written)
    plain = not (written["prefix"] or written["suffix"] or written["format"])
    if plain and not form.scientific and len(counts) <= FEW and is_closed(counts, total, MOST_UNSEEN):
        scaled = {round(read_number(form, cell) * 10**form.decimals): n for cell, n in counts.items()}
        if have_gaps(scaled, fixed_width=False):
            return _codes(name, len(counts), GAPS)
    return ColumnType("number", written)


def _codes(name: str, distinct: int, seen: str) -> ColumnType:
    warning = (
        f"column {name!r}: holds {distinct} numbers with {seen}; read as codes, a closed list; data.fields.{name}.type decides"
        " otherwise (integer, number)"
    )
    return ColumnType("category", warnings=(warning,))


def _key(name: str, counts: Mapping[str, int], total: int, reason: str) -> ColumnType:
    """Return the identifier type of keys, with a hint where they repeat."""
    cells = list(counts)
    if 2 * sum(count == 1 for count in counts.values()) > total:
        return identifier(cells, reason)
    return _repeating_identifier(name, cells)


def _repeating_identifier(name: str, cells: list[str]) -> ColumnType:
    return ColumnType(
        "identifier",
        identifier(cells).attributes,
        (repeating_key_warning(name),),
        "cells are keys that repeat",
    )


def _are_quantities(name: str, cells: list[str]) -> bool:
    """Return whether cells that repeat in one shape are quantities or dates, unless the name says key."""
    if names_a_person(name) or names_a_key(name):
        return False
    return are_quantities(cells) and key_shape(cells) is None


def _datetime_type(name: str, formats: list[str], *, guessed: bool = False) -> ColumnType:
    warnings = []
    if is_ambiguous(formats):
        warnings.append(
            f"column {name!r}: the order of day and month is ambiguous; read as {formats[0]}; set"
            f" data.fields.{name}.format if that is wrong"
        )
    elif guessed and not names_a_date(name):
        warnings.append(
            f"column {name!r}: all numbers are dates like {formats[0]}, and are read as such; data.fields.{name}.type: integer"
            " reads them as numbers"
        )
    return ColumnType("datetime", {"format": formats[0]}, tuple(warnings))


def _word_type(name: str, counts: Mapping[str, int], total: int) -> ColumnType:
    cells = list(counts)
    distinct = len(cells)
    once = sum(count == 1 for count in counts.values())
    words = sum(len(cell.split()) for cell in cells) / distinct
    letters = sum(map(len, cells)) / distinct
    if distinct >= max(FEWEST_IDENTIFIERS, min(MANY, total / 2), 0.1 * total) and (kind := key_shape(cells)):
        return _key(name, counts, total, f"cells are {kind}")
    if distinct == total >= FEWEST_IDENTIFIERS and may_name_a_key(name) and (words < 1.2 or _shaped(cells)):
        return identifier(cells, BY_NAME)
    misses = near_misses(name, counts, total)
    long = words >= LONG_WORDS or letters > LONG_LETTERS
    quantities = are_quantities(cells)
    if (long and 2 * once > distinct > 2) or _are_repeated_passages(words, letters, distinct, total):
        return ColumnType("text", warnings=misses or (_as_text(name, cells),) * quantities)
    if 2 * once > total >= FEWEST_IDENTIFIERS:
        if (
            not misses
            and not long
            and not quantities
            and max(map(len, cells)) <= LONGEST_IDENTIFIER
            and (words < 1.2 or _shaped(cells))
        ):
            one_shape = "cells have one shape" if _shaped(cells) else "cells are single words"
            return identifier(cells, f"{one_shape}, and most differ")
        return ColumnType("text", warnings=misses or (_as_text(name, cells),) * (quantities or not long))
    # Good-Turing: the probability of a value that never occurred is about the share of cells that occur once.
    open_ended = distinct > MOST_CODES or once > max(MANY, MOST_UNSEEN * total)
    if open_ended:
        return ColumnType("text", warnings=misses or (_as_text(name, cells),) * (quantities or not long))
    return ColumnType("category", warnings=misses)


def _are_repeated_passages(words: float, letters: float, distinct: int, total: int) -> bool:
    """Return whether cells are passages that several records share, such as the text that questions are asked about."""
    return (
        (words >= PASSAGE_WORDS or letters > PASSAGE_LETTERS)
        and distinct > MANY
        and total < FEWEST_OF_CATEGORY * distinct
    )


def _as_text(name: str, cells: list[str]) -> str:
    return (
        f"column {name!r}: holds {len(cells):,} different {sample_shape(cells[0])}; modelled as text;"
        f" data.fields.{name}.type decides otherwise (category, identifier)"
    )


def _shaped(cells: list[str]) -> bool:
    shapes = {shape(cell) for cell in cells}
    return len(shapes) <= max(3, 0.05 * len(cells)) and all("9" in letters for letters in shapes)
