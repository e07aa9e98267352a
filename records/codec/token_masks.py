"""Masks of the tokens that the grammar allows at each position, for the training loss and for sampling."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import llguidance
import numpy as np
from numpy.typing import NDArray

from paracosm.foundation.errors import ModelError
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.lark_grammar import token_set
from paracosm.records.codec.tokens.tokenizer_bytes import grammar_tokenizer

FORCED = 0
"""Mask number of a position at which the grammar allows one token only."""
MOST_SEGMENTS = 200_000
"""Most encoded values whose mask numbers are cached."""


@dataclass
class TokenMasks:
    """Token masks of a codec's grammar, computed by llguidance and numbered in the order of their first use.

    Attributes:
        codec: the codec.
        table: packed masks (uint8, little-endian bits over the vocabulary); number 0 is reserved for `FORCED`.
    """

    codec: Codec
    table: list[bytes] = field(default_factory=lambda: [b""])
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _segments: dict[tuple[int, tuple[int, ...]], list[int]] = field(default_factory=dict)

    @cached_property
    def tokenizer(self) -> llguidance.LLTokenizer:
        return grammar_tokenizer(self.codec.tokenizer, self.codec.alphabet.unused)

    @cached_property
    def _matchers(self) -> list[llguidance.LLMatcher]:
        return [self.matcher(self.codec.field_grammar(index)) for index in range(len(self.codec.fields))]

    def matcher(self, grammar: str) -> llguidance.LLMatcher:
        """Return the compiled form of a grammar.

        Raises:
            ModelError: llguidance rejects the grammar.
        """
        matcher = llguidance.LLMatcher(self.tokenizer, llguidance.LLMatcher.grammar_from_lark(grammar))
        if matcher.is_error():
            raise ModelError(f"the grammar cannot be compiled for this tokenizer: {matcher.get_error()}")
        return matcher

    def of_value(self, index: int, ids: Sequence[int]) -> list[int]:
        """Return the mask number at each token of an encoded value of the field at `index`, without its marker."""
        key = (index, tuple(ids))
        if key in self._segments:
            return self._segments[key]
        matcher = self._matchers[index]
        matcher.reset()
        numbers = []
        for token in ids:
            numbers.append(self._number(matcher.compute_bitmask()))
            if not matcher.consume_token(token):
                raise ModelError(
                    # The error of llguidance repeats the tokens, so the text of the record.
                    f"the grammar rejects an encoding of field {self.codec.fields[index].name!r} (token {len(numbers)} of"
                    f" {len(ids)}); this base model's tokenizer does not suit the field"
                )
        if not self.codec.fields[index].is_text:
            if len(self._segments) >= MOST_SEGMENTS:
                self._segments.clear()
            self._segments[key] = numbers
        return numbers

    def of_choice(self, tokens: Sequence[int]) -> int:
        """Return the mask number of a choice between some tokens, outside any field."""
        return self._number(self.matcher(f"start: {token_set(tokens)}\n").compute_bitmask())

    def _number(self, mask: bytes) -> int:
        if mask not in self._numbers:
            if int(np.bitwise_count(np.frombuffer(mask, dtype=np.uint8)).sum()) == 1:
                self._numbers[mask] = FORCED
            else:
                self._numbers[mask] = len(self.table)
                self.table.append(mask)
        return self._numbers[mask]

    def allowed(
        self, numbers: Sequence[int], vocabulary: Sequence[int] | None, width: int
    ) -> NDArray[np.bool_]:
        """Return the masks with these numbers as booleans.

        Args:
            numbers: mask numbers, none of them `FORCED`.
            vocabulary: token ids of the head's columns; None when column and token id are the same.
            width: columns of the head. A whole head may have more than the tokenizer has tokens, and a packed mask
                is padded to whole words, so neither length follows from the other.

        Returns:
            Array of shape (len(numbers), width).
        """
        packed = np.frombuffer(b"".join(self.table[number] for number in numbers), dtype=np.uint8)
        bits = np.unpackbits(packed.reshape(len(numbers), -1), axis=1, bitorder="little").astype(bool)
        if vocabulary is not None:
            return bits[:, np.asarray(vocabulary)]
        return np.pad(bits[:, :width], ((0, 0), (0, max(0, width - bits.shape[1]))))
