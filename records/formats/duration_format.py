"""Durations: formats that read every cell of a column and write it unchanged.

| code | meaning |
| --- | --- |
| `%d` `%H` `%M` `%S` | days, hours, minutes, seconds with two digits; the first of them has as many as it needs |
| `%-d` `%-H` `%-M` `%-S` | without a leading zero |
| `%1f` to `%6f` | fraction of a second with so many digits |
| `%?-H` | left out with its unit where it is zero: `%?-Hh %?-Mm` writes `1h 30m` and `45m` |
| `(s)` | an `s` unless the number before it is 1 |

A negative duration has a minus in front. Formats that begin with `P` are those of ISO 8601.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

CODE = re.compile(r"%(?P<optional>\?)?(?P<unpadded>-)?(?P<letter>[dHMS]|[1-6]f)")
UNITS = {"d": 86_400_000_000, "H": 3_600_000_000, "M": 60_000_000, "S": 1_000_000}
"""Microseconds of a unit."""
ORDER = "dHMS"
MICROSECOND = timedelta(microseconds=1)
CLOCK = re.compile(
    r"-?(?:(?P<days>\d+)(?: days?,? |d |d|\.|:| ))??(?:\d+):\d\d(?P<seconds>:\d\d)?(?:\.(?P<fraction>\d{1,6}))?",
    re.ASCII,
)
CLOCK_FRONTS = ("", "%-d days ", "%?-d day(s), ", "%-dd ", "%-dd", "%-d ", "%-d.", "%-d:")
ISO = re.compile(r"-?P(?=.)(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?", re.ASCII)
FRENCH = re.compile(r"-?\d+[hH]\d\d", re.ASCII)
WORDS = re.compile(r"-?(?:\d+ ?[A-Za-z]+\.?,? ?)+", re.ASCII)
NAMES = {
    "d": ("d", " d", " day(s)", " days"),
    "H": ("h", " h", "hr", " hr", " hour(s)", " hours", "hrs", " hrs", " std", "H"),
    "M": ("m", " m", "min", " min", " minute(s)", " minutes", "mins", " mins", "M"),
    "S": ("s", " s", "sec", " sec", " second(s)", " seconds", "secs", " secs", "S"),
}
"""Units in words."""
WORD_UNIT = {
    re.sub(r"\(s\)", word_end, name).strip(): letter
    for letter, names in NAMES.items()
    for name in names
    for word_end in ("", "s")
}
SAMPLE = 200
"""Cells that a format has to fit before all cells are read."""
LONGEST = 48
"""Characters of the longest cell that can be a duration."""


def read_duration(text: str, form: str) -> timedelta:
    """Return the duration that `text` holds in a format.

    Raises:
        ValueError: `text` does not have this format.
    """
    layout = _layout(form)
    match = layout.expression.fullmatch(text)
    if match is None:
        raise ValueError(f"is not a duration in the format {form!r}")
    total = 0
    for position, (part, digits) in enumerate(zip(layout.parts, match.groups()[1:], strict=True)):
        number = int(digits or 0)
        if position and number * part.unit >= layout.parts[position - 1].unit:
            raise ValueError(f"{digits} is more than the unit before it")
        total += number * part.unit
    try:
        return timedelta(microseconds=-total if match[1] else total)
    except OverflowError as error:
        raise ValueError("too long") from error


def write_duration(value: timedelta, form: str) -> str:
    """Return a duration in a format."""
    layout = _layout(form)
    total = value // MICROSECOND
    sign, rest, texts = "-" if total < 0 else "", abs(total), []
    for part in layout.parts:
        number, rest = divmod(rest, part.unit)
        texts.append((part, number))
    if all(part.optional and not number for part, number in texts):
        # Zero is written in the last unit.
        texts[-1] = (_required(texts[-1][0]), texts[-1][1])
    written = layout.head + "".join(part.write(number) for part, number in texts)
    written = written.strip(" ,")
    return sign + (written.removesuffix("T") if layout.is_iso else written)


def finest_unit(form: str) -> int:
    """Return the microseconds of the smallest unit that a format writes."""
    return _layout(form).parts[-1].unit


def unit_sizes(form: str) -> tuple[int, ...]:
    """Return the microseconds of every unit that a format writes, the largest first."""
    return tuple(part.unit for part in _layout(form).parts)


def duration_format_error(form: str) -> str | None:
    """Return why a declared format is not supported, or None if it is."""
    try:
        _layout(form)
    except ValueError as error:
        return str(error)
    return None


def duration_formats(cells: Sequence[str]) -> list[str]:
    """Return every known format that reads and reproduces each of `cells`, preferred first.

    `1:30` and `90:00` are minutes and seconds, or hours and minutes; both are returned.
    """
    if not cells or max(map(len, cells)) > LONGEST:
        return []
    head = cells[:SAMPLE]
    if all(map(CLOCK.fullmatch, head)):
        candidates = _clock_candidates(head)
    elif all(map(FRENCH.fullmatch, head)):
        candidates = iter(("%-Hh%M", "%Hh%M", "%-HH%M", "%HH%M"))
    elif all(map(ISO.fullmatch, head)):
        candidates = _iso_candidates(head)
    elif all(map(WORDS.fullmatch, head)):
        candidates = _word_candidates(head)
    else:
        return []
    return [
        form
        for form in dict.fromkeys(candidates)
        if all(_reproduces(cell, form) for cell in head) and all(_reproduces(cell, form) for cell in cells)
    ]


def states_its_units(form: str) -> bool:
    """Return whether a format cannot be a time of day: it has days or names its units."""
    return not re.fullmatch(r"(?:%-?[HMS]|%[1-6]f|[:.])+", form)


@dataclass(frozen=True)
class _Part:
    """One unit of a format: microseconds, digits, whether zero is left out, and the text after it."""

    unit: int
    width: int
    optional: bool
    after: str
    literal: str
    plural: bool

    def write(self, number: int) -> str:
        if self.optional and not number:
            return self.literal
        after = self.after.replace("(s)", "" if number == 1 else "s")
        return f"{number:0{self.width}d}{after}{self.literal}"

    @property
    def pattern(self) -> str:
        after = re.escape(self.after).replace(re.escape("(s)"), "s?")
        if not self.optional:
            return rf"(\d+){after}{re.escape(self.literal)}"
        trimmed = re.escape(self.after.rstrip(" ,")).replace(re.escape("(s)"), "s?")
        return rf"(?:(\d+){trimmed}[ ,]*)?{re.escape(self.literal)}{'?' if self.literal else ''}"


@dataclass(frozen=True)
class _Layout:
    head: str
    parts: tuple[_Part, ...]
    expression: re.Pattern[str]
    is_iso: bool


def _required(part: _Part) -> _Part:
    return _Part(part.unit, part.width, False, part.after, part.literal, part.plural)


@lru_cache(maxsize=4096)
def _layout(form: str) -> _Layout:
    matches = list(CODE.finditer(form))
    letters = [match["letter"] for match in matches]
    order = [("dHMSf".index(letter[-1])) for letter in letters]
    if not matches or order != sorted(set(order)) or "%" in CODE.sub("", form):
        raise ValueError(
            "a duration has the codes %d, %H, %M, %S and %1f to %6f, each at most once and in this order"
        )
    if letters[-1][-1] == "f" and (len(letters) < 2 or letters[-2] != "S"):
        raise ValueError("a fraction follows the seconds (%S)")
    is_iso, parts = form.startswith("P"), []
    for match, following in zip(matches, [*matches[1:], None], strict=True):
        after = form[match.end() : following.start() if following else len(form)]
        literal = ""
        if is_iso and after.endswith("T"):
            after, literal = after[:-1], "T"
        letter = match["letter"]
        fraction = letter[-1] == "f"
        width = int(letter[0]) if fraction else 1 if match["unpadded"] else 2
        unit = 10 ** (6 - width) if fraction else UNITS[letter]
        parts.append(_Part(unit, width, bool(match["optional"]), after, literal, "(s)" in after))
    head = form[: matches[0].start()]
    pattern = rf"(-)?{re.escape(head)}" + "".join(part.pattern for part in parts)
    return _Layout(head, tuple(parts), re.compile(pattern, re.ASCII), is_iso)


def _reproduces(cell: str, form: str) -> bool:
    try:
        return write_duration(read_duration(cell, form), form) == cell
    except ValueError:
        return False


def _clock_candidates(cells: Sequence[str]) -> Iterator[str]:
    matches = [match for cell in cells if (match := CLOCK.fullmatch(cell))]
    match = next((match for match in matches if match["days"]), matches[0])
    fraction = f".%{len(match['fraction'])}f" if match["fraction"] else ""
    bodies = ("%H:%M:%S", "%-H:%M:%S") if match["seconds"] else ("%M:%S", "%-M:%S")
    if not match["seconds"] and not fraction:
        bodies = (*bodies, "%H:%M", "%-H:%M")
    for front in CLOCK_FRONTS if match["days"] else ("",):
        for body in bodies:
            if not front or body.startswith(("%H", "%-H")):
                yield f"{front}{body}{fraction}"


def _iso_candidates(cells: Sequence[str]) -> Iterator[str]:
    date = "".join(cell.partition("T")[0] for cell in cells)
    time = "".join(cell.partition("T")[2] for cell in cells)
    letters = "".join(letter for letter in "HMS" if letter in time)
    for flag in ("?", ""):
        days = f"%{flag}-dD" if "D" in date else ""
        clock = "".join(f"%{flag}-{letter}{letter}" for letter in letters)
        yield f"P{days}{'T' if clock else ''}{clock}"
        if clock:
            yield f"P{days}T" + clock.replace("%?-", "%-").replace("%-", "%")


def _word_candidates(cells: Sequence[str]) -> Iterator[str]:
    """Return formats in words, from the units and gaps that occur."""
    spelled: dict[str, dict[str, None]] = {letter: {} for letter in ORDER}
    gaps: dict[str, None] = {}
    for cell in cells:
        words = list(re.finditer(r"\d+( ?)([A-Za-z]+\.?)(,? ?)", cell))
        for position, match in enumerate(words):
            letter = WORD_UNIT.get(match[2])
            if letter is None:
                return
            spelled[letter][match[1] + match[2]] = None
            if position < len(words) - 1:
                gaps[match[3]] = None
    letters = [letter for letter in ORDER if spelled[letter]]
    units = []
    for letter in letters:
        words_of = list(spelled[letter])
        singular = min(words_of, key=len)
        if len(words_of) == 2 and set(words_of) == {singular, f"{singular}s"}:
            units.append(f"{singular}(s)")
        elif len(words_of) == 1:
            units.append(words_of[0])
        else:
            return
    if len(gaps) > 1 or len(letters) < 2:
        return
    gap = next(iter(gaps), "")
    for flag in ("?", ""):
        for unpadded in (True, False):
            codes = [
                f"%{flag}{'-' if unpadded or not position else ''}{letter}{unit}"
                for position, (letter, unit) in enumerate(zip(letters, units, strict=True))
            ]
            yield gap.join(codes)
