"""One record that a masked model fills: cell after cell, a text by its length first and then piece by piece.

What the next pass shall draw is asked for as slots; a closed cell asks for one at a time, because what its second slot may
hold depends on the first, a text for several.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from paracosm.generate.constraints.guide import Guide
from paracosm.generate.constraints.infilling import InfillPlan, draft
from paracosm.generate.constraints.request import Request
from paracosm.records.codec.automaton import END, Node
from paracosm.records.codec.codec import TextCode
from paracosm.records.codec.field_codec import FieldCode
from paracosm.records.codec.masked_layout import MaskedLayout, MaskState, TokenRow
from paracosm.records.schema.schema import Value

REFINED = 0.1
"""Share of a text's filled pieces that one refinement draws again."""


@dataclass(frozen=True)
class MaskedSettings:
    """What all records of a decoder share.

    Attributes:
        slots: the layout.
        limit: most tokens that the model reads; None for no limit.
        text_passes: passes in which a text is filled.
        refinements: passes after that, each over a share of the filled pieces.
    """

    slots: MaskedLayout
    limit: int | None
    text_passes: int
    refinements: int


@dataclass(frozen=True)
class SlotQuery:
    """A slot to draw.

    Attributes:
        position: in the row.
        node: the choice of a closed cell; None for a piece of a text.
        begins_word: whether the piece has to begin a word.
    """

    position: int
    node: Node | None
    begins_word: bool = False


@dataclass(eq=False)
class TextInfill:
    """A text that is being filled.

    Attributes:
        place: of its field.
        ids: its pieces; hidden ones hold the mask token.
        open: places that were never drawn yet.
        drawn: every place that the model writes.
        passes: passes that are left for the open ones.
        refinements: passes that are left after them.
        now: places that the pass under way draws.
        draft: what it is a rewriting of.
    """

    place: int
    ids: list[int]
    open: list[int]
    drawn: list[int]
    passes: int
    refinements: int
    now: list[int] = field(default_factory=list)
    draft: InfillPlan | None = None


@dataclass(eq=False)
class MaskedState:
    """One record on its way.

    Attributes:
        settings: what all records share.
        request: what is asked for.
        guide: conditions and rules.
        stream: the record's own random numbers.
        values: of the fields that are known so far.
        failure: what refused the record, if something did.
        finished: whether the record is whole, or refused.
        counted: whether the decoder has counted it.
        words: of the drafts that were rewritten.
        kept_words: those of them that stand where they stood.
    """

    settings: MaskedSettings
    request: Request
    guide: Guide
    stream: np.random.Generator
    values: dict[str, Value] = field(default_factory=dict)
    failure: str | None = None
    finished: bool = False
    counted: bool = False
    words: int = 0
    kept_words: int = 0
    _place: int = -1
    _cells: list[tuple[int, ...]] = field(default_factory=list)
    _texts: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _unknown: dict[int, int] = field(default_factory=dict)
    _node: Node | None = None
    _part: Node = END
    _path: list[int] = field(default_factory=list)
    _filling: TextInfill | None = None

    def __post_init__(self) -> None:
        places = range(len(self.settings.slots.codec.fields))
        order = self.request.order
        self._queue = list(self.stream.permutation(len(places)) if order is None else order)[::-1]
        self._cells = [() for _ in places]
        self._unknown = dict.fromkeys(places, 0)
        self._go_on()

    @property
    def place(self) -> int:
        """The field in work."""
        return self._place

    @property
    def tokens(self) -> int:
        """Of the row as it is."""
        return len(self._row().ids)

    def asked(self) -> tuple[list[int], list[SlotQuery]]:
        """Return the row as it is, and the slots that the next pass is to draw."""
        filling = self._filling
        if filling is None:
            row = self._row()
            assert self._node is not None
            position = row.cells[self._place] + len(self._cells[self._place])
            return row.ids, [SlotQuery(position, self._part)]
        self._choose_pieces(filling)
        row = self._row()
        begins = {run.start for run in filling.draft.redrawn} if filling.draft else set()
        first = row.texts[filling.place]
        return row.ids, [SlotQuery(first + at, None, at in begins) for at in filling.now]

    def take(self, tokens: Sequence[int]) -> None:
        """Go on with what was drawn for the asked slots."""
        filling = self._filling
        if filling is None:
            (token,) = tokens
            self._decide(token)
            self._walk(token)
        else:
            for at, token in zip(filling.now, tokens, strict=True):
                filling.ids[at] = token
            if not filling.open and not filling.refinements:
                self._end_of_text(filling)
        self._go_on()

    def _row(self) -> TokenRow:
        slots = self.settings.slots
        texts, hidden = dict(self._texts), dict(self._unknown)
        if self._filling is not None:
            texts[self._filling.place] = tuple(self._filling.ids)
        return slots.row(slots.record(self._cells, texts), MaskState(hidden))

    def _choose_pieces(self, filling: TextInfill) -> None:
        """Choose what the next pass draws: a share of what is open, or of what was drawn already."""
        mask = self.settings.slots.mask
        if filling.open:
            count = -(-len(filling.open) // max(1, filling.passes))
            drawn = self.stream.permutation(len(filling.open))[:count].tolist()
            filling.now = sorted(filling.open[at] for at in drawn)
            filling.open = [at for at in filling.open if at not in set(filling.now)]
            filling.passes -= 1
            return
        count = max(1, round(REFINED * len(filling.drawn)))
        again = self.stream.permutation(len(filling.drawn))[:count].tolist()
        filling.now = sorted(filling.drawn[at] for at in again)
        for at in filling.now:
            filling.ids[at] = mask
        filling.refinements -= 1

    def _decide(self, token: int) -> None:
        self._cells[self._place] = (*self._cells[self._place], token)
        self._unknown[self._place] = len(self._cells[self._place])

    def _walk(self, token: int) -> None:
        assert self._node is not None
        self._path.append(token)
        self._node, self._part = self._node.edges[token], self._part.edges[token]

    def _go_on(self) -> None:
        """Walk over what is forced, to the next slot that has to be drawn or the end of the record."""
        while not self.finished and self._filling is None:
            if self._node is None:
                self._next_place()
            elif self._node.accepts:
                self._end_of_cell()
            elif len(self._part.edges) > 1:
                return
            else:
                token = next(iter(self._part.edges))
                if self._node.decides:
                    self._decide(token)
                self._walk(token)

    def _next_place(self) -> None:
        if not self._queue:
            self.finished = True
            return
        slots = self.settings.slots
        self._place = place = int(self._queue.pop())
        self._path = []
        if not isinstance(slots.codec.codes[place], TextCode):
            part = self.guide.part(place, self.values, {})
            if part is None:
                self.failure, self.finished = self.guide.blame(place, self.values), True
            else:
                self._node, self._part = slots.roots[place], part
            return
        given = self.guide.text(place)
        if given is not None:
            self._show_text(place, slots.pieces.read(str(given)).ids[: self._room()])
            self._known(given)
        elif place in self.request.drafts:
            self._begin_draft(place, *self.request.drafts[place])
        else:
            self._node = self._part = slots.roots[place]
            if self.guide.part(place, self.values, {}) is not None:
                self._part = self._present(place)

    def _present(self, place: int) -> Node:
        """Return the choice of a length where the text may not be missing."""
        tokens = self.settings.slots.lengths[self.settings.slots.codec.fields[place].name]
        return Node(dict.fromkeys(tokens, END))

    def _end_of_cell(self) -> None:
        self._node = None
        place, slots = self._place, self.settings.slots
        self._unknown.pop(place)
        code = slots.codec.codes[place]
        if isinstance(code, FieldCode):
            self._known(code.read(tuple(self._path)))
            return
        lengths = slots.pieces_of(place, self._path)
        if lengths is None:
            self._known(None)
            return
        least, most = lengths
        room = self._room()
        length = int(self.stream.integers(min(least, room), min(most, room) + 1))
        places = list(range(length))
        self._begin_filling(place, [slots.mask] * length, places)

    def _room(self) -> int:
        """Return how many pieces a text may have, so that the texts after it find some room too."""
        if self.settings.limit is None:
            return 10**9
        slots = self.settings.slots
        later = sum(place in slots.text_fields for place in self._queue)
        return max(0, (self.settings.limit - self.tokens) // (1 + later) - 2)

    def _show_text(self, place: int, ids: Sequence[int]) -> None:
        """Put a text into the row, and into its length slot the length that is nearest to its own."""
        self._unknown.pop(place, None)
        self._cells[place] = self.settings.slots.nearest_length(place, len(ids))
        if ids:
            self._texts[place] = tuple(ids)

    def _begin_draft(self, place: int, text: str, share: float) -> None:
        slots = self.settings.slots
        made = draft(text, share, slots.pieces, slots.mask, self._room(), self.stream)
        self._show_text(place, ())
        self._cells[place] = slots.nearest_length(place, len(made.pieces.ids))
        ids = list(made.pieces.ids)
        places = [at for run in made.redrawn for at in run]
        for at in places:
            ids[at] = slots.mask
        self._begin_filling(place, ids, places, made)

    def _begin_filling(
        self, place: int, ids: list[int], places: list[int], made: InfillPlan | None = None
    ) -> None:
        settings = self.settings
        filling = TextInfill(
            place,
            ids,
            list(places),
            list(places),
            settings.text_passes,
            settings.refinements if len(places) > 1 else 0,
            draft=made,
        )
        if places:
            self._filling = filling
        else:
            self._end_of_text(filling)

    def _end_of_text(self, filling: TextInfill) -> None:
        self._filling = None
        place, made = filling.place, filling.draft
        pieces, field_here = self.settings.slots.pieces, self.settings.slots.codec.fields[place]
        if filling.ids:
            self._texts[place] = tuple(filling.ids)
        if made is None:
            text = pieces.write(filling.ids)
        else:
            text = pieces.spliced(made.text, made.pieces, filling.ids, made.redrawn)
            self.words += len(made.words)
            self.kept_words += made.kept_words(filling.ids)
        self._known(text)
        if self.failure is None and not field_here.allows(text):
            self.failure, self.finished = f"the length of text field {field_here.name!r}", True

    def _known(self, value: Value) -> None:
        self.values[self.settings.slots.codec.fields[self._place].name] = value
        self.failure = self.guide.refused(self._place, self.values)
        self.finished = self.failure is not None
