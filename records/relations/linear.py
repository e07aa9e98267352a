"""Linear relations: sums, differences, equalities, linear functions and orders of numbers and moments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from paracosm.records.relations.relation import Narrowing, Spans, position, slack
from paracosm.records.schema.schema import Value


@dataclass(frozen=True)
class Linear:
    """`low <= sum of factor * field <= high`. Moments count in days since 1970.

    Attributes:
        terms: fields and their factors.
        low: least value of the sum; None for no bound.
        high: largest value of the sum; None for no bound.
        text: how it is shown.
        is_implied: whether it follows from two other functions, up to rounding; it is kept, but not shown.
    """

    kind: ClassVar[str] = "linear"

    terms: tuple[tuple[str, float], ...]
    low: float | None
    high: float | None
    text: str
    is_implied: bool = False

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.terms)

    @property
    def is_equation(self) -> bool:
        """Whether all other fields determine one field, up to rounding."""
        return self.low is not None and self.high is not None

    @property
    def computed(self) -> str | None:
        """The field that is rounded, so that it cannot determine the other one; None if no field or any can be computed."""
        rounded = self.low is not None and self.high is not None and self.low < self.high
        return self.terms[0][0] if rounded and len(self.terms) == 2 and not self.is_implied else None

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        total = size = 0.0
        for name, factor in self.terms:
            value = values.get(name)
            if value is None:
                return None
            part = factor * position(value)
            total += part
            size += abs(part)
        error = slack(size)
        return (self.low is None or total >= self.low - error) and (
            self.high is None or total <= self.high + error
        )

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        own = least = most = size = 0.0
        for field, factor in self.terms:
            if field == name:
                own = factor
                continue
            if field in values:
                value = values[field]
                if value is None:
                    return None
                ends = (factor * position(value),) * 2
            elif field in spans:
                ends = (factor * spans[field][0], factor * spans[field][1])
            else:
                return None
            least += min(ends)
            most += max(ends)
            size += max(abs(ends[0]), abs(ends[1]))
        error = slack(size)
        low = None if self.low is None else (self.low - most - error) / own
        high = None if self.high is None else (self.high - least + error) / own
        return Narrowing(low=high, high=low) if own < 0 else Narrowing(low=low, high=high)

    def solve(self, name: str, values: Mapping[str, Value]) -> float | None:
        """Return the position of the field `name` in the middle of what an equation allows; None if a value is missing."""
        others = {field: values.get(field) for field, _ in self.terms if field != name}
        found = self.narrow(name, others, {})
        if found is None or found.low is None or found.high is None:
            return None
        return (found.low + found.high) / 2
