"""Dealing each batch of the recipe among the processes: the same records in the same step, whatever their number."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from paracosm.finetune.objectives.objective import EpochDataset


class GlobalBatchSampler(Sampler[list[int]]):
    """What one process puts through its forward passes, one list of record numbers each.

    A step takes `passes` forward passes on every process. A process that has no record left in one gets an empty list,
    because the others wait for it.

    Attributes:
        records: their epoch decides the order.
        batch_size: records in a step, over all processes.
        micro_batch: records in a forward pass of one process.
        rank: number of this process.
        processes: how many there are.
        seed: of the order.
    """

    def __init__(
        self,
        records: EpochDataset,
        *,
        batch_size: int,
        micro_batch: int,
        rank: int,
        processes: int,
        seed: int,
    ) -> None:
        self.records = records
        self.batch_size = batch_size
        self.micro_batch = micro_batch
        self.rank = rank
        self.processes = processes
        self.seed = seed
        self.lengths = np.array([record.tokens for record in records.records])

    @property
    def passes(self) -> int:
        """Forward passes in a whole step."""
        return passes_per_step(self.batch_size, self.micro_batch, self.processes)

    def __len__(self) -> int:
        whole, left = divmod(len(self.records), self.batch_size)
        return whole * self.passes + passes_per_step(left, self.micro_batch, self.processes)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.batches():
            for each in range(passes_per_step(len(batch), self.micro_batch, self.processes)):
                begin = (each * self.processes + self.rank) * self.micro_batch
                yield batch[begin : begin + self.micro_batch]

    def batches(self) -> Iterator[list[int]]:
        """Yield the records of each step of this epoch, over all processes: at random, and the long ones of a step first.

        Records that go through a forward pass together then are of similar lengths, and little of it is padding.
        """
        order = np.random.default_rng([self.seed, self.records.epoch]).permutation(len(self.records))
        for begin in range(0, len(order), self.batch_size):
            step = order[begin : begin + self.batch_size]
            yield step[np.argsort(-self.lengths[step], kind="stable")].tolist()


def passes_per_step(records: int, micro_batch: int, processes: int) -> int:
    """Return how many forward passes each process needs for `records` of a step."""
    return -(-records // (micro_batch * processes))
