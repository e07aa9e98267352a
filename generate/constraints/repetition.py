"""Detection of texts that repeat a block of tokens without end, as language models are prone to write."""

import numpy as np

MAX_BLOCK = 32
"""Longest block whose repetition is detected, in tokens."""
MAX_TIMES = 4
"""A block may occur this many times in a row ..."""
MIN_TOKENS = 24
"""... and more often while its repetitions are shorter than this many tokens: a row of dots or dashes is shorter."""


class Repetition:
    """Reads a text token by token and detects a repeated block.

    Attributes:
        banned: the token that would begin the block once more; None if no block repeats.
    """

    def __init__(self) -> None:
        self.banned: int | None = None
        # The latest token first. -1 stands for no token.
        self._recent = np.full(MAX_BLOCK, -1)
        self._equal = np.zeros(MAX_BLOCK, dtype=np.int64)
        self._lengths = np.arange(1, MAX_BLOCK + 1)

    def take(self, token: int) -> None:
        """Add the next token of the text."""
        # Per block length: how many tokens in a row equal the token one block before them.
        self._equal = np.where(self._recent == token, self._equal + 1, 0)
        self._recent = np.concatenate([[token], self._recent[:-1]])
        repeated = self._equal + self._lengths
        looping = np.flatnonzero((repeated >= MAX_TIMES * self._lengths) & (repeated >= MIN_TOKENS))
        self.banned = int(self._recent[looping[0]]) if len(looping) else None
