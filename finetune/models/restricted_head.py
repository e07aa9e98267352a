"""The head under the grammar: logits only for tokens that it can ever allow, loss only where it leaves a choice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from accelerate.utils import extract_model_from_parallel
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def restrict_head(model: "PreTrainedModel", vocabulary: Sequence[int] | None) -> None:
    """Replace the output head by its rows for `vocabulary` (ascending token ids); None keeps it whole."""
    if vocabulary is None:
        return
    whole: nn.Linear = model.get_output_embeddings()  # type: ignore[assignment]  # a causal model has one
    rows = torch.as_tensor(vocabulary, device=whole.weight.device)
    bias = getattr(whole, "bias", None)
    small = nn.Linear(
        whole.weight.shape[1],
        len(vocabulary),
        bias=bias is not None,
        dtype=whole.weight.dtype,
        device=whole.weight.device,
    )
    with torch.no_grad():
        small.weight.copy_(whole.weight[rows])
        if bias is not None:
            small.bias.copy_(bias[rows])
    small.requires_grad_(False)
    model.set_output_embeddings(small)
    # The head no longer shares its weights with the input embeddings.
    model.config.tie_word_embeddings = False


class SharedRows(nn.Linear):
    """A head that computes some of its rows and keeps them all, so that weights which it shares with the embeddings stay shared."""

    rows: Tensor

    def forward(self, hidden: Tensor) -> Tensor:  # type: ignore[override]  # another name of the argument
        bias = None if self.bias is None else self.bias[self.rows]
        return nn.functional.linear(hidden, self.weight[self.rows], bias)


def share_head(model: "PreTrainedModel", vocabulary: Sequence[int] | None) -> None:
    """Let the output head compute its rows for `vocabulary` only, and learn them where its weights learn."""
    if vocabulary is None:
        return
    head: nn.Linear = model.get_output_embeddings()  # type: ignore[assignment]  # a causal model has one
    head.register_buffer("rows", torch.as_tensor(vocabulary, device=head.weight.device), persistent=False)
    # The layer keeps its weights and its name; only its forward pass is another.
    head.__class__ = SharedRows


@contextmanager
def only_at(model: nn.Module, chosen: Tensor | tuple[Tensor, Tensor]) -> Iterator[None]:
    """Let the head compute logits at some positions only, whatever the model's architecture.

    Args:
        model: a model, as it is or wrapped for many processes.
        chosen: (records, tokens), the positions, or the record and the token of each; the model's logits have shape
            (1, positions, vocabulary).
    """
    head: nn.Module = extract_model_from_parallel(model).get_output_embeddings()  # type: ignore[operator]
    gather = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][chosen].unsqueeze(0),))
    try:
        yield
    finally:
        gather.remove()
