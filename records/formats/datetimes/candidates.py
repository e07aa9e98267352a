"""Formats that may fit a cell: tables of dates, times and zones, and their combinations."""

import re
from collections.abc import Iterator
from functools import lru_cache

from paracosm.records.formats.datetimes.codes import codes_of, letter_of, read_datetime, write_datetime
from paracosm.records.formats.datetimes.months import MONTHS, SHORT_MONTHS

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
    "%Y年%m月%d日",
    "%Y年 %m月 %d日",
    "%Y년 %m월 %d일",
    "%Y년%m월%d일",
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
    "%Y年%m月",
    "%Y년 %m월",
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
    r"(?P<blank> ?)(?P<offset>Z|[A-Z]{3,4}|Uhr|uhr|[Hh]rs?|[+-]\d\d(?::?\d\d)?)(?P<name>\[[\w/+-]+\]| \([A-Z]{3,4}\))?",
    re.ASCII,
)
FRENCH_TIME = re.compile(r"\d\d?( ?[hH] ?)\d\d", re.ASCII)
WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
BASIC = re.compile(r"\d{8}T\d{4}", re.ASCII)
BASIC_FORMATS = tuple(
    f"%Y%m%dT{time}{zone}"
    for time in ("%H%M%S", "%H%M", "%H%M%S.%3f", "%H%M%S.%f")
    for zone in ("", "Z", "+0000")
)
"""The basic forms of ISO 8601."""


def candidates(cell: str) -> Iterator[str]:
    """Return formats that may fit a cell and those beside it, preferred first."""
    time = TIME.search(cell)
    if BASIC.match(cell):
        yield from BASIC_FORMATS
        return
    if time is None:
        if match := FRENCH_TIME.fullmatch(cell):
            yield from (f"%H{match[1]}%M", f"%-H{match[1]}%M")
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
    fractions = [""] if not time["second"] else ["", "%.f", "%,f", "%:f"]
    if time["fraction"]:
        count = len(time["fraction"])
        fixed = f"{time['mark']}%f" if count == 6 else f"{time['mark']}%{count}f"
        zeros = [f"{time['mark']}{time['fraction']}"] if not time["fraction"].strip("0") else []
        # Python writes six digits, and none for whole seconds.
        whole_or_six = ["%:f"] if count == 6 and time["mark"] == "." else []
        fractions = [*zeros, fixed, f"%{time['mark']}f", *whole_or_six]
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
            "%Y年%-m月",
            "%Y년 %-m월",
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
