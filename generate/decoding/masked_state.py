"""Decoding state of one record under a masked model: cell after cell; of a text first the length, then its pieces.

For every forward pass the state returns the slots to draw. A closed cell has one slot at a time, because the tokens
that its second slot allows depend on the first. A text has several.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from paracosm.generate.constraints.allowed_values import EVERYTHING, AllowedValues
from paracosm.generate.constraints.guide import Guide
from paracosm.generate.constraints.infilling import InfillPlan, TextInfill, infill_plan
from paracosm.generate.constraints.request import Request
from paracosm.generate.decoding.automaton_walk import AllowedAutomata, AutomatonWalk
from paracosm.records.codec.automata.automaton import END, Node
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.field_codes import TextCode
from paracosm.records.codec.masked_layout import MaskedLayout, MaskState, TokenRow
from paracosm.records.schema.schema import Value

UNLIMITED = 10**9
"""Pieces of a text where the model has no limit."""
TEXT_OVERHEAD = 2
"""Tokens of the row that a text needs beside its pieces."""


@dataclass(frozen=True)
class MaskedSettings:
    """Shared by all records of a decoder.

    Attributes:
        layout: of records as rows of slots.
        limit: most tokens that the model reads; None for no limit.
        text_passes: passes in which a text is filled.
        refinements: passes after them, each over a fraction of the filled pieces.
    """

    layout: MaskedLayout
    limit: int | None
    text_passes: int
    refinements: int

    @cached_property
    def allowed(self) -> AllowedAutomata:
        """The automata of allowed values."""
        return AllowedAutomata(self.layout.codec)


@dataclass(frozen=True)
class SlotQuery:
    """A slot to draw.

    Attributes:
        position: in the row.
        allowed: automaton node whose edges are the allowed tokens of a closed cell; None for a piece of a text.
        begins_word: whether the piece must begin a word.
    """

    position: int
    allowed: Node | None
    begins_word: bool = False


@dataclass(eq=False)
class MaskedState:
    """Decoding state of one record.

    Attributes:
        settings: shared by all records.
        request: for the record.
        guide: conditions and rules of the record.
        random: the record's own random stream.
        values: of the fields that are known.
        failure: the constraint that refused the record, if one did.
        finished: whether the record is complete or refused.
        counted: whether the decoder has counted the finished record.
        words: words of the given texts that were rewritten.
        kept_words: those of them that the record still holds at the same position.
        index: of the current field.
    """

    settings: MaskedSettings
    request: Request
    guide: Guide
    random: np.random.Generator
    values: dict[str, Value] = field(default_factory=dict)
    failure: str | None = None
    finished: bool = False
    counted: bool = False
    words: int = 0
    kept_words: int = 0
    index: int = -1
    _walk: AutomatonWalk = field(default_factory=AutomatonWalk)
    _allowed: AllowedValues = EVERYTHING
    _infill: TextInfill | None = None
    _cells: list[tuple[int, ...]] = field(default_factory=list)
    _texts: dict[int, tuple[int, ...]] = field(default_factory=dict)
    # Per hidden cell: how many of its decisions the row shows.
    _shown: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        indices = range(len(self.settings.layout.codec.fields))
        order = self.request.order
        self._queue = list(self.random.permutation(len(indices)) if order is None else order)[::-1]
        self._cells = [() for _ in indices]
        self._shown = dict.fromkeys(indices, 0)
        self._advance()

    @property
    def tokens(self) -> int:
        """Length of the current row."""
        return len(self._row().ids)

    def queries(self) -> tuple[list[int], list[SlotQuery]]:
        """Return the current row and the slots that the next pass draws."""
        infill = self._infill
        if infill is None:
            row = self._row()
            position = row.cells[self.index] + len(self._cells[self.index])
            return row.ids, [SlotQuery(position, self._walk.allowed)]
        infill.begin_pass(self.settings.layout.mask, self.random)
        row = self._row()
        begins = {span.start for span in infill.plan.redrawn} if infill.plan else set()
        first = row.texts[infill.index]
        return row.ids, [SlotQuery(first + position, None, position in begins) for position in infill.current]

    def take(self, tokens: Sequence[int]) -> None:
        """Accept the tokens that were drawn for the queried slots, and advance to the next decision."""
        infill = self._infill
        if infill is None:
            (token,) = tokens
            self._write(token)
            self._walk.take(token)
        else:
            infill.fill(tokens)
            if infill.is_complete:
                self._end_text(infill)
        self._advance()

    def _row(self) -> TokenRow:
        layout = self.settings.layout
        texts = dict(self._texts)
        if self._infill is not None:
            texts[self._infill.index] = tuple(self._infill.ids)
        return layout.row(layout.record(self._cells, texts), MaskState(dict(self._shown)))

    def _write(self, token: int) -> None:
        self._cells[self.index] = (*self._cells[self.index], token)
        self._shown[self.index] = len(self._cells[self.index])

    def _advance(self) -> None:
        """Write forced tokens up to the next decision or the end of the record."""
        while not self.finished and self._infill is None:
            if self._walk.reaches_choice(self._write):
                return
            if self._walk.is_complete:
                self._end_cell(self._walk.end())
            else:
                self._begin_field()

    def _begin_field(self) -> None:
        if not self._queue:
            self.finished = True
            return
        layout = self.settings.layout
        self.index = index = int(self._queue.pop())
        if not isinstance(layout.codec.codes[index], TextCode):
            allowed = self.guide.allowed(index, self.values, {})
            node = None if allowed is None else self.settings.allowed(index, allowed)
            self._allowed = allowed or EVERYTHING
            if node is None:
                self.failure, self.finished = self.guide.conflict(index, self.values), True
            else:
                self._walk.start(layout.roots[index], node)
            return
        given = self.guide.given_text(index)
        if given is not None:
            self._insert_text(index, layout.pieces.read(str(given)).ids[: self._max_pieces()])
            self._set_value(given)
        elif index in self.request.infills:
            self._begin_rewrite(index, *self.request.infills[index])
        else:
            self._walk.start(layout.roots[index], self._length_automaton(index))

    def _length_automaton(self, index: int) -> Node:
        """Return the automaton of the length slot of a text: of all lengths, of a missing text, or of both."""
        layout = self.settings.layout
        allowed, code = self.guide.allowed(index, self.values, {}), layout.codec.codes[index]
        if allowed is None or allowed.everything:
            return layout.roots[index]
        if allowed.missing:
            return Node({code.missing[0]: END})  # type: ignore[index]  # of a nullable text
        return Node(dict.fromkeys(layout.lengths[layout.codec.fields[index].name], END))

    def _end_cell(self, path: tuple[int, ...]) -> None:
        index, layout = self.index, self.settings.layout
        self._shown.pop(index)
        code = layout.codec.codes[index]
        if isinstance(code, FieldCode):
            self._set_value(self.settings.allowed.value(index, path, self._allowed, self.random))
            return
        lengths = layout.pieces_of(index, path)
        if lengths is None:
            self._set_value(None)
            return
        least, most = lengths
        limit = self._max_pieces()
        length = int(self.random.integers(min(least, limit), min(most, limit) + 1))
        self._begin_infill(index, [layout.mask] * length, list(range(length)))

    def _max_pieces(self) -> int:
        """Return how many pieces a text may have, so that the texts after it fit into the model's limit."""
        if self.settings.limit is None:
            return UNLIMITED
        text_indices = self.settings.layout.text_fields
        later = sum(index in text_indices for index in self._queue)
        return max(0, (self.settings.limit - self.tokens) // (1 + later) - TEXT_OVERHEAD)

    def _insert_text(self, index: int, ids: Sequence[int]) -> None:
        """Insert a text into the row, and the length nearest to its own into its length slot."""
        self._shown.pop(index, None)
        self._cells[index] = self.settings.layout.nearest_length(index, len(ids))
        if ids:
            self._texts[index] = tuple(ids)

    def _begin_rewrite(self, index: int, text: str, fraction: float) -> None:
        layout = self.settings.layout
        plan = infill_plan(text, fraction, layout.pieces, layout.mask, self._max_pieces(), self.random)
        self._insert_text(index, ())
        self._cells[index] = layout.nearest_length(index, len(plan.pieces.ids))
        ids = list(plan.pieces.ids)
        positions = [position for span in plan.redrawn for position in span]
        for position in positions:
            ids[position] = layout.mask
        self._begin_infill(index, ids, positions, plan)

    def _begin_infill(
        self, index: int, ids: list[int], positions: list[int], plan: InfillPlan | None = None
    ) -> None:
        settings = self.settings
        infill = TextInfill(
            index,
            ids,
            positions=list(positions),
            remaining=list(positions),
            passes=settings.text_passes,
            refinements=settings.refinements if len(positions) > 1 else 0,
            plan=plan,
        )
        if positions:
            self._infill = infill
        else:
            self._end_text(infill)

    def _end_text(self, infill: TextInfill) -> None:
        self._infill = None
        index, plan = infill.index, infill.plan
        pieces, text_field = self.settings.layout.pieces, self.settings.layout.codec.fields[index]
        if infill.ids:
            self._texts[index] = tuple(infill.ids)
        if plan is None:
            text = pieces.write(infill.ids)
        else:
            text = pieces.spliced(plan.text, plan.pieces, infill.ids, plan.redrawn)
            self.words += len(plan.words)
            self.kept_words += plan.kept_words(infill.ids)
        self._set_value(text)
        if self.failure is None and not text_field.allows(text):
            self.failure, self.finished = f"the length of text field {text_field.name!r}", True

    def _set_value(self, value: Value) -> None:
        self.values[self.settings.layout.codec.fields[self.index].name] = value
        self.failure = self.guide.violation(self.index, self.values)
        self.finished = self.failure is not None
