"""Which columns of the head a choice of the grammar allows, looked up once per choice."""

import weakref
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from paracosm.records.codec.automaton import Node


class ChoiceColumns:
    """The head's columns of each choice that the grammar leaves, in ascending order of the tokens."""

    def __init__(self, vocabulary: Sequence[int] | None) -> None:
        self._column = None if vocabulary is None else {token: at for at, token in enumerate(vocabulary)}
        self._of_tokens: dict[tuple[int, ...], tuple[NDArray[np.int64], tuple[int, ...]]] = {}
        self._of_node: weakref.WeakKeyDictionary[Node, tuple[NDArray[np.int64], tuple[int, ...]]] = (
            weakref.WeakKeyDictionary()
        )

    def of(self, node: Node) -> tuple[NDArray[np.int64], tuple[int, ...]]:
        """Return columns and tokens of the choice at `node`."""
        found = self._of_node.get(node)
        if found is None:
            tokens = tuple(sorted(node.edges))
            found = self._of_tokens.get(tokens)
            if found is None:
                columns = tokens if self._column is None else tuple(self._column[token] for token in tokens)
                found = self._of_tokens[tokens] = (np.array(columns, dtype=np.int64), tokens)
            self._of_node[node] = found
        return found

    def scores(
        self, logits: torch.Tensor, nodes: Sequence[Node]
    ) -> tuple[torch.Tensor, list[tuple[int, ...]]]:
        """Return the scores of what each choice allows, and the tokens that they belong to.

        Args:
            logits: (choices, columns of the head).
            nodes: of the choices.

        Returns:
            Scores of shape (choices, widest choice), -inf past the end of a narrower one; per choice, its tokens.
        """
        choices = [self.of(node) for node in nodes]
        widest = max(len(columns) for columns, _ in choices)
        columns = np.zeros((len(choices), widest), dtype=np.int64)
        nothing = np.ones((len(choices), widest), dtype=bool)
        for row, (found, _) in enumerate(choices):
            columns[row, : len(found)] = found
            nothing[row, : len(found)] = False
        scores = logits.gather(1, torch.from_numpy(columns).to(logits.device)).float()
        scores = scores.masked_fill(torch.from_numpy(nothing).to(logits.device), -torch.inf)
        return scores, [tokens for _, tokens in choices]
