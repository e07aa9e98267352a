"""A text of which parts are written anew: gaps that its author left, and words that are hidden at random."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paracosm.finetune.objectives.masked_dataset import hidden_spans
from paracosm.records.codec.tokens.subword_text import Pieces, TextPieces

GAP = re.compile(r"_{3,}")
"""What stands for a missing segment in a given text."""
GAP_PIECES = 6
"""Most pieces that fill a gap; from one to so many, each number equally likely."""


@dataclass(frozen=True)
class InfillPlan:
    """A text on its way to a new one.

    Attributes:
        text: as it was given.
        pieces: of it; those of a gap are placeholders.
        redrawn: runs of places that are written anew, in order, apart from each other.
        words: runs of places of its words, gaps left out.
    """

    text: str
    pieces: Pieces
    redrawn: tuple[range, ...]
    words: tuple[range, ...]

    def kept_words(self, filled: Sequence[int]) -> int:
        """Return how many of its words stand where they stood."""
        return sum(
            list(self.pieces.ids[word.start : word.stop]) == list(filled[word.start : word.stop])
            for word in self.words
        )


def draft(
    text: str, share: float, reader: TextPieces, mask: int, room: int, chance: np.random.Generator
) -> InfillPlan:
    """Choose what of a text is written anew.

    Args:
        text: perhaps with gaps (`___`).
        share: of its words that are hidden beside the gaps.
        reader: of the tokenizer.
        mask: token of a placeholder.
        room: most pieces that are read; what comes after them is kept.
        chance: random numbers of the record.
    """
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    words: list[range] = []
    gaps: list[range] = []
    begin = 0
    for gap in [*GAP.finditer(text), None]:
        end = len(text) if gap is None else gap.start()
        part = reader.read(text[begin:end])
        words += [
            range(len(ids) + word.start, len(ids) + word.stop) for word in reader.words(text[begin:end], part)
        ]
        ids += part.ids
        spans += [(begin + first, begin + last) for first, last in part.spans]
        if gap is not None:
            count = int(chance.integers(1, GAP_PIECES + 1))
            gaps.append(range(len(ids), len(ids) + count))
            ids += [mask] * count
            spans += [gap.span()] * count
            begin = gap.end()
    words, gaps = ([run for run in runs if run.stop <= room] for runs in (words, gaps))
    chosen: list[range] = []
    if words and share > 0:
        numbers = hidden_spans(len(words), max(1, round(share * len(words))), chance)
        chosen = [words[number] for number in numbers]
    redrawn: list[range] = []
    for run in sorted([*chosen, *gaps], key=lambda run: run.start):
        if redrawn and redrawn[-1].stop == run.start and not {redrawn[-1], run} & set(gaps):
            redrawn[-1] = range(redrawn[-1].start, run.stop)
        else:
            redrawn.append(run)
    return InfillPlan(text, Pieces(tuple(ids[:room]), tuple(spans[:room])), tuple(redrawn), tuple(words))
