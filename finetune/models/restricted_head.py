"""Restrict the output head to the tokens that the grammar can allow, and to the positions whose logits are needed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from accelerate.utils import extract_model_from_parallel
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def restrict_head(model: "PreTrainedModel", vocabulary: Sequence[int] | None) -> None:
    """Replace the output head by its rows for `vocabulary`.

    Args:
        model: its head is replaced, frozen and untied from the input embeddings.
        vocabulary: ascending token ids; None keeps the full head.
    """
    if vocabulary is None:
        return
    full: nn.Linear = model.get_output_embeddings()  # type: ignore[assignment]  # a causal model has one
    rows = torch.as_tensor(vocabulary, device=full.weight.device)
    bias = getattr(full, "bias", None)
    restricted = nn.Linear(
        full.weight.shape[1],
        len(vocabulary),
        bias=bias is not None,
        dtype=full.weight.dtype,
        device=full.weight.device,
    )
    with torch.no_grad():
        restricted.weight.copy_(full.weight[rows])
        if bias is not None:
            restricted.bias.copy_(bias[rows])
    restricted.requires_grad_(False)
    model.set_output_embeddings(restricted)
    # The head no longer shares its weights with the input embeddings.
    model.config.tie_word_embeddings = False


class SharedRows(nn.Linear):
    """A head that computes some of its rows and keeps all of them, so that it stays tied to the input embeddings.

    Attributes:
        rows: token ids of the rows to compute.
    """

    rows: Tensor

    def forward(self, hidden: Tensor) -> Tensor:  # type: ignore[override]  # another name of the argument
        bias = None if self.bias is None else self.bias[self.rows]
        return nn.functional.linear(hidden, self.weight[self.rows], bias)


def share_head(model: "PreTrainedModel", vocabulary: Sequence[int] | None) -> None:
    """Make the output head compute only its rows for `vocabulary`, without copying its weights; for full fine-tuning.

    Args:
        model: its head is changed in place.
        vocabulary: ascending token ids; None keeps the full head.
    """
    if vocabulary is None:
        return
    head: nn.Linear = model.get_output_embeddings()  # type: ignore[assignment]  # a causal model has one
    head.register_buffer("rows", torch.as_tensor(vocabulary, device=head.weight.device), persistent=False)
    # The layer keeps its weights and its name; only its forward pass changes.
    head.__class__ = SharedRows


@contextmanager
def logits_at(model: nn.Module, positions: Tensor | tuple[Tensor, Tensor]) -> Iterator[None]:
    """Compute logits at some positions only, for any architecture; the model's logits have shape (1, positions, columns).

    Args:
        model: a model, plain or wrapped by peft or for distributed training.
        positions: boolean mask of shape (records, tokens), or a pair of index tensors: record and token of each position.
    """
    head: nn.Module = extract_model_from_parallel(model).get_output_embeddings()  # type: ignore[operator]
    gather = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][positions].unsqueeze(0),))
    try:
        yield
    finally:
        gather.remove()
