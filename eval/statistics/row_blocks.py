"""Two samples of rows in random blocks, which are resampled and exchanged in place of single rows."""

from dataclasses import dataclass

import numpy as np

MOST_BLOCKS = 600
"""Blocks of both samples together. Sums over the rows of a block are computed once, so that a draw costs no more for more rows."""


@dataclass(frozen=True)
class Draws:
    """How often each block counts in the first and in the second sample (draws x blocks), the observed samples first."""

    first: np.ndarray
    second: np.ndarray


class RowBlocks:
    """Random blocks of equally many rows within each of two samples; a block of small samples is a single row."""

    def __init__(self, first_rows: int, second_rows: int, seed: int) -> None:
        """Divide the rows.

        Args:
            first_rows: of the first sample.
            second_rows: of the second sample.
            seed: of the division and of all draws.
        """
        self.sizes = (first_rows, second_rows)
        self.random = np.random.default_rng([seed, 97])
        length = -(-sum(self.sizes) // MOST_BLOCKS)
        self.orders = [self.random.permutation(count) for count in self.sizes]
        starts = [np.arange(0, count, length) for count in self.sizes]
        self.starts = np.concatenate([starts[0], starts[1] + first_rows])
        self.in_first = np.repeat([1.0, 0.0], [len(side) for side in starts])
        self.rows = np.diff(np.append(self.starts, sum(self.sizes))).astype(np.float64)

    def ordered(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the rows of both samples, block after block."""
        return np.concatenate([first[self.orders[0]], second[self.orders[1]]])

    def sums(self, ordered: np.ndarray) -> np.ndarray:
        """Return the sums of `ordered` rows over every block (blocks x values)."""
        return np.add.reduceat(ordered, self.starts, axis=0)

    def means(self, sums: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
        """Return the means of the first and of the second sample in each draw (draws x values)."""
        first, second = (
            weights @ sums / (weights @ self.rows)[:, None] for weights in (draws.first, draws.second)
        )
        return first, second

    def permutations(self, count: int) -> Draws:
        """Return the observed samples, and random exchanges of blocks between them."""
        first = np.vstack([self.in_first, *(self.random.permutation(self.in_first) for _ in range(count))])
        return Draws(first, 1.0 - first)

    def resamples(self, count: int) -> Draws:
        """Return the observed samples, and bootstrap resamples of the blocks of each."""
        sides = []
        for member in (self.in_first, 1.0 - self.in_first):
            blocks = np.flatnonzero(member)
            drawn = np.zeros((count + 1, len(member)))
            drawn[0] = member
            shares = np.full(len(blocks), 1 / len(blocks))
            drawn[1:, blocks] = self.random.multinomial(len(blocks), shares, size=count)
            sides.append(drawn)
        return Draws(*sides)
