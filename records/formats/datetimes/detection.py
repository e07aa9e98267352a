"""Detection of datetime formats: one format that reads every cell of a column and writes it unchanged.

The codes are those of `paracosm.records.formats.datetimes.codes`.
"""

import re
from collections.abc import Callable, Sequence

from paracosm.records.formats.datetimes.candidates import candidates
from paracosm.records.formats.datetimes.codes import CODE, read_datetime, write_datetime

SAMPLE = 200
"""Cells that are tried before all others."""
LONGEST = 64
"""Characters of the longest cell that can be a datetime."""


def datetime_formats(cells: Sequence[str], is_wanted: Callable[[str], bool] = lambda form: True) -> list[str]:
    """Return the known formats that read and reproduce each of `cells`, preferred first, one of each meaning.

    A constant zone (`Z`, `+02:00`, ` UTC`) becomes a literal end of the format. Offsets that change with summer time become those of
    a zone, if one explains them all; else they are read but not written (see `loses_offset`).

    Args:
        cells: the distinct cells.
        is_wanted: tells which formats count; the others are not tried.
    """
    if not cells or max(map(len, cells)) > LONGEST or not any(map(str.isdigit, cells[0])):
        return []
    # Few formats are left by a sample, so that all cells are read once or twice.
    sample = cells[:: max(1, len(cells) // SAMPLE)]
    likely = [
        form
        for form in dict.fromkeys(candidates(cells[0]))
        if is_wanted(form) and all(reproduces(cell, form) for cell in sample)
    ]
    formats: list[str] = []
    meanings: set[str] = set()
    for form in likely:
        if _meaning(form) not in meanings and all(reproduces(cell, form) for cell in cells):
            formats.append(form)
            meanings.add(_meaning(form))
    # An offset that never changes is a literal, not that of a zone.
    return [form for form in formats if not ZONED.search(form)] or formats


def datetime_formats_without_offset(cells: Sequence[str]) -> list[str]:
    """Return every known format that reads each of `cells` as local times whose offset from UTC is lost, preferred first."""
    if not cells or max(map(len, cells)) > LONGEST or not all(map(OFFSET.search, cells)):
        return []
    formats = []
    for form in dict.fromkeys(candidates(cells[0])):
        dropped = ZONED.sub(r"%(-)\1z", form)
        if (
            dropped != form
            and dropped not in formats
            and all(_reproduces_local(cell, dropped) for cell in cells)
        ):
            formats.append(dropped)
    return formats


ZONED = re.compile(r"%\([\w/-]+\)(:?)z\Z")
OFFSET = re.compile(r"(?<=\d)[+-]\d\d:?\d\d\Z", re.ASCII)


def refined_format(form: str, cells: Sequence[str]) -> str:
    """Return a declared format with the case of its names and the digits of its fraction as in `cells`, if it then reproduces all."""
    variants = [form]
    for code, others in (
        ("%b", ("%^b", "%#b")),
        ("%B", ("%^B", "%#B")),
        ("%a", ("%^a", "%#a")),
        ("%A", ("%^A", "%#A")),
        ("%p", ("%P",)),
        ("%f", tuple(f"%{count}f" for count in range(1, 10))),
        (".%f", ("%.f", "%:f")),
        ("%d", ("%-d",)),
        ("%m", ("%-m",)),
        ("%H", ("%-H",)),
        ("%I", ("%-I",)),
    ):
        variants += [
            variant.replace(code, other) for variant in variants for other in others if code in variant
        ]
    for variant in variants[:MOST_VARIANTS]:
        if all(reproduces(cell, variant) for cell in cells):
            return variant
    return form


MOST_VARIANTS = 500
MEANINGS = {"B": "b", "A": "a", "P": "p"}
"""Codes that read the same as another one."""


def is_ambiguous(formats: Sequence[str]) -> bool:
    """Return whether `formats` read the same cells as different datetimes (day and month exchanged)."""
    return len({_order(form) for form in formats}) > 1


def loses_offset(form: str) -> bool:
    """Return whether a format reads offsets from UTC without writing them."""
    return "%(-)" in form


def reproduces(cell: str, form: str) -> bool:
    """Return whether a format reads `cell` and writes it unchanged."""
    try:
        return write_datetime(read_datetime(cell, form), form) == cell
    except (ValueError, OverflowError):
        return False


def _reproduces_local(cell: str, form: str) -> bool:
    try:
        return write_datetime(read_datetime(cell, form), form) == OFFSET.sub("", cell)
    except (ValueError, OverflowError):
        return False


def _order(form: str) -> str:
    """Return the order of the parts of a date in a format."""
    return "".join(match["letter"] for match in CODE.finditer(_meaning(form)) if match["letter"] not in "fz")


def _meaning(form: str) -> str:
    """Return a format without what does not change the value that it reads."""
    plain = CODE.sub(lambda match: f"%{MEANINGS.get(match['letter'], match['letter'])}", form)
    return re.sub("[.,]?%f", "", plain)
