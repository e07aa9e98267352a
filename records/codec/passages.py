"""Passages: how a text that is longer than the model's input is read and written in several windows.

The encoding of a record stays what it is; only what the model sees changes. Long texts come after all other columns. The window of
a passage holds the columns, a token that announces the field, the number of the passage, the last tokens before the passage (its
tail), and the passage. Where a passage ends follows from its tokens alone: after a paragraph, a line or a sentence in its last part,
or where the window is full. So training, likelihood and generation divide a text in the same places without a token for it, the
likelihood of a record is the product over its passages, and a word that a full window divides stays whole: the next window begins
with its first half.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from paracosm.records.codec.passage_sizes import NUMBER_TOKENS, Passages
from paracosm.records.codec.tokens.symbol_tokens import single_token
from paracosm.records.text.cut_text import ends_sentence

if TYPE_CHECKING:
    from paracosm.records.codec.codec import Codec

AFTER_PARAGRAPH, AFTER_LINE, AFTER_SENTENCE = 0.5, 0.7, 0.8
"""Shares of a full passage from which on it ends after a paragraph, a line or a sentence."""


@dataclass(frozen=True)
class PassageLayout:
    """Windows of the long texts of a codec's records. Fields are identified by their index in `codec.fields`.

    Attributes:
        codec: with `passages`.
    """

    codec: "Codec"
    _read: dict[int, tuple[int, float]] = dataclasses.field(default_factory=dict, compare=False)

    @cached_property
    def sizes(self) -> Passages:
        """The sizes of a window."""
        assert self.codec.passages is not None
        return self.codec.passages

    @cached_property
    def indices(self) -> tuple[int, ...]:
        """The fields that are written in passages; they come after all others."""
        return tuple(
            index for index, field in enumerate(self.codec.fields) if field.name in self.sizes.fields
        )

    @cached_property
    def marks(self) -> Mapping[int, int]:
        """Field index -> token that announces a passage of the field."""
        codec = self.codec
        if codec.markers:
            return {index: codec.markers[index] for index in self.indices}
        taken = {codec.alphabet.stop, codec.alphabet.start}
        marks: dict[int, int] = {}
        for index in self.indices:
            marks[index] = single_token(codec.tokenizer, codec.fields[index].name, taken)
            taken.add(marks[index])
        return marks

    def number(self, number: int) -> list[int]:
        """Return the tokens of a passage's number, from 0."""
        return [self.codec.alphabet.symbols[digit] for digit in str(number)[-NUMBER_TOKENS:]]

    def prefix(self, index: int, number: int, before: Sequence[int]) -> list[int]:
        """Return the tokens of a window between the columns and the passage.

        Args:
            index: the field.
            number: of the passage in its text, from 0.
            before: tokens of all passages before, with those of the long texts before; the last ones suffice.
        """
        return [self.marks[index], *self.number(number), *self.tail(before)]

    def tail(self, before: Sequence[int]) -> Sequence[int]:
        """Return the last tokens before a passage, from the beginning of a sentence or line on if half of them are left."""
        tail = before[max(0, len(before) - self.sizes.tail) :]
        if len(tail) == len(before):
            return tail
        for position, token in enumerate(tail[: len(tail) // 2]):
            if self._properties(token)[1] < 1.0:
                return tail[position + 1 :]
        return tail

    def ends_after(self, count: int, token: int) -> bool:
        """Return whether a passage ends after a token.

        Args:
            count: tokens of the passage so far, the token included.
            token: the token.
        """
        return count >= self._properties(token)[1] * self.sizes.room

    def ends(self, ids: Sequence[int]) -> Iterator[int]:
        """Yield the position after each passage of an encoded text."""
        begin = 0
        for position, token in enumerate(ids[:-1], start=1):
            if self.ends_after(position - begin, token):
                yield position
                begin = position
        yield len(ids)

    def characters(self, token: int) -> int:
        """Return about how many characters a token has."""
        return self._properties(token)[0]

    def _properties(self, token: int) -> tuple[int, float]:
        """Return the characters of a token, and the share of a full passage from which on a passage ends after it."""
        if token not in self._read:
            text = self.codec.tokenizer.decode([token])
            share = 1.0
            if "\n" in text:
                share = AFTER_PARAGRAPH if text.count("\n") > 1 else AFTER_LINE
            elif ends_sentence(text):
                share = AFTER_SENTENCE
            self._read[token] = (len(text), share)
        return self._read[token]


@dataclass(eq=False)
class PassageWalk:
    """Position of a record that is being written in the passages of its long texts; ends them where `PassageLayout.ends` does.

    Attributes:
        layout: of the windows.
        index: of the long text that is being written; -1 before the first.
        columns: tokens of the prompt or start token and of all other columns.
    """

    layout: PassageLayout
    index: int = -1
    columns: list[int] = dataclasses.field(default_factory=list)
    _before: list[int] = dataclasses.field(default_factory=list)
    _number: int = 0
    _count: int = 0
    _is_full: bool = False

    def begin(self, index: int) -> list[int]:
        """Begin a long text; return what the model reads before its first passage, after the columns."""
        self.index, self._number, self._count, self._is_full = index, 0, 0, False
        return self.layout.prefix(index, 0, self._before)

    def take(self, token: int) -> None:
        """Add a token of the text."""
        if self._is_full:
            self._next()
        self._before.append(token)
        self._count += 1
        self._is_full = self.layout.ends_after(self._count, token)

    def next_window(self) -> list[int] | None:
        """Return the tokens before the next passage, columns included, if a passage has just ended; None inside a passage."""
        if not self._is_full:
            return None
        self._next()
        return [*self.columns, *self.layout.prefix(self.index, self._number, self._before)]

    def _next(self) -> None:
        self._number, self._count, self._is_full = self._number + 1, 0, False
