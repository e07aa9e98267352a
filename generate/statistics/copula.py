"""The method `copula`: a Gaussian copula. Only the order of values and their linear relation in normal scores are kept.

Source: Sklar 1959; Patki, Wedge and Veeramachaneni 2016, The Synthetic Data Vault. Every atom of a column is an interval of
a standard normal variable, in the order of values; categories are ordered by frequency, and a missing cell comes last. The
score of a known value is the middle of its interval. A field is normal given the scores of the fields before it, with the mean of
a linear regression.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from paracosm.generate.statistics.columns import MISSING, Column
from paracosm.generate.statistics.conditionals import of_code, picked
from paracosm.generate.statistics.marginals import distribution
from paracosm.recipes.sections.statistical import Statistical

RIDGE = 1e-3
LEAST_VARIANCE = 1e-4


class Copula:
    """A Gaussian copula as a chain of regressions on normal scores.

    Attributes:
        columns: in the order of the chain.
        weights: (columns, columns) row i holds the weights of the scores of the columns before column i.
    """

    def __init__(self, columns: Sequence[Column], weights: np.ndarray, variances: np.ndarray) -> None:
        self.columns, self.weights, self.variances = columns, weights, variances
        self._orders = [_order(column) for column in columns]
        self._bounds = [_bounds(column, order) for column, order in zip(columns, self._orders, strict=True)]

    def probabilities(self, index: int, known: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        scores = self._scores(known)
        mean = scores @ self.weights[index, :index]
        bounds = (self._bounds[index][None] - mean[:, None]) / np.sqrt(self.variances[index])
        shares = np.diff(ndtr(bounds), axis=1)
        found = np.zeros_like(shares)
        found[:, self._orders[index]] = shares
        return found

    def draw(self, index: int, known: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        codes = picked(self.probabilities(index, known), uniforms[:, 0])
        return np.where(codes == len(self.columns[index].low), MISSING, codes)

    def probability(self, index: int, known: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return of_code(self.probabilities(index, known), codes, len(self.columns[index].low))

    def _scores(self, known: np.ndarray) -> np.ndarray:
        """Return the normal scores of known fields: (records, fields)."""
        scores = np.zeros_like(known)
        for at in range(known.shape[1]):
            scores[:, at] = scores_of(self.columns[at], known[:, at])
        return scores

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights, "variances": self.variances}


def _order(column: Column) -> np.ndarray:
    """Return the atoms of a column in the order of its normal variable, the missing cell last."""
    atoms = np.arange(len(column.low))
    order = atoms if column.field.ordered else np.argsort(-column.counts, kind="stable")
    return np.append(order, len(column.low))


def _bounds(column: Column, order: np.ndarray) -> np.ndarray:
    """Return the bounds of the intervals of the atoms, in the order of the variable: (atoms + 2,)."""
    from scipy.special import ndtri

    sums = np.cumsum(distribution(column)[order])
    return ndtri(np.concatenate([[0.0], np.clip(sums, 0.0, 1.0)[:-1], [1.0]]))


def scores_of(column: Column, positions: np.ndarray) -> np.ndarray:
    """Return the normal scores of values: of the middle of the interval of each."""
    from scipy.special import ndtri

    total = column.counts.sum() + column.missing
    present = column.counts.sum() / max(total, 1)
    absent = np.isnan(positions)
    if column.field.ordered:
        at = np.nan_to_num(positions) * present
    else:
        order = _order(column)[:-1]
        middles = np.empty(len(order))
        counts = column.counts[order] / max(total, 1)
        middles[order] = np.cumsum(counts) - counts / 2
        at = middles[np.nan_to_num(positions).astype(np.int64)]
    return ndtri(np.clip(np.where(absent, (1 + present) / 2, at), 1e-4, 1 - 1e-4))


def fit_copula(
    columns: Sequence[Column], codes: Sequence[np.ndarray], positions: np.ndarray, settings: Statistical
) -> Copula:
    """Fit a Gaussian copula; see `Fit`."""
    scores = np.stack([scores_of(column, positions[:, at]) for at, column in enumerate(columns)], axis=1)
    covariance = scores.T @ scores / len(scores)
    weights, variances = np.zeros_like(covariance), np.ones(len(columns))
    for index in range(len(columns)):
        before = covariance[:index, :index] + RIDGE * np.eye(index)
        cross = covariance[:index, index]
        weights[index, :index] = np.linalg.solve(before, cross)
        # The variable itself has variance 1; that of its middles is smaller where intervals are wide.
        variances[index] = max(1.0 - cross @ weights[index, :index], LEAST_VARIANCE)
    return Copula(columns, weights, variances)


def restore_copula(
    columns: Sequence[Column], arrays: Mapping[str, np.ndarray], settings: Statistical
) -> Copula:
    """Return the copula of stored arrays; see `Restore`."""
    return Copula(columns, arrays["weights"], arrays["variances"])
