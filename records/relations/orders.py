"""Search of orders: one number or moment that is never above another."""

from collections.abc import Iterator, Sequence

import numpy as np

from paracosm.records.relations.columns import SAMPLE, NumberColumn
from paracosm.records.relations.evidence import FEWEST_RECORDS, has_evidence
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.relation import quoted


def find_orders(columns: Sequence[NumberColumn], tied: set[frozenset[str]]) -> Iterator[Linear]:
    """Yield the pairs of columns of which one is never above the other.

    Two columns whose ranges hardly overlap are in order by their ranges alone, and give no relation: in a random
    permutation too few records would be out of order.

    Args:
        columns: numbers and moments.
        tied: pairs of columns of which one determines the other, whose order says nothing new.
    """
    if len(columns) < 2:
        return
    table = np.stack([column.values for column in columns])
    sample = table[:, :SAMPLE]
    for low in range(len(columns)):
        for high in range(len(columns)):
            first, second = columns[low], columns[high]
            if (
                low == high
                or first.is_moment != second.is_moment
                or frozenset((first.name, second.name)) in tied
            ):
                continue
            # A comparison with NaN is false, so missing cells violate nothing.
            if (sample[low] > sample[high]).any() or (table[low] > table[high]).any():
                continue
            both = ~(np.isnan(table[low]) | np.isnan(table[high]))
            if int(both.sum()) < FEWEST_RECORDS or (table[low][both] == table[high][both]).all():
                continue
            if has_evidence((table[low][both], table[high][both]), lambda pair: pair[0] <= pair[1]):
                text = f"{quoted(second.name)} >= {quoted(first.name)}"
                yield Linear(((second.name, 1.0), (first.name, -1.0)), 0.0, None, text)
