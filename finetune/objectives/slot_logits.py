"""Columns of the head that the grammar allows at a state of its automaton, and the logits and loss over them."""

import weakref
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from paracosm.finetune.models.restricted_head import logits_at
from paracosm.records.codec.automata.automaton import Node
from paracosm.records.codec.masked_layout import MaskedLayout

MAX_SCORES = 20_000_000
"""Entries of the log probabilities that are held in memory at once."""


class HeadColumns:
    """The head's columns of the tokens allowed at each state, in ascending order of the tokens."""

    def __init__(self, vocabulary: Sequence[int] | None) -> None:
        """Prepare the lookup.

        Args:
            vocabulary: ascending token ids of the head's columns; None if column and token id are the same.
        """
        self._column = None if vocabulary is None else {token: at for at, token in enumerate(vocabulary)}
        self._of_tokens: dict[tuple[int, ...], tuple[NDArray[np.int64], tuple[int, ...]]] = {}
        self._of_node: weakref.WeakKeyDictionary[Node, tuple[NDArray[np.int64], tuple[int, ...]]] = (
            weakref.WeakKeyDictionary()
        )

    def of(self, node: Node) -> tuple[NDArray[np.int64], tuple[int, ...]]:
        """Return the columns and the tokens that are allowed at a state."""
        allowed = self._of_node.get(node)
        if allowed is None:
            tokens = tuple(sorted(node.edges))
            allowed = self._of_tokens.get(tokens)
            if allowed is None:
                columns = tokens if self._column is None else tuple(self._column[token] for token in tokens)
                allowed = self._of_tokens[tokens] = (np.array(columns, dtype=np.int64), tokens)
            self._of_node[node] = allowed
        return allowed

    def scores(
        self, logits: torch.Tensor, nodes: Sequence[Node]
    ) -> tuple[torch.Tensor, torch.Tensor | None, list[tuple[int, ...]]]:
        """Gather the scores of the tokens that are allowed at some states.

        Args:
            logits: (states, columns of the head).
            nodes: the states.

        Returns:
            Scores of shape (states, most tokens of a state), -inf past the tokens of a state; the log weights that the states give
            their tokens, of the same shape, None if no state does; and each state's tokens.
        """
        allowed = [self.of(node) for node in nodes]
        widest = max(len(columns) for columns, _ in allowed)
        columns = np.zeros((len(allowed), widest), dtype=np.int64)
        unused = np.ones((len(allowed), widest), dtype=bool)
        for row, (of_state, _) in enumerate(allowed):
            columns[row, : len(of_state)] = of_state
            unused[row, : len(of_state)] = False
        scores = logits.gather(1, torch.from_numpy(columns).to(logits.device)).float()
        scores = scores.masked_fill(torch.from_numpy(unused).to(logits.device), -torch.inf)
        return scores, self._weights(nodes, allowed, scores), [tokens for _, tokens in allowed]

    def _weights(
        self,
        nodes: Sequence[Node],
        allowed: Sequence[tuple[NDArray[np.int64], tuple[int, ...]]],
        scores: torch.Tensor,
    ) -> torch.Tensor | None:
        if all(node.weights is None for node in nodes):
            return None
        weights = np.zeros(tuple(scores.shape), dtype=np.float32)
        for row, (node, (_, tokens)) in enumerate(zip(nodes, allowed, strict=True)):
            if node.weights is not None:
                weights[row, : len(tokens)] = [node.weights[token] for token in tokens]
        return torch.from_numpy(weights).to(scores.device)


class AllowedColumns:
    """Masks of the head's columns for the slots of a masked layout, numbered in the order of their first use.

    Mask 0 is the one of a subword of a text.
    """

    text = 0

    def __init__(self, layout: MaskedLayout, width: int) -> None:
        """Make the table of masks.

        Args:
            layout: of the records.
            width: number of the head's columns.
        """
        self.layout = layout
        self.width = width
        self._columns = HeadColumns(layout.vocabulary)
        writable = np.zeros(width, dtype=bool)
        if layout.vocabulary is None:
            pieces = layout.pieces.writable[:width]
            writable[: len(pieces)] = pieces
        self._masks = [writable]
        self._number_of_tokens: dict[tuple[int, ...], int] = {}
        self._number_of_node: dict[Node, int] = {}

    def of(self, node: Node) -> int:
        """Return the mask number of a state."""
        if node not in self._number_of_node:
            columns, tokens = self._columns.of(node)
            if tokens not in self._number_of_tokens:
                self._number_of_tokens[tokens] = len(self._masks)
                mask = np.zeros(self.width, dtype=bool)
                mask[columns] = True
                self._masks.append(mask)
            self._number_of_node[node] = self._number_of_tokens[tokens]
        return self._number_of_node[node]

    def allowed(self, numbers: Sequence[int] | NDArray) -> NDArray[np.bool_]:
        """Return the masks with these numbers, shape (masks, columns)."""
        return np.stack([self._masks[number] for number in numbers])

    def log_probabilities(self, scores: Tensor, numbers: Tensor) -> Tensor:
        """Return log probabilities over the columns that each slot allows; -inf elsewhere.

        Args:
            scores: (slots, columns).
            numbers: (slots,), mask number of each slot.
        """
        used, where = np.unique(numbers.cpu().numpy(), return_inverse=True)
        table = torch.from_numpy(self.allowed(used)).to(scores.device)
        allowed = table[torch.from_numpy(where).to(scores.device)]
        return torch.log_softmax(scores.float().masked_fill(~allowed, -torch.inf), dim=-1)

    def loss(self, scores: Tensor, numbers: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted sum of the negative log probabilities of `targets`, in nats.

        Args:
            scores: (slots, columns).
            numbers: (slots,), mask number of each slot.
            targets: (slots,), column of the token to predict.
            weights: (slots,).
        """
        # Zero, but connected to the graph, so that an empty batch can call backward().
        total = scores[:0].float().sum()
        size = max(1, MAX_SCORES // self.width)
        for begin in range(0, len(targets), size):
            part = slice(begin, begin + size)
            logs = self.log_probabilities(scores[part], numbers[part])
            total = total - (logs.gather(1, targets[part, None])[:, 0] * weights[part]).sum()
        return total


def slot_scores(model: nn.Module, ids: Tensor, attention: Tensor, rows: Tensor, positions: Tensor) -> Tensor:
    """Return the logits of a masked model at some slots, shape (slots, columns of the head).

    Args:
        model: a masked model, plain or wrapped by peft or for distributed training.
        ids: (rows, tokens).
        attention: (rows, tokens), 1 at tokens and 0 at padding.
        rows: (slots,), row of each slot.
        positions: (slots,), position of each slot in its row.
    """
    with logits_at(model, (rows, positions)):
        return model(input_ids=ids, attention_mask=attention).logits[0]
