"""Reading and writing of datetimes by strftime codes, exactly: what a format reads it writes in the same letters.

Beside the codes of Python these are known:

| code | meaning |
| --- | --- |
| `%-d` `%-m` `%-H` `%-I` ... | without a leading zero, as in glibc |
| `%^b` `%^B` `%^a` `%^A` | in capitals, as in glibc |
| `%#b` `%#B` `%#a` `%#A` `%P` | in small letters |
| `%3f` | fraction of a second with three digits; one to nine are possible, beyond six they are zeros |
| `%.f` `%,f` | fraction with its mark, without zeros at the end; nothing for whole seconds |
| `%:f` | fraction with its point and six digits; nothing for whole seconds |
| `%(de)b` `%(fr)B` | months in another language |
| `%(Europe/Berlin)z` `%(Europe/Berlin):z` | offset from UTC that a zone has at this local time, `+0200` or `+02:00` |
| `%(-)z` `%(-):z` | offset that is read but not written |
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from paracosm.records.formats.datetimes.months import DAYS, MONTHS, SHORT_DAYS, SHORT_MONTHS

CODE = re.compile(r"%(?:\((?P<argument>[\w/+-]*)\))?(?P<flag>[-^#:.,]|[1-9])?(?P<letter>.)?", re.DOTALL)
PLAIN_CODES = ("%Y", "%y", "%m", "%b", "%B", "%d", "%j", "%H", "%I", "%p", "%M", "%S", "%f", "%%")
UNPADDED_CODES = ("%-d", "%-m", "%-j", "%-H", "%-I", "%-M", "%-S")
WEEKDAY_CODES = ("%a", "%A", "%w")
"""Allowed beside a day only, which determines them."""
LETTER_CODES = ("%^b", "%^B", "%#b", "%#B", "%P", "%.f", "%,f", "%:f", "%3f")
CENTURY = 69
"""Two-digit years from here on are in the 1900s, as POSIX has it."""
PATTERNS = {
    "Y": r"(\d{4})", "y": r"(\d\d)", "m": r"(\d\d?)", "d": r"(\d\d?)", "j": r"(\d{1,3})", "H": r"(\d\d?)", "I": r"(\d\d?)",
    "M": r"(\d\d?)", "S": r"(\d\d?)", "p": r"([AaPp][Mm])", "P": r"([AaPp][Mm])", "w": r"([0-6])",
}  # fmt: skip
FRACTION = 6
"""Digits of a microsecond."""


def codes_of(form: str) -> list[str]:
    """Return the codes of a format, in order; a lone `%` at the end counts as a code."""
    return [match[0] for match in CODE.finditer(form)]


def letter_of(code: str) -> str:
    """Return the letter of a code: what it stands for, whatever its flags."""
    return code[-1]


def fraction_digits(form: str) -> int:
    """Return the digits of a second's fraction that a format writes: at most 6."""
    for match in CODE.finditer(form):
        if match["letter"] == "f":
            return min(int(match["flag"]), FRACTION) if (match["flag"] or "").isdecimal() else FRACTION
    return 0


def read_datetime(text: str, form: str) -> datetime:
    """Return the datetime that `text` holds in a format. Leading zeros may lack, and the case of names does not count.

    Raises:
        ValueError: `text` does not have this format.
    """
    return _compiled(form)[0](text)


def write_datetime(moment: datetime, form: str) -> str:
    """Return a datetime in a format."""
    return _compiled(form)[1](moment)


def format_error(form: str) -> str | None:
    """Return why a declared format is not supported, or None if it is.

    A code such as `%W` (week) can be read, but the values that the model generates would lose it.
    """
    has_day = any(letter_of(code) in "dj" for code in codes_of(form))
    allowed = (*PLAIN_CODES, *UNPADDED_CODES, *LETTER_CODES, *(WEEKDAY_CODES if has_day else ()))
    for match in CODE.finditer(form):
        code = match[0]
        if code not in allowed and not _is_special(match, has_day=has_day):
            needs_day = " without a day" if code in WEEKDAY_CODES else ""
            return f"{code!r} cannot be modelled{needs_day}; allowed: {', '.join(allowed)}"
    return None


def _is_special(match: re.Match[str], *, has_day: bool) -> bool:
    letter, flag, argument = match["letter"] or "", match["flag"] or "", match["argument"]
    if letter in ("a", "A"):
        return has_day and argument is None and flag in ("^", "#")
    if letter in ("b", "B"):
        return flag in ("", "^", "#") and argument in (None, *MONTHS)
    if letter == "f":
        return argument is None and flag.isdecimal()
    return letter == "z" and argument is not None and flag in ("", ":") and _is_zone(argument)


def _is_zone(name: str) -> bool:
    if name == "-":
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


Reader = Callable[[str], datetime]
Writer = Callable[[datetime], str]


@lru_cache(maxsize=4096)
def _compiled(form: str) -> tuple[Reader, Writer]:
    pattern, letters, writers, end = "", [], [], 0
    for match in CODE.finditer(form):
        literal = form[end : match.start()]
        pattern += re.escape(literal)
        writers.append(literal)
        end = match.end()
        part, writer = _code(match)
        pattern += part
        if "(" in part.replace("(?:", ""):
            letters.append((match["letter"], match["argument"] or "en"))
        writers.append(writer)
    pattern += re.escape(form[end:])
    writers.append(form[end:])
    expression = re.compile(pattern.replace(r"\d", "[0-9]"), re.IGNORECASE)
    pieces = [piece for piece in writers if piece != ""]

    def read(text: str) -> datetime:
        match = expression.fullmatch(text)
        if match is None:
            raise ValueError(f"is not a date or time in the format {form!r}")
        return _moment(letters, match.groups())

    def write(moment: datetime) -> str:
        return "".join([piece if isinstance(piece, str) else piece(moment) for piece in pieces])

    return read, write


def _moment(letters: list[tuple[str, str]], parts: tuple[str | None, ...]) -> datetime:
    year, month, day, hour, minute, second, micro = 1900, 1, 1, 0, 0, 0, 0
    afternoon, of_year = None, None
    for (letter, language), part in zip(letters, parts, strict=True):
        if part is None or letter in "aAwz":
            continue
        match letter:
            case "Y":
                year = int(part)
            case "y":
                year = int(part) + (1900 if int(part) >= CENTURY else 2000)
            case "m":
                month = int(part)
            case "b" | "B":
                month = _names(language, letter)[part.lower()]
            case "d":
                day = int(part)
            case "j":
                of_year = int(part)
            case "H" | "I":
                hour = int(part)
                if letter == "I" and not 1 <= hour <= 12:
                    raise ValueError("is not an hour of 12")
            case "p" | "P":
                afternoon = part[0] in "Pp"
            case "M":
                minute = int(part)
            case "S":
                second = int(part)
            case _:
                micro = int(part[:FRACTION].ljust(FRACTION, "0"))
    if afternoon is not None:
        hour = hour % 12 + 12 * afternoon
    moment = datetime(year, month, day, hour, minute, second, micro)
    if of_year is None or any(letter in "dmbB" for letter, _ in letters):
        return moment
    return moment + timedelta(days=of_year - 1)


@lru_cache
def _names(language: str, letter: str) -> dict[str, int]:
    names = (SHORT_MONTHS if letter == "b" else MONTHS)[language]
    return {name.lower(): number for number, name in enumerate(names, start=1)}


def _code(match: re.Match[str]) -> tuple[str, str | Writer]:
    """Return the pattern of a code and its writer."""
    letter, flag, argument = match["letter"] or "", match["flag"] or "", match["argument"]
    if letter == "%":
        return "%", "%"
    if letter in "bB" and letter:
        names = (SHORT_MONTHS if letter == "b" else MONTHS)[argument or "en"]
        return _named(names, flag, lambda moment: moment.month - 1)
    if letter in "aA" and letter:
        return _named(SHORT_DAYS if letter == "a" else DAYS, flag, datetime.weekday)
    if letter == "f":
        return _fraction(flag)
    if letter == "z" and argument is not None:
        return _offset(argument, colon=flag == ":")
    if letter not in PATTERNS or not letter:
        return re.escape(match[0]), match[0]
    return PATTERNS[letter], _number_writer(letter, padded=flag != "-")


def _number_writer(letter: str, *, padded: bool) -> Writer:
    if letter == "Y":
        return lambda moment: f"{moment.year:04d}"
    if letter == "p":
        return lambda moment: "PM" if moment.hour >= 12 else "AM"
    if letter == "P":
        return lambda moment: "pm" if moment.hour >= 12 else "am"
    numbers: dict[str, Callable[[datetime], int]] = {
        "y": lambda moment: moment.year % 100,
        "m": lambda moment: moment.month,
        "d": lambda moment: moment.day,
        "j": lambda moment: moment.timetuple().tm_yday,
        "H": lambda moment: moment.hour,
        "I": lambda moment: moment.hour % 12 or 12,
        "M": lambda moment: moment.minute,
        "S": lambda moment: moment.second,
        "w": lambda moment: moment.isoweekday() % 7,
    }
    number, width = numbers[letter], 3 if letter == "j" else 1 if letter == "w" else 2
    if padded:
        return lambda moment: f"{number(moment):0{width}d}"
    return lambda moment: str(number(moment))


def _named(names: list[str], flag: str, index: Callable[[datetime], int]) -> tuple[str, Writer]:
    written = [name.upper() if flag == "^" else name.lower() if flag == "#" else name for name in names]
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    return f"({'|'.join(longest_first)})", lambda moment: written[index(moment)]


def _fraction(flag: str) -> tuple[str, Writer]:
    if flag in (".", ","):
        return (
            rf"(?:{re.escape(flag)}(\d{{1,9}}))?",
            lambda moment: f"{flag}{moment.microsecond:06d}".rstrip("0") if moment.microsecond else "",
        )
    if flag == ":":
        return (
            r"(?:\.(\d{6}))?",
            lambda moment: f".{moment.microsecond:06d}" if moment.microsecond else "",
        )
    if not flag:
        return r"(\d{1,6})", lambda moment: f"{moment.microsecond:06d}"
    count = int(flag)
    return rf"(\d{{{count}}})", lambda moment: f"{moment.microsecond:06d}".ljust(9, "0")[:count]


def _offset(zone: str, *, colon: bool) -> tuple[str, str | Writer]:
    pattern = r"([+-]\d\d:\d\d)" if colon else r"([+-]\d\d\d\d)"
    if zone == "-":
        # What is written without the offset can be read again.
        return f"{pattern}?", ""
    info = ZoneInfo(zone)

    def write(moment: datetime) -> str:
        offset = moment.replace(tzinfo=info).strftime("%z")[:5]
        return f"{offset[:3]}:{offset[3:]}" if colon else offset

    return pattern, write
