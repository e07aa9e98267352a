"""The order of the training records in an epoch: shuffled, and within each optimizer step sorted by length.

Where a step is divided into several forward passes, or among processes, each then pads to a length near that of all its
records. Which records a step holds stays as random as without, and the same on any number of processes.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler


class SimilarLengths(Sampler[int]):
    """Record numbers of one epoch, a function of (seed, epoch).

    Attributes:
        lengths: tokens per record.
        batch: records in an optimizer step, over all processes.
        seed: of the order.
    """

    def __init__(self, lengths: Sequence[int], *, batch: int, seed: int) -> None:
        self.lengths = np.asarray(lengths)
        self.batch = batch
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Order the records anew; data loaders call this, also before they skip what a killed run had seen."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.lengths))
        for begin in range(0, len(order), self.batch):
            step = order[begin : begin + self.batch]
            yield from step[np.argsort(-self.lengths[step], kind="stable")].tolist()
