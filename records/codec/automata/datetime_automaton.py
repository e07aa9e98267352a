"""Automaton of all datetimes in a range: valid dates only, exact bounds, in the precision of the source."""

from calendar import monthrange
from datetime import datetime, timedelta
from functools import cache

from paracosm.records.codec.automata.automaton import Node, Symbols, digits, prefix_tree
from paracosm.records.formats.datetime_format import codes_of

PARTS = (("year", 4), ("month", 2), ("day", 2), ("hour", 2), ("minute", 2), ("second", 2), ("microsecond", 6))
LOWEST = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
HIGHEST = {"month": 12, "hour": 23, "minute": 59, "second": 59, "microsecond": 999_999}
CODES = {"month": "mbB", "day": "dj", "hour": "HI", "minute": "M", "second": "S", "microsecond": "f"}
Parts = tuple[int, ...]
"""Values of the first parts of a datetime, from the year on."""


def parts_written(form: str) -> int:
    """Return the number of `PARTS`, from the year on, that a strftime format writes; all for an empty format."""
    if not form:
        return len(PARTS)
    written = {code[-1] for code in codes_of(form)}
    count = 1
    for position, (part, _) in enumerate(PARTS[1:], start=2):
        if written & set(CODES[part]):
            count = position
    return count


def moment_digits(moment: datetime, parts: int) -> str:
    """Return the first `parts` parts of a datetime as digits: 4 for the year, 6 for the microsecond, else 2."""
    return "".join(f"{getattr(moment, part):0{width}d}" for part, width in PARTS[:parts])


def moment_of(text: str, parts: int) -> datetime:
    """Return the datetime of digits: the inverse of `moment_digits`."""
    values, position = dict(LOWEST), 0
    for part, width in PARTS[:parts]:
        values[part] = int(text[position : position + width])
        position += width
    return datetime(**values)  # type: ignore[arg-type]


def round_up(moment: datetime, parts: int) -> datetime:
    """Return a datetime rounded up to the precision of its first `parts` parts."""
    rounded = _round_up(moment, parts)
    return datetime(**(LOWEST | dict(zip((part for part, _ in PARTS), rounded, strict=False))))  # type: ignore[arg-type]


def moments(low: datetime, high: datetime, parts: int, symbols: Symbols, stop: int) -> Node:
    """Return the automaton of all datetimes in [low, high], in the precision of the first `parts` parts.

    Args:
        low: first datetime.
        high: last datetime.
        parts: number of parts that are written; see `PARTS`.
        symbols: "0" to "9" -> token id.
        stop: token that ends a path which is a prefix of another path.

    Raises:
        ValueError: no datetime of this precision lies in the range.
    """
    lows, highs = _round_up(low, parts), _parts(high, parts)
    if lows > highs:
        raise ValueError(f"no moment of this precision lies between {low} and {high}")

    @cache
    def build(prefix: Parts, at_low: bool, at_high: bool) -> Node:
        index = len(prefix)
        part, width = PARTS[index]
        first = lows[index] if at_low else LOWEST[part]
        last = highs[index] if at_high else _top(part, prefix)
        if index == parts - 1:
            return digits(first, last, width, symbols)
        paths = []
        for value in range(first, last + 1):
            low_next, high_next = at_low and value == first, at_high and value == last
            date = (*prefix, value)
            # Away from the bounds, what follows depends on the length of the month alone, so states are shared.
            then = build(date if low_next or high_next else _representative(date), low_next, high_next)
            paths.append(([symbols[digit] for digit in f"{value:0{width}d}"], then))
        return prefix_tree(paths, stop)

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


def _top(part: str, prefix: Parts) -> int:
    return monthrange(prefix[0], prefix[1])[1] if part == "day" else HIGHEST[part]


def _representative(date: Parts) -> Parts:
    """Return a fixed date prefix that has the same continuations as `date`."""
    year = 2000 if monthrange(date[0], 2)[1] == 29 else 2001
    if len(date) == 1:
        return (year,)
    if len(date) == 2:
        return {31: (2000, 1), 30: (2000, 4), 29: (2000, 2), 28: (2001, 2)}[monthrange(year, date[1])[1]]
    return (2000, 1, *[0] * (len(date) - 2))
