"""Batch sampler that splits each global batch over the ranks; the global batch does not depend on the number of ranks."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from paracosm.finetune.objectives.epoch_dataset import EpochDataset


class GlobalBatchSampler(Sampler[list[int]]):
    """Yields the record indices of each forward pass of one rank.

    A step takes `passes` forward passes on every rank. A rank without records left in a pass gets an empty list, so that all
    ranks take part in the same number of collective operations.

    Attributes:
        records: the data set; its epoch determines the order.
        batch_size: records in a step, over all ranks.
        micro_batch: records in a forward pass of one rank.
        rank: of this process.
        processes: number of ranks.
        seed: of the order.
        lengths: tokens of each record.
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
        """Forward passes per rank in a full step."""
        return passes_per_step(self.batch_size, self.micro_batch, self.processes)

    def __len__(self) -> int:
        full, rest = divmod(len(self.records), self.batch_size)
        return full * self.passes + passes_per_step(rest, self.micro_batch, self.processes)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.batches():
            for number in range(passes_per_step(len(batch), self.micro_batch, self.processes)):
                begin = (number * self.processes + self.rank) * self.micro_batch
                yield batch[begin : begin + self.micro_batch]

    def batches(self) -> Iterator[list[int]]:
        """Yield the record indices of each step of this epoch, over all ranks: in random order, sorted by length within a step.

        The records of a forward pass then have similar lengths, which keeps padding small.
        """
        order = np.random.default_rng([self.seed, self.records.epoch]).permutation(len(self.records))
        for begin in range(0, len(order), self.batch_size):
            step = order[begin : begin + self.batch_size]
            yield step[np.argsort(-self.lengths[step], kind="stable")].tolist()


def passes_per_step(records: int, micro_batch: int, processes: int) -> int:
    """Return the number of forward passes that each rank needs for a step of `records` records."""
    return -(-records // (micro_batch * processes))
