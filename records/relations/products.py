"""Search of products and ratios: a column that is the product of two others, or two that give a rounded ratio."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from paracosm.records.relations.columns import SAMPLE, NumberColumn, fullest
from paracosm.records.relations.evidence import holds_throughout
from paracosm.records.relations.product import Product
from paracosm.records.relations.relation import slack

FACTORS = (1.0, 0.01, 100.0)
"""1, and those of percentages."""
FEWEST_VALUES = 3
"""Fewest distinct values of every column of a product."""


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
                differs = np.abs(product - sample) > wide * 0.5 + slack(0.0) + 1e-12 * np.abs(product)
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
    for relation, first, second in candidates:

        def differs(
            numbers: tuple[NDArray[np.float64], ...], relation: Product = relation
        ) -> NDArray[np.bool_]:
            product = relation.factor * numbers[0] * numbers[1]
            allowed = relation.tolerance * (np.abs(relation.factor * numbers[1]) if relation.ratio else 1.0)
            return np.abs(product - numbers[2]) > allowed + 1e-12 + 1e-13 * np.abs(product)  # type: ignore[no-any-return]

        if holds_throughout((first, second, result), differs):
            return relation
    return None
