"""Repeating keys: columns in which a key of a person, an account or an order stands in several records.

Such a column identifies people, so its values are never categories. It is recognized by its name, or by the shape of its cells.
"""

import re
from collections import Counter
from collections.abc import Mapping

from paracosm.records.formats.datetimes.compact import compact_formats
from paracosm.records.formats.datetimes.detection import datetime_formats
from paracosm.records.formats.identifier_pattern import shape
from paracosm.records.formats.numbers.detection import number_format
from paracosm.records.inference.column_names import (
    names_a_code,
    names_a_date,
    names_a_key,
    names_a_person,
    names_a_subject,
)
from paracosm.records.inference.column_words import KEY_WORDS, words

FEWEST = 20
"""Fewest distinct cells of a repeating key. A closed list of fewer values, such as wards, is a category."""
LEAST_DISTINCT = 0.1
"""Least share of distinct cells, where the name of the column does not say that it holds keys of persons."""
MOST_DISTINCT = 0.67
"""Largest share of distinct cells that repeat, where the shape of the cells alone decides."""
LEAST_ALIKE = 0.9
"""Least share of cells of one shape."""
FEWEST_DIGITS = 3
"""Fewest digits of a shape that decides alone: `AB-7` may be a product."""
SAME_LENGTH = 4
"""Fewest digits of whole numbers of one length that are taken for keys, where the name says persons but not key."""
LABEL_DIGITS = 7
"""Fewest digits of whole numbers that are taken for keys because they repeat, whatever the name of their column."""
MOSTLY_REPEATED = 0.6
MOST_ROUNDED = 0.3
HASH = re.compile(r"[0-9a-f]{16,128}|[0-9A-F]{16,128}")


def is_repeating_key(name: str, counts: Mapping[str, int]) -> bool:
    """Return whether a column holds keys that repeat.

    Args:
        name: name of the column.
        counts: distinct cell -> number of occurrences.
    """
    distinct, total = len(counts), sum(counts.values())
    if distinct < FEWEST or distinct == total:
        return False
    many = distinct >= LEAST_DISTINCT * total
    if all(HASH.fullmatch(cell) for cell in counts):
        return many
    whole = all(cell.isdecimal() for cell in counts)
    digits = sum(any(map(str.isdigit, cell)) for cell in counts) >= LEAST_ALIKE * distinct
    if names_a_person(name) and digits:
        says_key = not KEY_WORDS.isdisjoint(words(name))
        lengths = {len(cell) for cell in counts}
        return many or says_key or not whole or (len(lengths) == 1 and min(lengths) >= SAME_LENGTH)
    if names_a_key(name) and (digits or not KEY_WORDS.isdisjoint(words(name))):
        return many
    if whole and many and not names_a_code(name) and _are_labels(counts):
        return True
    few = many and not whole and distinct <= MOST_DISTINCT * total
    return few and _have_one_shape(name, counts) and not _are_quantities(list(counts))


def _are_labels(counts: Mapping[str, int]) -> bool:
    """Return whether long whole numbers of one length repeat without being rounded: amounts of so many digits hardly meet twice."""
    cells, total = list(counts), sum(counts.values())
    length = len(cells[0])
    if length < LABEL_DIGITS or any(len(cell) != length for cell in cells):
        return False
    repeated = sum(count for count in counts.values() if count > 1)
    rounded = sum(cell.endswith("0") for cell in cells)
    return (
        repeated >= MOSTLY_REPEATED * total
        and rounded <= MOST_ROUNDED * len(cells)
        and not compact_formats(cells)
    )


def _have_one_shape(name: str, counts: Mapping[str, int]) -> bool:
    if names_a_code(name) or names_a_date(name):
        return False
    shapes = Counter(map(_runs, counts))
    common, alike = shapes.most_common(1)[0]
    if alike < LEAST_ALIKE * len(counts) or "." in common or ":" in common or "%" in common:
        return False
    letters = sum(letter in "Aa" for letter in common)
    digits = sum(map(str.isdigit, next(cell for cell in counts if _runs(cell) == common)))
    return 0 < letters + common.count("-") <= digits + 2 and digits >= FEWEST_DIGITS and " " not in common


def _are_quantities(cells: list[str]) -> bool:
    """Return whether cells are dates, or numbers with a sign or a unit after them (`2024-05-31`, `-12`, `250mg`)."""
    if datetime_formats(cells):
        return True
    return not any(cell[:1].isalpha() for cell in cells) and number_format(cells) is not None


def _runs(cell: str) -> str:
    return re.sub(r"9+", "9", shape(cell))


def repeating_key_warning(name: str) -> str:
    """Return the line about a column of repeating keys."""
    if names_a_subject(name):
        return f"column {name!r}: has repeating keys of persons; set data.subject to it, so that all records of a person stay in one split"
    return f"column {name!r}: has repeating identifiers, which may identify the subject of a record; if so, set data.subject to it"
