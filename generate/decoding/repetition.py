"""Texts that run in circles: a block of tokens that repeats without end, as language models are prone to write."""

import numpy as np

LONGEST_BLOCK = 32
"""Longest block whose repetition is noticed, in tokens."""
TIMES = 4
"""How often a block may stand in a row ..."""
TOKENS = 24
"""... once its repetitions reach this many tokens: a row of dots or dashes is shorter."""


class Repetition:
    """Watches a text token by token.

    Attributes:
        banned: the token that would go on with a block which stands often enough; None where nothing repeats.
    """

    def __init__(self) -> None:
        self.banned: int | None = None
        # The latest token first. -1 is no token.
        self._recent = np.full(LONGEST_BLOCK, -1)
        self._equal = np.zeros(LONGEST_BLOCK, dtype=np.int64)
        self._lengths = np.arange(1, LONGEST_BLOCK + 1)

    def take(self, token: int) -> None:
        """Note the next token of the text."""
        # Per block length: how many tokens in a row equal the one that stands a block before.
        self._equal = np.where(self._recent == token, self._equal + 1, 0)
        self._recent = np.concatenate([[token], self._recent[:-1]])
        stands = self._equal + self._lengths
        circling = np.flatnonzero((stands >= TIMES * self._lengths) & (stands >= TOKENS))
        self.banned = int(self._recent[circling[0]]) if len(circling) else None
