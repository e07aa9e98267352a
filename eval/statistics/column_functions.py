"""Orthonormal functions of a column: a few numbers per row that carry its distribution and its relations to other columns."""

import numpy as np
import pandas as pd

from paracosm.eval.representations.features import as_floats, as_words
from paracosm.records.schema.schema import Field

MOST_LEVELS = 12
FEWEST_IN_LEVEL = 10
SMALLEST_LEVEL = 0.01
"""Share of the rows below which a category is joined with the other rare ones."""
NEGLIGIBLE = 1e-2


def column_functions(field: Field, column: pd.Series, degree: int = 2) -> np.ndarray:
    """Return orthonormal functions of one column (rows x functions), each with mean 0 and mean square 1 over the rows.

    Ordered values: Legendre polynomials of the rank up to `degree`, so that neither units nor outliers matter; missing cells
    get a function of their own. Categories: the span of the indicators of at most 12 levels, rare ones joined. A text counts by
    its length. A constant column has no function.

    Args:
        field: of the column.
        column: all rows that are compared with each other, so that no side is favoured.
        degree: of the polynomials.
    """
    if field.discrete:
        return _orthonormal(_indicators(as_words(column)))
    return _orthonormal(_rank_polynomials(ordered_values(field, column), degree))


def ordered_values(field: Field, column: pd.Series) -> np.ndarray:
    """Return the numbers that order a column: its values, or the lengths of its texts; missing cells are NaN."""
    if not field.is_text:
        return as_floats(column, field)
    return column.astype("string").str.len().astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)


def _rank_polynomials(values: np.ndarray, degree: int) -> np.ndarray:
    from scipy.stats import rankdata

    present = ~np.isnan(values)
    rank = np.zeros(len(values))
    if present.any():
        rank[present] = 2 * (rankdata(values[present]) - 0.5) / present.sum() - 1
    powers = np.polynomial.legendre.legvander(rank, degree)[:, 1:] * present[:, None]
    # A function that differs in a few rows alone would let these few decide.
    counted = _enough(len(values)) <= present.sum() <= len(values) - _enough(len(values))
    return np.column_stack([powers, ~present]) if counted else powers


def _indicators(words: np.ndarray) -> np.ndarray:
    counts = pd.Series(words).value_counts()
    frequent = counts.index[counts >= _enough(len(words))]
    # Ties are broken by the word: the order of the rows may not matter.
    levels = sorted(frequent, key=lambda word: (-counts[word], word))[:MOST_LEVELS]
    return np.column_stack([words == level for level in levels]) if levels else np.zeros((len(words), 0))


def _enough(rows: int) -> float:
    """Return how many rows a level needs to have a function of its own."""
    return max(FEWEST_IN_LEVEL, SMALLEST_LEVEL * rows)


def _orthonormal(columns: np.ndarray) -> np.ndarray:
    """Return columns with their mean and, in their order, all earlier ones taken out; what then hardly varies is left out."""
    columns = columns.astype(np.float64)
    centred = columns - columns.mean(axis=0)
    scale = np.sqrt((centred**2).mean(axis=0))
    centred = centred[:, scale > 0] / scale[scale > 0]
    if not centred.shape[1] or not len(centred):
        return np.zeros((len(columns), 0))
    directions, remaining = np.linalg.qr(centred / np.sqrt(len(centred)))
    # Indicators of all levels add up to 1: the last one has nothing of its own.
    varies = np.abs(np.diag(remaining)) > NEGLIGIBLE
    return directions[:, varies] * np.sqrt(len(centred))
