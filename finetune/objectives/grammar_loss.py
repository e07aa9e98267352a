"""The loss under the grammar: negative log-likelihood over the tokens that the grammar allows."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.functional import cross_entropy

from paracosm.records.codec.token_masks import TokenMasks

IGNORED = -100


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


CHUNK = 512
"""Positions whose masked logits are held in float32 at once: bounds memory when a text field opens the whole vocabulary."""


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
