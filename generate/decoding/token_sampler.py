"""Draw of the next token of every sequence in a batch of a causal model, from the tokens that the grammar allows."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from paracosm.finetune.objectives.slot_logits import HeadColumns
from paracosm.generate.decoding.causal_state import SequenceState
from paracosm.generate.decoding.sampling import Sampling, draw

MAX_CACHED = 64
"""Token masks of texts that are kept; few masks recur, and each is as long as the vocabulary."""


class TokenSampler:
    """Draws tokens under the grammar.

    Attributes:
        columns: columns of the head for each choice in a field with a closed domain.
        sampling: temperature and truncation.
        stop: token that ends a text.
    """

    def __init__(self, columns: HeadColumns, sampling: Sampling, stop: int) -> None:
        self.columns = columns
        self.sampling = sampling
        self.stop = stop
        self._masks: dict[bytes, Tensor] = {}
        self._buffer: Tensor | None = None

    def draw(self, logits: Tensor, states: Sequence[SequenceState]) -> list[tuple[int, int]]:
        """Draw the next token of each sequence from its own random stream.

        Args:
            logits: (sequences, columns of the head).
            states: of the sequences.

        Returns:
            Pairs of row and token: first the rows in a field with a closed domain, then the rows in a text.
        """
        closed = [row for row, state in enumerate(states) if not state.in_text]
        texts = [row for row, state in enumerate(states) if state.in_text]
        return [
            *zip(closed, self._closed_tokens(logits[closed], [states[row] for row in closed]), strict=True),
            *zip(texts, self._text_tokens(logits, texts, [states[row] for row in texts]), strict=True),
        ]

    def _closed_tokens(self, logits: Tensor, states: Sequence[SequenceState]) -> list[int]:
        if not states:
            return []
        scores, weights, tokens = self.columns.scores(logits, [state.walk.allowed for state in states])
        entries = self._draw(scores, states, weights)
        return [allowed[entry] for allowed, entry in zip(tokens, entries, strict=True)]

    def _text_tokens(self, logits: Tensor, rows: Sequence[int], states: Sequence[SequenceState]) -> list[int]:
        if not states:
            return []
        scores = self._scores_of(logits, rows)
        for row, state in enumerate(states):
            packed, banned, full = state.text_mask()
            excluded = self._excluded(packed, scores)
            if full and not excluded[self.stop]:
                scores[row, : self.stop] = scores[row, self.stop + 1 :] = -torch.inf
                continue
            scores[row].masked_fill_(excluded, -torch.inf)
            if banned is not None:
                scores[row, banned] = -torch.inf
        return self._draw(scores, states)

    def _scores_of(self, logits: Tensor, rows: Sequence[int]) -> Tensor:
        """Return some rows in float32, in memory that the next draw overwrites: new pages cost more than the copy."""
        if self._buffer is None or len(self._buffer) < len(rows) or self._buffer.device != logits.device:
            self._buffer = torch.empty(len(logits), logits.shape[1], device=logits.device)
        return self._buffer[: len(rows)].copy_(logits if len(rows) == len(logits) else logits[list(rows)])

    def _excluded(self, packed: bytes, scores: Tensor) -> Tensor:
        """Return the tokens that a packed mask does not allow, as booleans of shape (columns,)."""
        if packed not in self._masks:
            if len(self._masks) >= MAX_CACHED:
                self._masks.clear()
            columns = scores.shape[1]
            bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), bitorder="little")[:columns]
            # A head that is padded past the tokenizer has columns beyond the mask.
            excluded = np.concatenate([bits == 0, np.ones(columns - len(bits), dtype=bool)])
            self._masks[packed] = torch.from_numpy(excluded).to(scores.device)
        return self._masks[packed]

    def _draw(
        self, scores: Tensor, states: Sequence[SequenceState], weights: Tensor | None = None
    ) -> list[int]:
        temperatures = [self.sampling.temperature_of(state.field_name) for state in states]
        uniforms = np.array([state.random.random() for state in states])
        return draw(scores, uniforms, temperatures, self.sampling, weights)
