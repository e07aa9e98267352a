"""What each slot may hold, as numbered rows of a table of the head's columns, and the log probabilities over it."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from paracosm.finetune.models.restricted_head import only_at
from paracosm.records.codec.automaton import Node
from paracosm.records.codec.masked_layout import MaskedLayout, choice_mask

AT_ONCE = 20_000_000
"""Scores that are held at once."""


class AllowedColumns:
    """Numbers the choices of a layout in the order of their first use; 0 is a piece of a text."""

    text = 0

    def __init__(self, slots: MaskedLayout, width: int) -> None:
        """Make the table.

        Args:
            slots: the layout.
            width: columns of the head.
        """
        self.slots = slots
        self.width = width
        writable = np.zeros(width, dtype=bool)
        if slots.vocabulary is None:
            pieces = slots.pieces.writable[:width]
            writable[: len(pieces)] = pieces
        self._rows = [writable]
        self._number: dict[tuple[int, ...], int] = {}
        self._of_node: dict[Node, int] = {}

    def of(self, node: Node) -> int:
        """Return the number of the choice at an automaton's state."""
        if node not in self._of_node:
            tokens = tuple(sorted(node.edges))
            if tokens not in self._number:
                self._number[tokens] = len(self._rows)
                self._rows.append(choice_mask(tokens, self.slots.vocabulary, self.width))
            self._of_node[node] = self._number[tokens]
        return self._of_node[node]

    def allowed(self, numbers: Sequence[int] | NDArray) -> NDArray[np.bool_]:
        """Return the columns that choices allow, (choices, columns)."""
        return np.stack([self._rows[number] for number in numbers])

    def log_shares(self, scores: Tensor, numbers: Tensor) -> Tensor:
        """Return log probabilities over what each slot may hold; -inf elsewhere.

        Args:
            scores: (slots, columns).
            numbers: (slots,), of their choices.
        """
        used, where = np.unique(numbers.cpu().numpy(), return_inverse=True)
        table = torch.from_numpy(self.allowed(used)).to(scores.device)
        allowed = table[torch.from_numpy(where).to(scores.device)]
        return torch.log_softmax(scores.float().masked_fill(~allowed, -torch.inf), dim=-1)

    def loss(self, scores: Tensor, numbers: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted sum of the negative log probabilities of `targets`, in nats."""
        # Of no slot at all, and still with a gradient.
        total = scores[:0].float().sum()
        size = max(1, AT_ONCE // self.width)
        for begin in range(0, len(targets), size):
            part = slice(begin, begin + size)
            logs = self.log_shares(scores[part], numbers[part])
            total = total - (logs.gather(1, targets[part, None])[:, 0] * weights[part]).sum()
        return total


def slot_scores(model: nn.Module, ids: Tensor, attention: Tensor, rows: Tensor, positions: Tensor) -> Tensor:
    """Return the scores of some slots, (slots, columns of the head).

    Args:
        model: a masked model, as it is or wrapped.
        ids: (rows, tokens).
        attention: 1 where there is a token.
        rows: row of each asked slot.
        positions: position of each asked slot.
    """
    with only_at(model, (rows, positions)):
        return model(input_ids=ids, attention_mask=attention).logits[0]
