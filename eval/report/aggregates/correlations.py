"""Correlations of all pairs of columns, in train and in synthetic records, for two matrices side by side."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import drawn_rows
from paracosm.eval.representations.features import as_floats
from paracosm.eval.results.report_data import Correlations
from paracosm.records.schema.schema import Field

MOST_FIELDS = 30
"""Columns of a matrix; more would be too small to read."""
MOST_ROWS = 5000
FEWEST_ROWS = 25
"""Records with both cells present, below which a pair is left out, so that no few records can be seen."""


def correlations(
    fields: Sequence[Field], train: pd.DataFrame, synthetic: pd.DataFrame, seed: int
) -> Correlations | None:
    """Return the correlations of all pairs of structured columns; None with fewer than two of them.

    Two ordered columns: Spearman's coefficient, with its sign. Two columns of categories: Cramer's V. One of each: the correlation
    ratio of ranks. The last two have no sign.
    """
    shown = [field for field in fields if not field.is_text][:MOST_FIELDS]
    if len(shown) < 2:
        return None
    matrices = []
    for table in (train, synthetic):
        part = table.iloc[drawn_rows(len(table), MOST_ROWS, seed)]
        matrices.append(_matrix(shown, [_numbers(field, part[field.name]) for field in shown]))
    return Correlations(fields=[field.name for field in shown], train=matrices[0], synthetic=matrices[1])


def _numbers(field: Field, column: pd.Series) -> np.ndarray:
    """Return ranks of ordered cells and codes of categories; NaN where a cell is missing."""
    if field.ordered and not field.discrete:
        return pd.Series(as_floats(column, field)).rank().to_numpy()
    codes = pd.factorize(column.astype("string"))[0].astype(float)
    return np.where(codes < 0, np.nan, codes)


def _matrix(fields: Sequence[Field], columns: Sequence[np.ndarray]) -> list[list[float | None]]:
    ordered = [field.ordered and not field.discrete for field in fields]
    size = len(fields)
    matrix: list[list[float | None]] = [[1.0] * size for _ in range(size)]
    for one in range(size):
        for other in range(one):
            both = ~np.isnan(columns[one]) & ~np.isnan(columns[other])
            pair = columns[one][both], columns[other][both]
            value = _association(pair, (ordered[one], ordered[other])) if both.sum() >= FEWEST_ROWS else None
            matrix[one][other] = matrix[other][one] = value
    return matrix


def _association(pair: tuple[np.ndarray, np.ndarray], ordered: tuple[bool, bool]) -> float | None:
    if min(np.ptp(pair[0]), np.ptp(pair[1])) == 0:
        return None
    if all(ordered):
        return float(np.corrcoef(*pair)[0, 1])
    if any(ordered):
        ranks, codes = pair if ordered[0] else pair[::-1]
        return _correlation_ratio(ranks, codes.astype(int))
    return _cramers_v(pair[0].astype(int), pair[1].astype(int))


def _correlation_ratio(values: np.ndarray, codes: np.ndarray) -> float:
    counts, sums = np.bincount(codes), np.bincount(codes, weights=values)
    present = counts > 0
    between = (counts[present] * (sums[present] / counts[present] - values.mean()) ** 2).sum()
    return float(np.sqrt(between / ((values - values.mean()) ** 2).sum()))


def _cramers_v(one: np.ndarray, other: np.ndarray) -> float:
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    chi2 = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi2 / table.sum() / (min(table.shape) - 1)))
