"""Products and ratios of numbers, within rounding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from paracosm.records.relations.relation import Narrowing, Span, Spans, quoted, slack
from paracosm.records.schema.schema import Value


@dataclass(frozen=True)
class Product:
    """`first * second * factor == result`, where the result is rounded, or the first number is a rounded ratio.

    Attributes:
        first: a field.
        second: a field.
        result: a field.
        factor: 1, or 0.01 and 100 for percentages.
        tolerance: largest rounding error, of the result or of the ratio.
        ratio: whether the first number is the one that was rounded.
    """

    kind: ClassVar[str] = "product"

    first: str
    second: str
    result: str
    factor: float
    tolerance: float
    ratio: bool = False

    @property
    def text(self) -> str:
        first, second, result = quoted(self.first), quoted(self.second), quoted(self.result)
        if self.ratio:
            factor = "" if self.factor == 1 else f" * {1 / self.factor:g}"
            return f"abs({first} - {result}{factor} / {second}) <= {self.tolerance:g}"
        factor = "" if self.factor == 1 else f" * {self.factor:g}"
        return f"abs({result} - {first} * {second}{factor}) <= {self.tolerance:g}"

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((self.first, self.second, self.result))

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        first, second, result = (values.get(name) for name in (self.first, self.second, self.result))
        if first is None or second is None or result is None:
            return None
        product = float(first) * float(second) * self.factor  # type: ignore[arg-type]
        allowed = self.tolerance * (abs(self.factor * float(second)) if self.ratio else 1.0)  # type: ignore[arg-type]
        return abs(product - float(result)) <= allowed + slack(abs(product) + abs(float(result)))  # type: ignore[arg-type]

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        known: dict[str, Span] = {}
        for field in self.fields - {name}:
            if field in values:
                value = values[field]
                if value is None:
                    return None
                known[field] = (float(value), float(value))  # type: ignore[arg-type]
            elif field in spans:
                known[field] = spans[field]
            else:
                return None
        ends = self._ends(name, known)
        if ends is None:
            return None
        error = slack(max(map(abs, ends)))
        return Narrowing(low=min(ends) - error, high=max(ends) + error)

    def _ends(self, name: str, known: Mapping[str, Span]) -> list[float] | None:
        if name == self.result:
            firsts = _widened(known[self.first], self.tolerance if self.ratio else 0.0)
            products = [self.factor * one * other for one in firsts for other in known[self.second]]
            return list(_widened((min(products), max(products)), 0.0 if self.ratio else self.tolerance))
        other = self.second if name == self.first else self.first
        results = _widened(known[self.result], 0.0 if self.ratio else self.tolerance)
        others = _widened(known[other], self.tolerance if self.ratio and other == self.first else 0.0)
        if others[0] <= 0 <= others[1]:
            return None
        quotients = [result / (self.factor * number) for result in results for number in others]
        wide = self.tolerance if self.ratio and name == self.first else 0.0
        return list(_widened((min(quotients), max(quotients)), wide))

    def solve(self, name: str, values: Mapping[str, Value]) -> float | None:
        """Return the value of the field `name` that the others determine; None if they do not."""
        found = self.narrow(name, {key: value for key, value in values.items() if key != name}, {})
        if found is None or found.low is None or found.high is None:
            return None
        return (found.low + found.high) / 2


def _widened(span: Span, by: float) -> Span:
    return span[0] - by, span[1] + by
