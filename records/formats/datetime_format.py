"""Detection of datetime formats: one format that reads every cell of a column and writes it unchanged.

The codes are those of `paracosm.records.formats.datetime_codes`.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from paracosm.records.formats.datetime_codes import CODE, codes_of, letter_of, read_datetime, write_datetime
from paracosm.records.formats.months import MONTHS, SHORT_MONTHS

DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%y-%m-%d",
    "%y/%m/%d",
    "%d. %m. %Y",
    "%Y. %m. %d.",
)
NAMED_DATES = (
    "%d %b %Y",
    "%d %b %y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d/%b/%Y",
    "%d/%b/%y",
    "%d.%b.%Y",
    "%d%b%Y",
    "%d%b%y",
    "%d. %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%b-%d-%Y",
    "%Y-%b-%d",
    "%Y %b %d",
    "%Y%b%d",
    "%d de %b de %Y",
)
MONTHLY = (
    "%Y-%m",
    "%m/%Y",
    "%Y/%m",
    "%m.%Y",
    "%m-%Y",
    "%b-%Y",
    "%b %Y",
    "%b/%Y",
    "%b. %Y",
    "%Y-%b",
    "%Y %b",
    "%b-%y",
    "%b %y",
    "%b%Y",
    "%b%y",
)
"""Months of a year; the first of the month is the value."""
COMPACT = {
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    6: ("%Y%m", "%m%Y", "%y%m%d", "%d%m%y"),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S", "%d%m%Y%H%M%S"),
    17: ("%Y%m%d%H%M%S%3f",),
}
FEWEST_COMPACT = {"%Y%m": 6, "%m%Y": 6, "%y%m%d": 20, "%d%m%y": 20}
"""Fewest distinct cells of a compact format, so that numbers are not dates by chance: of all numbers with 8 digits 1 in 1,400 is a
date of the plausible years, of those with 6 digits 1 in 800 is a month and 1 in 27 a date with two digits for the year."""
FEWEST_DATES = 3
YEARS = (1900, 2100)
"""Plausible years of digits without a separator."""
MONTHLY_YEARS = (1800, 2199)
"""Plausible years of months."""
ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Helsinki",
    "Europe/Lisbon",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
"""Zones with summer time, one for each rule that many people live by."""
TIME = re.compile(
    r"(?<!\d)(?P<hour>\d\d?):\d\d(?P<second>:\d\d)?(?:(?P<mark>[.,])(?P<fraction>\d{1,9}))?(?:(?P<blank>[ \u00a0\u202f]?)(?P<half>[AaPp][Mm])(?![A-Za-z]))?",
    re.ASCII,
)
ZONE = re.compile(
    r"(?P<blank> ?)(?P<offset>Z|[A-Z]{3,4}|[+-]\d\d(?::?\d\d)?)(?P<name>\[[\w/+-]+\]| \([A-Z]{3,4}\))?",
    re.ASCII,
)
WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
DIGITS = re.compile(r"\d+", re.ASCII)
BASIC = re.compile(r"\d{8}T\d{4}", re.ASCII)
BASIC_FORMATS = tuple(
    f"%Y%m%dT{time}{zone}"
    for time in ("%H%M%S", "%H%M", "%H%M%S.%3f", "%H%M%S.%f")
    for zone in ("", "Z", "+0000")
)
"""The basic forms of ISO 8601."""
LONGEST = 64
"""Characters of the longest cell that can be a datetime."""
SAMPLE = 200
"""Cells that a format has to fit before all cells are read."""


def datetime_formats(cells: Sequence[str]) -> list[str]:
    """Return every known format that reads and reproduces each of `cells`, preferred first.

    A constant zone (`Z`, `+02:00`, ` UTC`) becomes a literal end of the format. Offsets that change with summer time become those of
    a zone, if one explains them all; else they are read but not written (see `loses_offset`).
    """
    if not cells or max(map(len, cells)) > LONGEST or not any(map(str.isdigit, cells[0])):
        return []
    head = cells[:SAMPLE]
    formats = []
    for form in dict.fromkeys(_candidates(head)):
        if all(reproduces(cell, form) for cell in head) and all(reproduces(cell, form) for cell in cells):
            formats.append(form)
    # An offset that never changes is a literal, not that of a zone.
    return [form for form in formats if not ZONED.search(form)] or formats


def datetime_formats_without_offset(cells: Sequence[str]) -> list[str]:
    """Return every known format that reads each of `cells` as local times whose offset from UTC is lost, preferred first."""
    head = cells[:SAMPLE]
    if not cells or max(map(len, cells)) > LONGEST:
        return []
    local = [cell for cell in head if OFFSET.search(cell)]
    if len(local) < len(head):
        return []
    formats = []
    for form in dict.fromkeys(_candidates(head)):
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


def compact_formats(cells: Sequence[str], *, named: bool = False) -> list[str]:
    """Return every format without separators (`%Y%m%d`, `%d%m%Y`, `%Y%m`) of which all cells are plausible dates.

    Args:
        cells: the distinct cells.
        named: whether the column's name says date, so that one cell suffices.
    """
    length = len(cells[0]) if cells else 0
    if length not in COMPACT or not all(len(cell) == length and DIGITS.fullmatch(cell) for cell in cells):
        return []
    return [
        form
        for form in COMPACT[length]
        if (named or len(cells) >= FEWEST_COMPACT.get(form, FEWEST_DATES))
        and all(_plausible(cell, form, YEARS) for cell in cells[:SAMPLE])
        and all(_plausible(cell, form, YEARS) for cell in cells)
    ]


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
        (".%f", ("%.f",)),
        ("%d", ("%-d",)),
        ("%m", ("%-m",)),
        ("%H", ("%-H",)),
        ("%I", ("%-I",)),
    ):
        variants += [
            variant.replace(code, other) for variant in variants for other in others if code in variant
        ]
    for variant in variants[:MOST_VARIANTS]:
        if all(reproduces(cell, variant) for cell in cells[:SAMPLE]) and all(
            reproduces(cell, variant) for cell in cells
        ):
            return variant
    return form


MOST_VARIANTS = 500
MEANINGS = {"B": "b", "A": "a", "P": "p"}
"""Codes that read the same as another one."""


def is_ambiguous(formats: Sequence[str]) -> bool:
    """Return whether `formats` read the same cells as different datetimes (day and month exchanged)."""
    return len({_meaning(form) for form in formats}) > 1


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


def _meaning(form: str) -> str:
    """Return a format without what does not change the value that it reads."""
    plain = CODE.sub(lambda match: f"%{MEANINGS.get(match['letter'], match['letter'])}", form)
    return re.sub("[.,]?%f", "", plain)


def _plausible(cell: str, form: str, years: tuple[int, int]) -> bool:
    try:
        moment = read_datetime(cell, form)
    except ValueError:
        return False
    return years[0] <= moment.year <= years[1] and write_datetime(moment, form) == cell


def _candidates(cells: Sequence[str]) -> Iterator[str]:
    """Return formats that may fit all cells, from the first of them, preferred first."""
    cell = cells[0]
    time = TIME.search(cell)
    if BASIC.match(cell):
        yield from BASIC_FORMATS
        return
    if time is None:
        yield from _dates(cell)
        return
    before, after = cell[: time.start()], cell[time.end() :]
    date = before.rstrip(" T,:-")
    gap = before[len(date) :]
    zones = list(_zones(after))
    if before and not date:
        return
    for date_form in _dates(date) if date else [""]:
        for time_form in _times(time):
            for zone_form in zones:
                yield f"{date_form}{gap}{time_form}{zone_form}"
    if not date and (date := after.lstrip(" ,")):
        gap = after[: len(after) - len(date)]
        for date_form in _dates(date):
            for time_form in _times(time):
                yield f"{time_form}{gap}{date_form}"
    # Twitter and ctime write the year after the time.
    if match := re.fullmatch(r"( [+-]\d{4}| [A-Z]{3,4})?( \d{4})", after, re.ASCII):
        for date_form in ("%a %b %d", "%a %b %-d", "%b %d", "%b %-d"):
            for time_form in _times(time):
                yield f"{date_form}{gap}{time_form}{match[1] or ''} %Y"


def _times(time: re.Match[str]) -> Iterator[str]:
    halves = f"{time['blank'] or ''}{'%p' if time['half'].isupper() else '%P'}" if time["half"] else ""
    hours = ("%I", "%-I") if halves else ("%H", "%-H")
    if time["fraction"] and not time["second"]:
        return
    seconds = ":%S" if time["second"] else ""
    fractions = [""] if not time["second"] else ["", "%.f", "%,f"]
    if time["fraction"]:
        count = len(time["fraction"])
        fixed = f"{time['mark']}%f" if count == 6 else f"{time['mark']}%{count}f"
        zeros = [f"{time['mark']}{time['fraction']}"] if not time["fraction"].strip("0") else []
        fractions = [*zeros, fixed, f"%{time['mark']}f"]
    for hour in hours:
        for fraction in fractions:
            yield f"{hour}:%M{seconds}{fraction}{halves}"


def _zones(after: str) -> Iterator[str]:
    if not after:
        yield ""
        return
    match = ZONE.fullmatch(after)
    if match is None:
        return
    yield after
    if match["name"] is None and (colon := re.fullmatch(r"[+-]\d\d(:?)\d\d", match["offset"])):
        for zone in ZONES:
            yield f"{match['blank']}%({zone}){colon[1]}z"
        yield f"{match['blank']}%(-){colon[1]}z"


def _dates(cell: str) -> Iterator[str]:
    for form in _date_forms(_names_in(cell)):
        try:
            moment = read_datetime(cell, form)
        except ValueError:
            continue
        if write_datetime(moment, form) != cell:
            continue
        if letter_codes(form) >= {"d"} or MONTHLY_YEARS[0] <= moment.year <= MONTHLY_YEARS[1]:
            yield form


def letter_codes(form: str) -> set[str]:
    """Return the letters of the codes of a format."""
    return {letter_of(code) for code in codes_of(form)}


def _names_in(cell: str) -> tuple[str, ...]:
    """Return the codes of months that may stand for the words of a cell, such as `%b`, `%^B` or `%(de)b`."""
    codes = []
    for word in WORD.findall(cell):
        flag = "^" if word.isupper() else "#" if word.islower() else ""
        for letter, tables in (("b", SHORT_MONTHS), ("B", MONTHS)):
            for language, names in tables.items():
                named = [name for name in names if name.rstrip(".").lower() == word.lower()]
                if named:
                    same = named[0].isupper() if flag == "^" else named[0].islower() if flag == "#" else False
                    prefix = "" if language == "en" else f"({language})"
                    codes += [f"%{prefix}{'' if same else flag}{letter}"]
    return tuple(dict.fromkeys(codes))


@lru_cache(maxsize=256)
def _date_forms(months: tuple[str, ...]) -> list[str]:
    if not months:
        forms = [
            *DATES,
            *(_unpadded(form) for form in DATES),
            *(form for form in MONTHLY if "%b" not in form),
            "%-m/%Y",
        ]
        return list(dict.fromkeys(forms))
    named = [
        *NAMED_DATES,
        *(_unpadded(form) for form in NAMED_DATES),
        *(form for form in MONTHLY if "%b" in form),
    ]
    days = ("", "%a, ", "%a ", "%A, ", "%A ", "%^a, ", "%^a ")
    return list(
        dict.fromkeys(
            f"{day}{form.replace('%b', month)}" for month in months for day in days for form in named
        )
    )


def _unpadded(form: str) -> str:
    return form.replace("%d", "%-d").replace("%m", "%-m")
