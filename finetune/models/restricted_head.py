"""The head under the grammar: logits only for tokens that it can ever allow, loss only where it leaves a choice."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate.utils import extract_model_from_parallel
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.functional import cross_entropy

from paracosm.finetune.objectives.causal_dataset import IGNORED
from paracosm.records.codec.token_masks import TokenMasks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CHUNK = 512
"""Positions whose masked logits are held in float32 at once: bounds memory when a text field opens the whole vocabulary."""


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


class GrammarLoss:
    """Summed negative log-likelihood of decisions, each over the tokens that the grammar allows there."""

    def __init__(self, masks: TokenMasks, vocabulary: Sequence[int] | None) -> None:
        self.masks = masks
        self.vocabulary = vocabulary

    def __call__(self, logits: Tensor, labels: Tensor, mask_numbers: Tensor) -> Tensor:
        """Return the sum over all decisions, in nats.

        Args:
            logits: (..., vocabulary).
            labels: (...), column of the next token, or `IGNORED`.
            mask_numbers: (...), number of the mask at the next token.
        """
        chosen = labels != IGNORED
        if not bool(chosen.all()):
            logits, labels, mask_numbers = logits[chosen], labels[chosen], mask_numbers[chosen]
        numbers = mask_numbers.flatten().cpu().numpy()
        rows = logits.reshape(-1, logits.shape[-1])
        return _SummedLoss.apply(  # type: ignore[return-value]  # typed as anything
            rows, labels.flatten(), lambda part: self._refused(numbers[part], rows)
        )

    def _refused(self, numbers: NDArray[np.int64], logits: Tensor) -> Tensor:
        used, where = np.unique(numbers, return_inverse=True)
        table = self.masks.allowed(used.tolist(), self.vocabulary, logits.shape[-1])
        return torch.from_numpy(~table).to(logits.device)[torch.from_numpy(where).to(logits.device)]

    def of_records(self, logits: Tensor, labels: Tensor, mask_numbers: Tensor) -> Tensor:
        """Return the sum over the decisions of each record, in nats; no record's sum depends on another one.

        Args:
            logits: (records, tokens, vocabulary).
            labels: (records, tokens), column of the next token, or `IGNORED`.
            mask_numbers: (records, tokens), number of the mask at the next token.
        """
        chosen = labels != IGNORED
        rows = logits[chosen]
        refused = self._refused(mask_numbers[chosen].cpu().numpy(), rows)
        each = cross_entropy(rows.float().masked_fill(refused, -torch.inf), labels[chosen], reduction="none")
        record = chosen.nonzero()[:, 0]
        return each.new_zeros(len(labels)).index_add(0, record, each)


class _SummedLoss(torch.autograd.Function):
    """Cross-entropy over allowed columns that computes its gradient on the way, in the precision of the logits.

    A graph of masking, conversion and cross-entropy would keep three float32 copies of the logits until the backward pass.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, logits: Tensor, labels: Tensor, refused: Callable[[slice], Tensor]
    ) -> Tensor:
        wanted = ctx.needs_input_grad[0]  # type: ignore[attr-defined]  # not in the stub
        slope = torch.empty_like(logits) if wanted else None
        total = logits.new_zeros((), dtype=torch.float32)
        for begin in range(0, len(labels), CHUNK):
            part = slice(begin, begin + CHUNK)
            scores = logits[part].float().masked_fill_(refused(part), -torch.inf)
            logs = scores.log_softmax(-1)
            target = labels[part, None]
            there = logs.gather(1, target)
            total -= there.sum()
            if slope is not None:
                slope[part] = logs.exp_().scatter_add_(1, target, torch.full_like(there, -1.0))
        if slope is not None:
            ctx.save_for_backward(slope)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (slope,) = ctx.saved_tensors  # type: ignore[attr-defined]  # not in the stub
        return slope * grad.to(slope.dtype), None, None
