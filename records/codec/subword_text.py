"""Texts as the pieces of a masked model's tokenizer: what it can write at any one place, and how pieces become text again.

A masked model fills places in any order, so a piece has to make sense whatever stands beside it: special tokens and parts
of a character are never written. Characters that the tokenizer has no whole piece for are left out of what is learnt.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paracosm.records.codec.tokenizer_bytes import piece_texts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LOOSE = re.compile(r"(?<=\w) ([-'/]) (?=\w)")


@dataclass(frozen=True)
class Pieces:
    """A text in pieces.

    Attributes:
        ids: of the pieces.
        spans: where each stands in the text, in characters.
    """

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TextPieces:
    """Reads and writes texts with a fast tokenizer.

    Attributes:
        tokenizer: of a masked model.
    """

    tokenizer: "PreTrainedTokenizerBase"

    @cached_property
    def texts(self) -> list[str | None]:
        """Per token, what it adds to a text; None for one that cannot stand alone."""
        return piece_texts(self.tokenizer)

    @cached_property
    def writable(self) -> NDArray[np.bool_]:
        """Per token, whether a model may write it into a text."""
        return np.array([text is not None and text != "" for text in self.texts], dtype=bool)

    @cached_property
    def begins_word(self) -> NDArray[np.bool_]:
        """Per token, whether it begins a word: letters or digits after a space."""
        return np.array(
            [
                text is not None and len(text) > 1 and text[0] == " " and text[1].isalnum()
                for text in self.texts
            ],
            dtype=bool,
        )

    @cached_property
    def continues_word(self) -> NDArray[np.bool_]:
        """Per token, whether it goes on with the word before it."""
        return np.array([bool(text) and text[0].isalnum() for text in self.texts], dtype=bool)

    def read(self, text: str) -> Pieces:
        """Return the pieces of a text; what no piece can write is left out."""
        found = self.tokenizer(
            text,
            add_special_tokens=False,
            split_special_tokens=True,
            return_offsets_mapping=True,
            verbose=False,
        )
        kept = [
            (token, tuple(span))
            for token, span in zip(found["input_ids"], found["offset_mapping"], strict=True)
            if self.writable[token]
        ]
        return Pieces(tuple(token for token, _ in kept), tuple(span for _, span in kept))

    def write(self, ids: Sequence[int]) -> str:
        """Return the text that pieces spell."""
        text = str(self.tokenizer.decode(list(ids), clean_up_tokenization_spaces=True))
        # Word pieces forget whether a hyphen stood between spaces; in records it rarely does.
        return (LOOSE.sub(r"\1", text) if self._forgets_spaces else text).strip()

    @cached_property
    def _forgets_spaces(self) -> bool:
        return self.tokenizer.decode(list(self.read("a-b").ids)) != "a-b"

    def words(self, text: str, pieces: Pieces) -> list[range]:
        """Return the places of each word's pieces: runs of letters and digits without a gap between them."""
        found: list[range] = []
        for place, (begin, end) in enumerate(pieces.spans):
            if not any(letter.isalnum() for letter in text[begin:end]):
                continue
            joined = found and found[-1].stop == place and pieces.spans[place - 1][1] == begin
            if joined and text[begin].isalnum():
                found[-1] = range(found[-1].start, place + 1)
            else:
                found.append(range(place, place + 1))
        return found

    def spliced(self, text: str, pieces: Pieces, filled: Sequence[int], redrawn: Sequence[range]) -> str:
        """Return a text in which some runs of pieces were written anew and every other character is kept.

        Args:
            text: as it was.
            pieces: of it.
            filled: pieces of the new text, as many as there were.
            redrawn: runs of places that were written anew, in order, apart from each other.
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
