"""Protocol of a fitted statistical method: the distribution of each field, given the fields before it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from paracosm.generate.statistics.columns import Column
from paracosm.recipes.sections.statistical import Statistical


class Conditionals(Protocol):
    """The distributions of all fields of a chain. Fields are given by their index in the order of the chain.

    What is known of a record is a row of positions, one per field before the one in question; see `Column.positions`.
    A probability is a row over the atoms of the field and, last, the missing cell.
    """

    def probabilities(self, index: int, known: np.ndarray) -> np.ndarray:
        """Return the distribution of a field for some records: (records, atoms + 1).

        Args:
            index: of the field.
            known: (records, index), positions of the fields before it.
        """
        ...

    def draw(self, index: int, known: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Return a code of the field for each record, drawn from `probabilities`: (records,).

        Args:
            index: of the field.
            known: (records, index), positions of the fields before it.
            uniforms: (records, 4), random numbers in [0, 1).
        """
        ...

    def probability(self, index: int, known: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the probability of one code for each record: (records,); 0 where the code is not that of an atom."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the fitted arrays by name."""
        ...


Fit = Callable[[Sequence[Column], Sequence[np.ndarray], np.ndarray, Statistical], Conditionals]
"""Fits a method. Arguments: the columns in the order of the chain; per column the codes of the training records, none outside;
(records, columns) their positions; the settings."""
Restore = Callable[[Sequence[Column], Mapping[str, np.ndarray], Statistical], Conditionals]
"""Returns the conditionals of stored arrays."""


def picked(probabilities: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Return an index for each row of probabilities, drawn with one random number each: (rows,)."""
    sums = np.cumsum(probabilities, axis=-1)
    return (sums <= uniforms[:, None] * sums[:, -1:]).sum(axis=1).clip(max=probabilities.shape[-1] - 1)


def of_code(probabilities: np.ndarray, codes: np.ndarray, atoms: int) -> np.ndarray:
    """Return the probability of one code for each row of probabilities."""
    columns = np.where(codes < 0, atoms, codes)
    found: Any = probabilities[np.arange(len(codes)), columns]
    return np.where(codes < -1, 0.0, found)
