"""The values that constraints leave a field, above tokens: a list or a range, and whether the cell may be missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from paracosm.records.codec.restriction import limits_within, next_value
from paracosm.records.constraints.bounds import Bounds, intersection
from paracosm.records.schema.schema import Field, Value


@dataclass(frozen=True, eq=False)
class AllowedValues:
    """The values that constraints leave a field. Compared by identity, because constraints keep and return the same ones.

    Attributes:
        values: the present values that are allowed; None for all between `low` and `high`.
        low: smallest allowed value; None for that of the domain. Only with an ordered field.
        high: largest allowed value, likewise.
        missing: whether the cell may be missing, where the field is nullable.
    """

    values: tuple[Value, ...] | None = None
    low: Value = None
    high: Value = None
    missing: bool = True

    @property
    def all_present(self) -> bool:
        """Whether every present value of the domain is allowed."""
        return self.values is None and self.low is None and self.high is None

    @property
    def everything(self) -> bool:
        """Whether the whole domain is allowed, a missing cell included."""
        return self.all_present and self.missing


EVERYTHING = AllowedValues()
PRESENT = AllowedValues(missing=False)
MISSING = AllowedValues(values=())


def listed(field: Field, values: Sequence[Value]) -> AllowedValues | None:
    """Return what allows some values of a field, None for a missing cell among them; None if there are none."""
    present = tuple(value for value in values if value is not None)
    missing = field.nullable and None in values
    return AllowedValues(present, missing=missing) if present or missing else None


def within(field: Field, intervals: Sequence[Bounds | None], *, missing: bool) -> AllowedValues | None:
    """Return what allows the values in the intersection of intervals, or None if there are none.

    Args:
        field: whose values they are; without an order, intervals do not restrict it.
        intervals: None does not restrict.
        missing: whether the cell may be missing.
    """
    missing = missing and field.nullable
    solved = [interval for interval in intervals if interval is not None]
    if not solved or not field.ordered:
        return EVERYTHING if missing or not field.nullable else PRESENT
    common = solved[0]
    for interval in solved[1:]:
        common = intersection(common, interval)
    low = next_value(common.low, up=True) if common.low_strict else common.low
    high = next_value(common.high, up=False) if common.high_strict else common.high
    limits = limits_within(field, low, high)
    if limits is None:
        return MISSING if missing else None
    return AllowedValues(low=limits[0], high=limits[1], missing=missing)
