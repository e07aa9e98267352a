"""Joint moments of columns in two samples, and the part of their difference that is beyond sampling noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paracosm.eval.statistics.row_blocks import Draws, RowBlocks


@dataclass(frozen=True)
class Difference:
    """How far the joint moments of some columns in the first sample are from those in the second.

    `distance` and `size` are without the part that sampling adds on average, so that both may be negative.
    """

    observed: np.ndarray
    """Squared distance of the moments of both samples, in each draw, with what sampling adds."""
    distance: np.ndarray
    """The same without what sampling adds."""
    size: np.ndarray
    """Squared size of the moments of the second sample, in each draw: 0 for independent columns."""
    pooled: float
    """Squared size of the moments of both samples together, noise included."""
    freedom: int
    """Number of moments."""


class JointMoments:
    """Means of products of functions of different columns, in two samples."""

    def __init__(self, first: Sequence[np.ndarray], second: Sequence[np.ndarray], blocks: RowBlocks) -> None:
        """Centre the functions within each sample, so that a difference of a single column alone does not count.

        Args:
            first: for each column, rows x functions of the first sample.
            second: the same of the second sample.
            blocks: of the rows of both.
        """
        self.blocks = blocks
        self.functions = [
            blocks.ordered(*(side - side.mean(axis=0) for side in sides))
            for sides in zip(first, second, strict=True)
        ]

    def difference(self, columns: Sequence[int], draws: Draws, most: int | None = None) -> Difference:
        """Return the difference in the mean product of functions, one of each column.

        The noise is the variance of the means: of a product with mean m and mean square s in n rows, (s - m^2) / (n - 1).

        Args:
            columns: positions of the columns.
            draws: of the blocks.
            most: functions of each column, at most; all of them when absent.
        """
        chosen = [self.functions[column][:, :most] for column in columns]
        products, squares = chosen[0], (chosen[0] ** 2).sum(axis=1)
        for functions in chosen[1:]:
            products = (products[:, :, None] * functions[:, None, :]).reshape(len(products), -1)
            squares = squares * (functions**2).sum(axis=1)
        sums = self.blocks.sums(np.column_stack([products, squares]))
        sides = self.blocks.means(sums, draws)
        moments = [side[:, :-1] for side in sides]
        sizes = [(side**2).sum(axis=1) for side in moments]
        rows = [weights @ self.blocks.rows for weights in (draws.first, draws.second)]
        noises = [
            (side[:, -1] - size) / np.maximum(count - 1, 1)
            for side, size, count in zip(sides, sizes, rows, strict=True)
        ]
        together = sums[:, :-1].sum(axis=0) / self.blocks.rows.sum()
        observed = ((moments[0] - moments[1]) ** 2).sum(axis=1)
        return Difference(
            observed=observed,
            distance=observed - noises[0] - noises[1],
            size=sizes[1] - noises[1],
            pooled=float((together**2).sum()),
            freedom=products.shape[1],
        )
