"""Infilling of texts by a masked model: which parts of a given text are rewritten, and how far the filling is.

A given text is rewritten at its gaps (`___`) and at randomly chosen words. A text without a draft is filled as a whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from paracosm.finetune.objectives.masked_dataset import hidden_spans
from paracosm.records.codec.tokens.subword_text import Pieces, TextPieces

GAP = re.compile(r"_{3,}")
"""Marks a missing segment of a given text."""
MAX_GAP_PIECES = 6
"""Longest filling of a gap in subword pieces; every length from 1 to this is equally likely."""
REFINED = 0.1
"""Fraction of the filled pieces of a text that one refinement draws again."""


@dataclass(frozen=True)
class InfillPlan:
    """A given text and the spans of it that are rewritten. Positions count the subword pieces of the text.

    Attributes:
        text: as it was given.
        pieces: of the text; the pieces of a gap hold the mask token.
        redrawn: spans that are rewritten, in order and not adjacent unless one of them is a gap.
        words: spans of its words, without gaps.
    """

    text: str
    pieces: Pieces
    redrawn: tuple[range, ...]
    words: tuple[range, ...]

    def kept_words(self, filled: Sequence[int]) -> int:
        """Return how many of the words the filled pieces still hold at the same position."""
        return sum(
            list(self.pieces.ids[word.start : word.stop]) == list(filled[word.start : word.stop])
            for word in self.words
        )


@dataclass(eq=False)
class TextInfill:
    """A text that is being filled, over several forward passes. Positions count its subword pieces.

    Attributes:
        index: of its field.
        ids: of its pieces; hidden pieces hold the mask token.
        positions: every position that the model writes.
        remaining: positions that were not drawn yet.
        passes: passes left for the remaining positions.
        refinements: passes left after them, each of which draws a fraction of the positions again.
        current: positions that the pass in progress draws.
        plan: of a given text that is rewritten; None for a new text.
    """

    index: int
    ids: list[int]
    positions: list[int]
    remaining: list[int]
    passes: int
    refinements: int
    current: list[int] = field(default_factory=list)
    plan: InfillPlan | None = None

    @property
    def is_complete(self) -> bool:
        return not self.remaining and not self.refinements

    def begin_pass(self, mask: int, random: np.random.Generator) -> None:
        """Choose the positions of the next pass: a fraction of the remaining ones, afterwards a fraction to refine."""
        if self.remaining:
            count = -(-len(self.remaining) // max(1, self.passes))
            drawn = random.permutation(len(self.remaining))[:count].tolist()
            self.current = sorted(self.remaining[number] for number in drawn)
            self.remaining = [position for position in self.remaining if position not in set(self.current)]
            self.passes -= 1
            return
        count = max(1, round(REFINED * len(self.positions)))
        drawn = random.permutation(len(self.positions))[:count].tolist()
        self.current = sorted(self.positions[number] for number in drawn)
        for position in self.current:
            self.ids[position] = mask
        self.refinements -= 1

    def fill(self, tokens: Sequence[int]) -> None:
        """Write the tokens that were drawn for the current positions."""
        for position, token in zip(self.current, tokens, strict=True):
            self.ids[position] = token


def infill_plan(
    text: str, fraction: float, reader: TextPieces, mask: int, limit: int, random: np.random.Generator
) -> InfillPlan:
    """Choose which parts of a text are rewritten.

    Args:
        text: with or without gaps (`___`).
        fraction: of its words that are hidden in addition to the gaps.
        reader: of the tokenizer.
        mask: the mask token.
        limit: most pieces that the model reads; the text after them is kept.
        random: random numbers of the record.
    """
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    words: list[range] = []
    gaps: list[range] = []
    begin = 0
    for gap in [*GAP.finditer(text), None]:
        end = len(text) if gap is None else gap.start()
        segment = reader.read(text[begin:end])
        words += [
            range(len(ids) + word.start, len(ids) + word.stop)
            for word in reader.words(text[begin:end], segment)
        ]
        ids += segment.ids
        spans += [(begin + first, begin + last) for first, last in segment.spans]
        if gap is not None:
            count = int(random.integers(1, MAX_GAP_PIECES + 1))
            gaps.append(range(len(ids), len(ids) + count))
            ids += [mask] * count
            spans += [gap.span()] * count
            begin = gap.end()
    words, gaps = ([span for span in group if span.stop <= limit] for group in (words, gaps))
    chosen: list[range] = []
    if words and fraction > 0:
        numbers = hidden_spans(len(words), max(1, round(fraction * len(words))), random)
        chosen = [words[number] for number in numbers]
    redrawn = _joined([*chosen, *gaps], set(gaps))
    return InfillPlan(text, Pieces(tuple(ids[:limit]), tuple(spans[:limit])), redrawn, tuple(words))


def _joined(spans: Sequence[range], gaps: set[range]) -> tuple[range, ...]:
    """Return spans in order, adjacent ones joined; a gap stays apart because it replaces one stretch of the text."""
    joined: list[range] = []
    for span in sorted(spans, key=lambda span: span.start):
        if joined and joined[-1].stop == span.start and not {joined[-1], span} & gaps:
            joined[-1] = range(joined[-1].start, span.stop)
        else:
            joined.append(span)
    return tuple(joined)
