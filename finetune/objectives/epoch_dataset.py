"""Data set of encoded records that are redrawn at random in every epoch."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from torch.utils.data import Dataset


class Encoded(Protocol):
    """An encoded record."""

    @property
    def tokens(self) -> int:
        """Number of tokens, with the start token or prompt."""
        ...

    @property
    def decisions(self) -> int:
        """Number of tokens at which the grammar allows more than one token."""
        ...


EncodedType = TypeVar("EncodedType", bound=Encoded)


class EpochDataset(Dataset[Any], Generic[EncodedType]):
    """Encoded records in table order; subclasses turn a record into a training example.

    Everything random about an example is a function of (seed, epoch, index), so that every process and every resumed
    training sees the same examples.

    Attributes:
        records: as encoded from the table.
        seed: of the random draws.
        redraw: returns record `index` as it is in `epoch`; None if records stay the same.
        record_of: per example the index of its record, which several examples share where a document is read in passages.
        epoch: the current one, from 0.
    """

    def __init__(
        self,
        records: Sequence[EncodedType],
        *,
        seed: int,
        redraw: Callable[[int, int], EncodedType] | None = None,
        record_of: Sequence[int] | None = None,
    ) -> None:
        self.records = records
        self.record_of = range(len(records)) if record_of is None else record_of
        self.seed = seed
        self.redraw = redraw
        self.epoch = 0

    def begin_epoch(self, epoch: int) -> None:
        """Use the draws of another epoch.

        Not named `set_epoch`, because data loaders call a method of that name under some launchers and not under others.
        """
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.records)

    @property
    def record_count(self) -> int:
        """Number of records: that of examples, unless documents are read in passages."""
        return self.record_of[-1] + 1 if len(self.record_of) else 0

    @property
    def max_tokens(self) -> int:
        """Tokens of the longest example."""
        return max(record.tokens for record in self.records)

    @property
    def mean_tokens(self) -> float:
        """Mean number of tokens per example."""
        return sum(record.tokens for record in self.records) / len(self.records)

    @property
    def mean_decisions(self) -> float:
        """Mean number of decisions per record."""
        return sum(record.decisions for record in self.records) / self.record_count

    def record(self, index: int) -> EncodedType:
        """Return record `index` as it is in the current epoch."""
        return self.records[index] if self.redraw is None else self.redraw(index, self.epoch)

    def seed_of(self, index: int) -> int:
        """Return the seed of record `index` in the current epoch."""
        return zlib.crc32(f"{self.seed}/{self.epoch}/{index}".encode())
