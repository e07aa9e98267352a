"""Products and ratios: a column that is the product of two others, or two that give a rounded ratio."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from paracosm.records.relations.columns import SAMPLE, NumberColumn, fullest
from paracosm.records.relations.evidence import holds_throughout
from paracosm.records.relations.relation import ABSOLUTE, RELATIVE, Narrowing, Span, Spans, quoted, slack
from paracosm.records.schema.schema import Value

FACTORS = (1.0, 0.01, 100.0)
"""1, and those of percentages."""
FEWEST_VALUES = 3
"""Fewest distinct values of every column of a product."""


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

    @property
    def computed(self) -> str:
        """The field that was rounded."""
        return self.first if self.ratio else self.result

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
        others = {field: values.get(field) for field in self.fields if field != name}
        found = self.narrow(name, others, {})
        if found is None or found.low is None or found.high is None:
            return None
        return (found.low + found.high) / 2


def _widened(span: Span, by: float) -> Span:
    return span[0] - by, span[1] + by


def find_products(columns: Sequence[NumberColumn]) -> Iterator[Product]:
    """Yield the products and ratios among three columns."""
    numbers = [
        column
        for column in columns
        if not column.is_moment
        and column.unit
        and len(np.unique(column.values[: 4 * SAMPLE])) >= FEWEST_VALUES
    ]
    if len(numbers) < 3:
        return
    table = np.stack([column.values for column in numbers])
    sample = fullest(table)
    units = np.array([column.unit for column in numbers])
    for one, other in combinations(range(len(numbers)), 2):
        for factor in FACTORS:
            product = factor * sample[one] * sample[other]
            # The widest rounding: of the result, or of a ratio that is multiplied by the other column.
            wide = np.maximum(
                units[:, None],
                np.maximum(units[one] * np.abs(sample[other]), units[other] * np.abs(sample[one])) * factor,
            )
            with np.errstate(invalid="ignore"):
                differs = np.abs(product - sample) > wide * 0.5 + ABSOLUTE + 1e-12 * np.abs(product)
            for result in np.flatnonzero(~differs.any(axis=1)):
                if result not in (one, other):
                    found = _checked(numbers[one], numbers[other], numbers[result], factor)
                    if found is not None:
                        yield found


def _checked(one: NumberColumn, other: NumberColumn, result: NumberColumn, factor: float) -> Product | None:
    candidates = (
        (Product(one.name, other.name, result.name, factor, result.unit / 2), one, other),
        (Product(one.name, other.name, result.name, factor, one.unit / 2, ratio=True), one, other),
        (Product(other.name, one.name, result.name, factor, other.unit / 2, ratio=True), other, one),
    )

    def allowed_error(candidate: tuple[Product, NumberColumn, NumberColumn]) -> float:
        relation, _, second = candidate
        return relation.tolerance * (
            factor * float(np.nanmean(np.abs(second.values))) if relation.ratio else 1.0
        )

    # Several forms may hold; the strictest says how the numbers were computed.
    for relation, first, second in sorted(candidates, key=allowed_error):

        def differs(
            numbers: tuple[NDArray[np.float64], ...], relation: Product = relation
        ) -> NDArray[np.bool_]:
            product = relation.factor * numbers[0] * numbers[1]
            allowed = relation.tolerance * (np.abs(relation.factor * numbers[1]) if relation.ratio else 1.0)
            return np.abs(product - numbers[2]) > allowed + ABSOLUTE + RELATIVE * np.abs(product)  # type: ignore[no-any-return]

        if holds_throughout((first, second, result), differs):
            return relation
    return None
