"""A relation between fields: what every kind of relation answers, and the values that it leaves a field."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from keyword import iskeyword
from typing import ClassVar, Protocol

from paracosm.records.schema.schema import Value

EPOCH = datetime(1970, 1, 1)
DAY = timedelta(days=1)
RELATIVE, ABSOLUTE = 4e-15, 1e-12
"""Rounding errors of floats. Moments count in days, so a larger share would let moments pass that are milliseconds apart."""
Span = tuple[float, float]
Spans = Mapping[str, Span]
"""Name of a field that is never missing -> its smallest and largest value, as positions."""


@dataclass(frozen=True)
class Narrowing:
    """The values that relations leave a field.

    Attributes:
        values: the allowed values, without the missing one; None for all.
        low: smallest position; None for no bound.
        high: largest position; None for no bound.
        excluded: values that are not allowed, the missing one included.
        missing: True if the value has to be missing, False if it may not be, None if both are allowed.
        empty: whether relations contradict each other, so that no value is left.
    """

    values: frozenset[Value] | None = None
    low: float | None = None
    high: float | None = None
    excluded: frozenset[Value] = frozenset()
    missing: bool | None = None
    empty: bool = False

    def __and__(self, other: "Narrowing") -> "Narrowing":
        """Return what both leave."""
        values = self.values if other.values is None else other.values
        if self.values is not None and other.values is not None and self.values is not other.values:
            values = self.values & other.values
        lows = [bound for bound in (self.low, other.low) if bound is not None]
        highs = [bound for bound in (self.high, other.high) if bound is not None]
        missing = self.missing if other.missing is None else other.missing
        clash = self.missing is not None and other.missing is not None and self.missing != other.missing
        return Narrowing(
            values,
            max(lows) if lows else None,
            min(highs) if highs else None,
            self.excluded | other.excluded,
            missing,
            clash or self.empty or other.empty,
        )

    def allows(self, value: Value) -> bool:
        """Return whether a value of a field is left, except for what `missing` says of the missing one."""
        if value in self.excluded:
            return False
        if value is None or (self.low is None and self.high is None):
            return True
        at = position(value)
        return (self.low is None or at >= self.low) and (self.high is None or at <= self.high)


class Relation(Protocol):
    """A relation that holds in every training record.

    Attributes:
        kind: name of the family, as it is stored.
        text: how it is shown and named in a recipe; where the rule language has words for it, an expression.
    """

    kind: ClassVar[str]

    @property
    def text(self) -> str: ...

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields that it reads."""
        ...

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        """Return whether known values agree with it; None if they do not decide it."""
        ...

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        """Return the values that known values of other fields leave the field `name`; None for all.

        Args:
            name: a field that the relation reads.
            values: of the fields that are known.
            spans: of all fields that cannot be missing; they bound what fields that are not known yet can be.
        """
        ...


def position(value: Value) -> float:
    """Return a number as it is, and a moment in days since 1970."""
    return (value - EPOCH) / DAY if isinstance(value, datetime) else float(value)  # type: ignore[arg-type]


def moment_at(days: float, *, up: bool) -> datetime:
    """Return the moment at a position, a microsecond further `up` or down because positions are rounded."""
    shift = timedelta(microseconds=1)
    try:
        return EPOCH + timedelta(days=days) + (shift if up else -shift)
    except OverflowError:
        return datetime.max if days > 0 else datetime.min


def slack(size: float) -> float:
    """Return the rounding error of a sum whose terms have the magnitude `size` together."""
    return ABSOLUTE + RELATIVE * size


def quoted(name: str) -> str:
    """Return the name of a field as an expression writes it: in backticks unless it is a plain word."""
    plain = name.isidentifier() and not iskeyword(name) and name != "then"
    return name if plain else "`" + name.replace("`", "``") + "`"
