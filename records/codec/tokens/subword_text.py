"""Conversion between texts and the subwords (pieces) of a masked language model's tokenizer.

A masked model fills positions in any order, so a piece must be valid beside any other piece: special tokens and parts of a
character are never written. Characters without a whole piece are left out of the training texts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paracosm.records.codec.tokens.tokenizer_bytes import piece_texts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SPACED_PUNCTUATION = re.compile(r"(?<=\w) ([-'/]) (?=\w)")


@dataclass(frozen=True)
class Pieces:
    """A text as pieces.

    Attributes:
        ids: token ids of the pieces.
        spans: start and end of each piece in the text, in characters.
    """

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TextPieces:
    """Converts texts to pieces and back.

    Attributes:
        tokenizer: fast tokenizer of a masked language model.
    """

    tokenizer: "PreTrainedTokenizerBase"

    @cached_property
    def texts(self) -> list[str | None]:
        """Text of each token; None for a token that is not a text of its own."""
        return piece_texts(self.tokenizer)

    @cached_property
    def writable(self) -> NDArray[np.bool_]:
        """Whether each token may occur in a text; shape (vocabulary,)."""
        return np.array([text is not None and text != "" for text in self.texts], dtype=bool)

    @cached_property
    def begins_word(self) -> NDArray[np.bool_]:
        """Whether each token begins a word (letters or digits after a space); shape (vocabulary,)."""
        return np.array(
            [
                text is not None and len(text) > 1 and text[0] == " " and text[1].isalnum()
                for text in self.texts
            ],
            dtype=bool,
        )

    def read(self, text: str) -> Pieces:
        """Return the pieces of a text, without the characters that no piece can represent."""
        encoding = self.tokenizer(
            text,
            add_special_tokens=False,
            split_special_tokens=True,
            return_offsets_mapping=True,
            verbose=False,
        )
        pieces = [
            (token, tuple(span))
            for token, span in zip(encoding["input_ids"], encoding["offset_mapping"], strict=True)
            if self.writable[token]
        ]
        return Pieces(tuple(token for token, _ in pieces), tuple(span for _, span in pieces))

    def write(self, ids: Sequence[int]) -> str:
        """Return the text of some pieces."""
        text = str(self.tokenizer.decode(list(ids), clean_up_tokenization_spaces=True))
        # WordPiece does not record whether spaces surround a hyphen; in records they rarely do.
        return (SPACED_PUNCTUATION.sub(r"\1", text) if self._forgets_spaces else text).strip()

    @cached_property
    def _forgets_spaces(self) -> bool:
        return self.tokenizer.decode(list(self.read("a-b").ids)) != "a-b"

    def words(self, text: str, pieces: Pieces) -> list[range]:
        """Return the index range of the pieces of each word: a run of letters and digits without a gap."""
        words: list[range] = []
        for index, (begin, end) in enumerate(pieces.spans):
            if not any(letter.isalnum() for letter in text[begin:end]):
                continue
            adjacent = words and words[-1].stop == index and pieces.spans[index - 1][1] == begin
            if adjacent and text[begin].isalnum():
                words[-1] = range(words[-1].start, index + 1)
            else:
                words.append(range(index, index + 1))
        return words

    def spliced(self, text: str, pieces: Pieces, filled: Sequence[int], redrawn: Sequence[range]) -> str:
        """Return a text in which some runs of pieces are replaced and all other characters stay.

        Args:
            text: the original text.
            pieces: its pieces.
            filled: token ids of the new pieces, as many as the original ones.
            redrawn: index ranges of the replaced pieces, in order, without overlaps.
        """
        parts, done = [], 0
        for run in redrawn:
            begin, end = pieces.spans[run.start][0], pieces.spans[run.stop - 1][1]
            new = self.write(filled[run.start : run.stop])
            if text[begin:end][:1].isupper() and new[:1].islower():
                new = new[:1].upper() + new[1:]
            parts += [text[done:begin], new]
            done = end
        return "".join(parts) + text[done:]
