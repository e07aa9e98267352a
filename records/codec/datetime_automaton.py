"""The automaton of all moments between two moments: real dates only, bounds exact, to the precision of the source."""

from calendar import monthrange
from datetime import datetime, timedelta
from functools import cache

from paracosm.records.codec.automaton import Node, Symbols, choices, digits
from paracosm.records.schema.datetime_format import codes_of

PARTS = (("year", 4), ("month", 2), ("day", 2), ("hour", 2), ("minute", 2), ("second", 2), ("microsecond", 6))
LOWEST = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
HIGHEST = {"month": 12, "hour": 23, "minute": 59, "second": 59, "microsecond": 999_999}
CODES = {"month": "mbB", "day": "dj", "hour": "HI", "minute": "M", "second": "S", "microsecond": "f"}
Parts = tuple[int, ...]


def parts_written(form: str) -> int:
    """Return how many of `PARTS`, from the year on, a strftime format writes (all of them for an empty format)."""
    if not form:
        return len(PARTS)
    written = {code[-1] for code in codes_of(form)}
    count = 1
    for position, (part, _) in enumerate(PARTS[1:], start=2):
        if written & set(CODES[part]):
            count = position
    return count


def moment_digits(moment: datetime, parts: int) -> str:
    """Return the first `parts` parts of a moment as digits: year 4, then 2 each, microsecond 6."""
    return "".join(f"{getattr(moment, part):0{width}d}" for part, width in PARTS[:parts])


def moment_of(text: str, parts: int) -> datetime:
    """Read what `moment_digits` wrote."""
    values, position = dict(LOWEST), 0
    for part, width in PARTS[:parts]:
        values[part] = int(text[position : position + width])
        position += width
    return datetime(**values)  # type: ignore[arg-type]


def round_up(moment: datetime, parts: int) -> datetime:
    """Return the first moment from `moment` on that has nothing below the first `parts` parts."""
    rounded = _round_up(moment, parts)
    return datetime(**(LOWEST | dict(zip((part for part, _ in PARTS), rounded, strict=False))))  # type: ignore[arg-type]


def moments(low: datetime, high: datetime, parts: int, symbols: Symbols, stop: int) -> Node:
    """Return the automaton of all moments in [low, high] that have nothing below the first `parts` parts.

    Raises:
        ValueError: no such moment lies in the range.
    """
    lows, highs = _round_up(low, parts), _parts(high, parts)
    if lows > highs:
        raise ValueError(f"no moment of this precision lies between {low} and {high}")

    @cache
    def build(known: Parts, at_low: bool, at_high: bool) -> Node:
        place = len(known)
        part, width = PARTS[place]
        first = lows[place] if at_low else LOWEST[part]
        last = highs[place] if at_high else _top(part, known)
        if place == parts - 1:
            return digits(first, last, width, symbols)
        paths = []
        for value in range(first, last + 1):
            low_next, high_next = at_low and value == first, at_high and value == last
            date = (*known, value)
            # What follows a date prefix off the bounds depends only on the length of its month: share it.
            then = build(date if low_next or high_next else _same_kind(date), low_next, high_next)
            paths.append(([symbols[digit] for digit in f"{value:0{width}d}"], then))
        return choices(paths, stop)

    return build((), True, True)


def _parts(moment: datetime, parts: int) -> Parts:
    return tuple(getattr(moment, part) for part, _ in PARTS[:parts])


def _round_up(moment: datetime, parts: int) -> Parts:
    floor = moment_of(moment_digits(moment, parts), parts)
    if floor == moment:
        return _parts(moment, parts)
    if parts == 1:
        return (moment.year + 1,)
    if parts == 2:
        return (moment.year + moment.month // 12, moment.month % 12 + 1)
    step = {3: timedelta(days=1), 4: timedelta(hours=1), 5: timedelta(minutes=1), 6: timedelta(seconds=1)}[
        parts
    ]
    return _parts(floor + step, parts)


def _top(part: str, known: Parts) -> int:
    return monthrange(known[0], known[1])[1] if part == "day" else HIGHEST[part]


def _same_kind(date: Parts) -> Parts:
    """Return a representative date prefix that has the same continuations."""
    year = 2000 if monthrange(date[0], 2)[1] == 29 else 2001
    if len(date) == 1:
        return (year,)
    if len(date) == 2:
        return {31: (2000, 1), 30: (2000, 4), 29: (2000, 2), 28: (2001, 2)}[monthrange(year, date[1])[1]]
    return (2000, 1, *[0] * (len(date) - 2))
