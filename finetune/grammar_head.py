"""The head under the grammar: logits only for tokens that it can ever allow, loss only where it leaves a choice."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from paracosm.finetune.encoded_records import IGNORED
from paracosm.records.token_masks import TokenMasks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CHUNK = 2048
"""Positions whose masked logits are held at once: bounds memory when a text field opens the whole vocabulary."""


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


class GrammarLoss:
    """Summed negative log-likelihood of decisions, each over the tokens that the grammar allows there."""

    def __init__(self, masks: TokenMasks, vocabulary: Sequence[int] | None) -> None:
        self.masks = masks
        self.vocabulary = vocabulary

    def __call__(self, logits: Tensor, labels: Tensor, mask_numbers: Tensor) -> Tensor:
        """Return the sum over all decisions, in nats.

        Args:
            logits: (records, tokens, vocabulary).
            labels: (records, tokens), column of the next token, or `IGNORED`.
            mask_numbers: (records, tokens), number of the mask at the next token.
        """
        chosen = labels != IGNORED
        logits, labels, numbers = logits[chosen], labels[chosen], mask_numbers[chosen].cpu().numpy()
        total = logits.new_zeros((), dtype=torch.float32)
        for begin in range(0, len(labels), CHUNK):
            part = slice(begin, begin + CHUNK)
            used, where = np.unique(numbers[part], return_inverse=True)
            table = self.masks.allowed(used.tolist(), self.vocabulary, logits.shape[-1])
            allowed = torch.from_numpy(table[where]).to(logits.device)
            total = total + cross_entropy(
                logits[part].float().masked_fill(~allowed, -torch.inf), labels[part], reduction="sum"
            )
        return total

    def of_records(self, logits: Tensor, labels: Tensor, mask_numbers: Tensor) -> Tensor:
        """Return the sum over the decisions of each record, in nats; no record's sum depends on another one.

        Args:
            logits: (records, tokens, vocabulary).
            labels: (records, tokens), column of the next token, or `IGNORED`.
            mask_numbers: (records, tokens), number of the mask at the next token.
        """
        chosen = labels != IGNORED
        used, where = np.unique(mask_numbers[chosen].cpu().numpy(), return_inverse=True)
        table = self.masks.allowed(used.tolist(), self.vocabulary, logits.shape[-1])
        allowed = torch.from_numpy(table[where]).to(logits.device)
        scores = logits[chosen].float().masked_fill(~allowed, -torch.inf)
        each = cross_entropy(scores, labels[chosen], reduction="none")
        record = chosen.nonzero()[:, 0]
        return each.new_zeros(len(labels)).index_add(0, record, each)
