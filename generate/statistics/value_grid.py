"""The grid of a field: its values numbered without gaps, in their order, in the precision of the field."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from paracosm.records.codec.automata.datetime_automaton import parts_written
from paracosm.records.formats.duration_format import finest_unit
from paracosm.records.formats.time_format import DAY, on_day
from paracosm.records.schema.schema import Field, Value

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1, 1, 1)
UNITS = {3: 86_400_000_000, 4: 3_600_000_000, 5: 60_000_000, 6: 1_000_000}
"""Number of parts that a format writes, from the year on -> microseconds between neighbouring moments."""
DATE_CODES = "%Y%m%d"


@dataclass(frozen=True)
class Grid:
    """The numbered values of a field with a closed domain.

    Attributes:
        first: number of the smallest value, or of the first of a list.
        last: number of the largest value, or of the last of a list.
        index: returns the number of a value.
        value: returns the value of a number.
    """

    first: int
    last: int
    index: Callable[[Any], int]
    value: Callable[[int], Value]

    def __len__(self) -> int:
        return self.last - self.first + 1


def grid_of(field: Field) -> Grid:
    """Return the grid of a field that is not a text."""
    if not field.ordered:
        return _listed([False, True] if field.type == "boolean" else list(field.categories))
    index, value = {
        "integer": _whole,
        "number": _number,
        "datetime": _moment,
        "time": _time_of_day,
        "duration": _duration,
    }[field.type](field)
    first = index(field.kind.round_inward(field, field.minimum, up=True))
    last = index(field.kind.round_inward(field, field.maximum, up=False))
    return Grid(first, last, index, value)


def _listed(values: list[Any]) -> Grid:
    numbers = {value: number for number, value in enumerate(values)}
    return Grid(0, len(values) - 1, numbers.__getitem__, values.__getitem__)


Maps = tuple[Callable[[Any], int], Callable[[int], Value]]


def _whole(field: Field) -> Maps:
    return int, int


def _number(field: Field) -> Maps:
    if field.scientific:
        return _scientific(field.scientific)
    unit = 10**field.decimals
    # The quotient of two exact integers is the float nearest to the decimal, as parsing its text gives.
    return (lambda value: round(value * unit)), (lambda number: number / unit + 0.0)


def _scientific(digits: int) -> Maps:
    """Number the floats of so many significant digits: magnitude after magnitude, zero in the middle."""
    smallest = 10 ** (digits - 1)
    a_decade = 9 * smallest
    # Below this magnitude a float has fewer digits than a column may have.
    lowest = -307

    def index(value: float) -> int:
        if abs(value) < 10.0**lowest:
            return 0
        mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
        whole = int(mantissa.replace(".", ""))
        number = (int(exponent) - lowest) * a_decade + whole - smallest + 1
        return number if value > 0 else -number

    def value(number: int) -> float:
        if number == 0:
            return 0.0
        decade, rest = divmod(abs(number) - 1, a_decade)
        return math.copysign(float(f"{rest + smallest}e{decade + lowest - digits + 1}"), number)

    return index, value


def _moment(field: Field) -> Maps:
    parts = parts_written(field.format)
    if len(parts) == 1:
        return (lambda value: value.year), (lambda number: datetime(number, 1, 1))
    if len(parts) == 2:
        return (
            lambda value: value.year * 12 + value.month - 1,
            lambda number: datetime(number // 12, number % 12 + 1, 1),
        )
    unit = _unit(parts)
    return (
        lambda value: (value - EPOCH) // MICROSECOND // unit,
        lambda number: EPOCH + number * unit * MICROSECOND,
    )


def _time_of_day(field: Field) -> Maps:
    unit = _unit(parts_written(DATE_CODES + field.format if field.format else ""))
    return (
        lambda value: (on_day(value) - DAY) // MICROSECOND // unit,
        lambda number: (DAY + number * unit * MICROSECOND).time(),
    )


def _unit(parts: tuple[tuple[str, int], ...]) -> int:
    """Return the microseconds between neighbouring moments of a format that writes days or finer parts."""
    return UNITS.get(len(parts)) or 10 ** (6 - parts[-1][1])


def _duration(field: Field) -> Maps:
    unit = finest_unit(field.format)
    return (lambda value: value // MICROSECOND // unit), (lambda number: number * unit * MICROSECOND)
