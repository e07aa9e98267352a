"""Loss of a causal model: negative log-likelihood over the tokens that the grammar allows at each position."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.functional import cross_entropy

from paracosm.records.codec.token_masks import TokenMasks

IGNORED = -100
"""Label of a position without a decision; transformers does not count it either."""
CHUNK = 512
"""Positions whose losses are summed together."""
MAX_SCORES = 3_000_000
"""Logits that are held in float32 at once. Blocks of 32 MB and more come from the system as new pages every time, which takes as long
as the arithmetic."""


class GrammarLoss:
    """Negative log-likelihood of decisions, each normalised over the tokens that the grammar allows there."""

    def __init__(self, masks: TokenMasks, vocabulary: Sequence[int] | None) -> None:
        self.masks = masks
        self.vocabulary = vocabulary

    def __call__(self, logits: Tensor, labels: Tensor, mask_numbers: Tensor) -> Tensor:
        """Return the negative log-likelihood of all decisions, summed, in nats.

        Args:
            logits: (..., vocabulary).
            labels: (...), the next token's column of the head, or `IGNORED`.
            mask_numbers: (...), number of the mask at the next token.
        """
        decisions = labels != IGNORED
        if not bool(decisions.all()):
            logits, labels, mask_numbers = logits[decisions], labels[decisions], mask_numbers[decisions]
        numbers = mask_numbers.flatten().cpu().numpy()
        rows = logits.reshape(-1, logits.shape[-1])
        return _SummedLoss.apply(  # type: ignore[return-value]  # typed as anything
            rows, labels.flatten(), lambda part: self._disallowed(numbers[part], rows)
        )

    def _disallowed(self, numbers: NDArray[np.int64], logits: Tensor) -> Tensor:
        """Return where the masks forbid a column, shape (numbers, columns), or (1, columns) if all masks are the same."""
        used, where = np.unique(numbers, return_inverse=True)
        table = self.masks.allowed(used.tolist(), self.vocabulary, logits.shape[-1])
        if len(used) == 1:
            return torch.from_numpy(~table).to(logits.device)
        return torch.from_numpy(~table).to(logits.device)[torch.from_numpy(where).to(logits.device)]

    def of_records(self, logits: Tensor, labels: Tensor, mask_numbers: Tensor) -> Tensor:
        """Return each record's negative log-likelihood, in nats, shape (records,); no record affects another's.

        Args:
            logits: (records, tokens, vocabulary).
            labels: (records, tokens), the next token's column of the head, or `IGNORED`.
            mask_numbers: (records, tokens), number of the mask at the next token.
        """
        decisions = labels != IGNORED
        rows = logits[decisions]
        disallowed = self._disallowed(mask_numbers[decisions].cpu().numpy(), rows)
        losses = cross_entropy(
            rows.float().masked_fill(disallowed, -torch.inf), labels[decisions], reduction="none"
        )
        record = decisions.nonzero()[:, 0]
        return losses.new_zeros(len(labels)).index_add(0, record, losses)


class _SummedLoss(torch.autograd.Function):
    """Cross-entropy over allowed columns, whose gradient is computed in the forward pass, in the precision of the logits.

    An autograd graph of masking, conversion and cross-entropy would keep three float32 copies of the logits until the backward pass.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, logits: Tensor, labels: Tensor, disallowed: Callable[[slice], Tensor]
    ) -> Tensor:
        needs_gradient = ctx.needs_input_grad[0]  # type: ignore[attr-defined]  # not in the stub
        gradient = torch.empty_like(logits) if needs_gradient else None
        total = logits.new_zeros((), dtype=torch.float32)
        step = max(1, min(CHUNK, MAX_SCORES // logits.shape[-1]))
        losses = logits.new_empty(len(labels), dtype=torch.float32)
        for begin in range(0, len(labels), step):
            part = slice(begin, begin + step)
            scores = logits[part].float().masked_fill_(disallowed(part), -torch.inf)
            logs = scores.log_softmax(-1)
            target = labels[part, None]
            target_logs = logs.gather(1, target)
            losses[part] = target_logs[:, 0]
            if gradient is not None:
                gradient[part] = logs.exp_().scatter_add_(1, target, torch.full_like(target_logs, -1.0))
        for begin in range(0, len(labels), CHUNK):
            total -= losses[begin : begin + CHUNK].sum()
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (gradient,) = ctx.saved_tensors  # type: ignore[attr-defined]  # not in the stub
        return gradient * grad.to(gradient.dtype), None, None
