"""The method `marginals`: every field by its own distribution, independent of all others. The floor of what a strategy can do."""

from collections.abc import Mapping, Sequence

import numpy as np

from paracosm.generate.statistics.columns import MISSING, Column
from paracosm.generate.statistics.conditionals import of_code
from paracosm.recipes.sections.statistical import Statistical


class Marginals:
    """The distribution of each column alone."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._shares = [distribution(column) for column in columns]

    def probabilities(self, index: int, known: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self._shares[index], (len(known), len(self._shares[index])))

    def draw(self, index: int, known: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        return drawn_codes(self._shares[index], uniforms[:, 0])

    def probability(self, index: int, known: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return of_code(self.probabilities(index, known), codes, len(self._shares[index]) - 1)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}


def drawn_codes(shares: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Return a code for each random number, drawn from the shares of the atoms and, last, of the missing cell."""
    sums = np.cumsum(shares)
    codes = np.searchsorted(sums, uniforms * sums[-1], side="right").clip(max=len(shares) - 1)
    return np.where(codes == len(shares) - 1, MISSING, codes)


def distribution(column: Column) -> np.ndarray:
    """Return the shares of the atoms of a column and, last, of the missing cell."""
    counts = np.append(column.counts, column.missing).astype(np.float64)
    return counts / max(counts.sum(), 1.0)


def fit_marginals(
    columns: Sequence[Column], codes: Sequence[np.ndarray], positions: np.ndarray, settings: Statistical
) -> Marginals:
    """Return the marginals of some columns; see `Fit`."""
    return Marginals(columns)


def restore_marginals(
    columns: Sequence[Column], arrays: Mapping[str, np.ndarray], settings: Statistical
) -> Marginals:
    """Return the marginals of some columns; see `Restore`."""
    return Marginals(columns)
