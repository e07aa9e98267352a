"""Automaton of all datetimes in a range: valid dates only, exact bounds, in the precision of the source."""

from calendar import monthrange
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from paracosm.records.codec.automata.automaton import Node, Symbols, digits, prefix_tree
from paracosm.records.formats.datetimes.codes import codes_of, fraction_digits

PARTS = (("year", 4), ("month", 2), ("day", 2), ("hour", 2), ("minute", 2), ("second", 2), ("microsecond", 6))
LOWEST = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
HIGHEST = {"month": 12, "hour": 23, "minute": 59, "second": 59}
MICROSECOND_DIGITS = 6
CODES = {"month": "mbB", "day": "dj", "hour": "HI", "minute": "M", "second": "S", "microsecond": "f"}
STEPS = {3: timedelta(days=1), 4: timedelta(hours=1), 5: timedelta(minutes=1), 6: timedelta(seconds=1)}
"""Number of parts that are written -> time between neighbouring moments."""
FIRST_MOMENT = datetime(1, 1, 1)
Parts = tuple[int, ...]
"""Values of the first parts of a datetime, from the year on; a fraction in units of its last digit."""
Widths = tuple[tuple[str, int], ...]
"""The first `PARTS`, from the year on, each with its number of digits."""


def parts_written(form: str) -> Widths:
    """Return the parts, from the year on, that a format writes; all for an empty format."""
    if not form:
        return PARTS
    written = {code[-1] for code in codes_of(form)}
    count = 1
    for position, (part, _) in enumerate(PARTS[1:], start=2):
        if written & set(CODES[part]):
            count = position
    return (*PARTS[:6], ("microsecond", fraction_digits(form))) if count == len(PARTS) else PARTS[:count]


def moment_digits(moment: datetime, parts: Widths) -> str:
    """Return the first parts of a datetime as digits: 4 for the year, those of the fraction, else 2."""
    return "".join(
        f"{value:0{width}d}" for value, (_, width) in zip(_parts(moment, parts), parts, strict=True)
    )


def moment_of(text: str, parts: Widths) -> datetime:
    """Return the datetime of digits: the inverse of `moment_digits`."""
    values, position = [], 0
    for _, width in parts:
        values.append(int(text[position : position + width]))
        position += width
    return _moment(tuple(values), parts)


def round_up(moment: datetime, parts: Widths) -> datetime:
    """Return a datetime rounded up to the precision of some parts."""
    return _moment(_round_up(moment, parts), parts)


def moment_numbering(parts: Widths) -> tuple[Callable[[datetime], int], Callable[[int], datetime]]:
    """Return the conversions of the datetimes of some parts to whole numbers without gaps, in their order, and back."""
    if len(parts) == 1:
        return (lambda moment: moment.year), (lambda number: datetime(number, 1, 1))
    if len(parts) == 2:
        return (
            lambda moment: moment.year * 12 + moment.month - 1,
            lambda number: datetime(number // 12, number % 12 + 1, 1),
        )
    step = _step(parts)
    return (lambda moment: (moment - FIRST_MOMENT) // step), (lambda number: FIRST_MOMENT + number * step)


def moments(low: datetime, high: datetime, parts: Widths, symbols: Symbols, stop: int) -> Node:
    """Return the automaton of all datetimes in [low, high], in the precision of some parts.

    Args:
        low: first datetime.
        high: last datetime.
        parts: the parts that are written; see `parts_written`.
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
        part, width = parts[index]
        first = lows[index] if at_low else LOWEST[part]
        last = highs[index] if at_high else _top(part, width, prefix)
        if index == len(parts) - 1:
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


def _unit(part: str, width: int) -> int:
    """Return the value of the last digit of a part: more than one for fractions with less than 6 digits."""
    return 10 ** (MICROSECOND_DIGITS - width) if part == "microsecond" else 1


def _step(parts: Widths) -> timedelta:
    """Return the time between neighbouring moments of some parts, which write days or finer ones."""
    return STEPS.get(len(parts)) or timedelta(microseconds=_unit(*parts[-1]))


def _parts(moment: datetime, parts: Widths) -> Parts:
    return tuple(getattr(moment, part) // _unit(part, width) for part, width in parts)


def _moment(values: Parts, parts: Widths) -> datetime:
    written = {part: value * _unit(part, width) for value, (part, width) in zip(values, parts, strict=True)}
    return datetime(**(LOWEST | written))  # type: ignore[arg-type]


def _round_up(moment: datetime, parts: Widths) -> Parts:
    floor = moment_of(moment_digits(moment, parts), parts)
    if floor == moment:
        return _parts(moment, parts)
    if len(parts) == 1:
        return (moment.year + 1,)
    if len(parts) == 2:
        return (moment.year + moment.month // 12, moment.month % 12 + 1)
    step = _step(parts)
    return _parts(floor + step, parts)


def _top(part: str, width: int, prefix: Parts) -> int:
    if part == "microsecond":
        return 10**width - 1
    return monthrange(prefix[0], prefix[1])[1] if part == "day" else HIGHEST[part]


def _representative(date: Parts) -> Parts:
    """Return a fixed date prefix that has the same continuations as `date`."""
    year = 2000 if monthrange(date[0], 2)[1] == 29 else 2001
    if len(date) == 1:
        return (year,)
    if len(date) == 2:
        return {31: (2000, 1), 30: (2000, 4), 29: (2000, 2), 28: (2001, 2)}[monthrange(year, date[1])[1]]
    return (2000, 1, *[0] * (len(date) - 2))
