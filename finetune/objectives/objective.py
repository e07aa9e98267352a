"""Protocol of a training objective: data sets, collator and loss."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from paracosm.finetune.objectives.epoch_dataset import EpochDataset
    from paracosm.records.codec.codec import Codec


class TrainingObjective(Protocol):
    """Encoded training and control records, and the loss of a batch of them."""

    @property
    def codec(self) -> "Codec":
        """Codec of the records."""
        ...

    @property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """Tokenizer of the base model."""
        ...

    @property
    def train(self) -> "EpochDataset":
        """Training records, with the canaries that are part of training at the end."""
        ...

    @property
    def control(self) -> "EpochDataset":
        """Control records that can be encoded."""
        ...

    @property
    def unencodable(self) -> int:
        """Number of control records with a value outside the domain that training fixed; they have no likelihood."""
        ...

    @property
    def truncated(self) -> int:
        """Number of training records with a text longer than the model reads, which is cut there."""
        ...

    @property
    def canaries(self) -> int:
        """Number of canaries among the training records."""
        ...

    @property
    def smoothing_ranks(self) -> int:
        """Maximum number of ranks by which a value moves in an epoch; 0 without smoothing."""
        ...

    @property
    def mean_decisions(self) -> float:
        """Mean decisions per training record: the factor from the mean loss per decision to the loss per record."""
        ...

    @property
    def collate(self) -> Callable[[Any], dict[str, "torch.Tensor"]]:
        """Collator that makes a batch of examples."""
        ...

    def summed_loss(self, model: "torch.nn.Module", batch: dict[str, "torch.Tensor"]) -> "torch.Tensor":
        """Return the loss of a batch, summed over its records, in nats."""
        ...
