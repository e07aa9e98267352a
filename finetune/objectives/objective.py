"""What fitting asks of the material, whatever the objective."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from paracosm.records.codec.codec import Codec


class EpochDataset(Protocol):
    """A data set of records that may look different in every epoch."""

    records: Sequence[Any]
    epoch: int

    def begin_epoch(self, epoch: int) -> None: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Any: ...


class TrainingObjective(Protocol):
    """Training and control records as a model reads them; `Material` says what the attributes are."""

    @property
    def codec(self) -> "Codec": ...
    @property
    def tokenizer(self) -> "PreTrainedTokenizerBase": ...
    @property
    def train(self) -> EpochDataset: ...
    @property
    def control(self) -> EpochDataset: ...
    @property
    def cut(self) -> int: ...
    @property
    def unknown(self) -> int: ...
    @property
    def planted(self) -> int: ...
    @property
    def collate(self) -> Callable[[Any], dict[str, "torch.Tensor"]]: ...
    @property
    def smoothing_ranks(self) -> int: ...
    @property
    def longest(self) -> int: ...
    @property
    def tokens(self) -> float: ...
    @property
    def decisions(self) -> float: ...

    def summed_loss(self, model: "torch.nn.Module", batch: dict[str, "torch.Tensor"]) -> "torch.Tensor":
        """Return the loss of a batch, summed over its records, in nats."""
        ...
