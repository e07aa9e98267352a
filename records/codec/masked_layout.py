"""Records as rows of slots, which a masked model fills in any order.

A row is `start`; per field its marker and as many slots as its longest value has decisions; per present text a mark and its
pieces; a last mark. A text field's own slot tells about how long the text is, or that it is missing, so that a model
decides on the length before the words. A short value leaves its last slots filled with the mark. Every token is one that
the codec's automata know, so the same grammar says what each slot may hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from paracosm.foundation.errors import DataError, ModelError
from paracosm.records.codec.automaton import END, Node, compress
from paracosm.records.codec.codec import Codec, TextCode, shown
from paracosm.records.codec.field_codec import FieldCode
from paracosm.records.codec.subword_text import TextPieces
from paracosm.records.codec.symbol_tokens import single_token
from paracosm.records.schema.schema import Record, Value


@dataclass(frozen=True)
class SlotRecord:
    """One record's tokens.

    Attributes:
        cells: per modelled field, the decisions of its value; of a text, its length.
        texts: place of each present text -> its pieces.
    """

    cells: tuple[tuple[int, ...], ...]
    texts: Mapping[int, tuple[int, ...]]
    tokens: int
    """Of the whole row."""

    @property
    def decisions(self) -> int:
        """Slots at which the grammar leaves a choice."""
        return sum(map(len, self.cells)) + sum(map(len, self.texts.values()))


@dataclass(frozen=True)
class MaskState:
    """What a row does not show: the state of a record that is being filled, or learnt from.

    Attributes:
        shown: place of each hidden cell -> how many of its decisions are shown. Texts whose place is here are left out.
        pieces: place of each text that is there -> the numbers of its hidden pieces.
    """

    shown: Mapping[int, int] = field(default_factory=dict)
    pieces: Mapping[int, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenRow:
    """Tokens of a row, and where its slots are.

    Attributes:
        ids: tokens.
        cells: per place, the position of its first slot.
        texts: place of each text in the row -> the position of its first piece.
    """

    ids: list[int]
    cells: tuple[int, ...]
    texts: Mapping[int, int]


@dataclass(frozen=True)
class MaskedLayout:
    """The layout of a codec's records as rows of slots.

    Attributes:
        codec: of the layout `slots`.
    """

    codec: Codec

    @cached_property
    def pieces(self) -> TextPieces:
        return TextPieces(self.codec.tokenizer)  # type: ignore[arg-type]  # a fast tokenizer of transformers

    @cached_property
    def mask(self) -> int:
        """The token that stands for what is hidden.

        Raises:
            ModelError: the tokenizer has none.
        """
        token = getattr(self.codec.tokenizer, "mask_token_id", None)
        if token is None:
            raise ModelError(
                "model.base: the tokenizer has no mask token, so this is no masked language model"
            )
        return token

    @property
    def mark(self) -> int:
        """The token that fills unused slots and stands before texts and at the end."""
        return self.codec.alphabet.unused

    @property
    def padding(self) -> int:
        """The token after a shorter row, which attention leaves out."""
        token = getattr(self.codec.tokenizer, "pad_token_id", None)
        return self.mark if token is None else token

    @cached_property
    def roots(self) -> tuple[Node, ...]:
        """Per place: the automaton of its cell; of a text, of its length."""
        return tuple(
            code.root if isinstance(code, FieldCode) else self._length_root(code) for code in self.codec.codes
        )

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Per place: its slots."""
        depths: dict[Node, int] = {}
        return tuple(_depth(root, depths) for root in self.roots)

    @cached_property
    def text_places(self) -> tuple[int, ...]:
        return tuple(place for place, code in enumerate(self.codec.codes) if isinstance(code, TextCode))

    def _length_root(self, code: TextCode) -> Node:
        tokens = [*self.lengths[code.field.name]]
        if code.missing is not None:
            tokens.append(code.missing[0])
        return Node(dict.fromkeys(tokens, END))

    @cached_property
    def lengths(self) -> Mapping[str, Mapping[int, tuple[int, int]]]:
        """Per text field: token of its length slot -> least and most pieces that it stands for."""
        found = {}
        for code in self.codec.codes:
            if not isinstance(code, TextCode):
                continue
            alphabet = self.codec.alphabet
            taken = {alphabet.stop, alphabet.start, alphabet.unused, *(code.missing or ())}
            least, most = self.codec.text_tokens[code.field.name]
            tokens: dict[int, tuple[int, int]] = {}
            for low, high in steps(least, most):
                token = single_token(self.codec.tokenizer, str(high), taken)
                taken.add(token)
                tokens[token] = (low, high)
            found[code.field.name] = tokens
        return found

    @cached_property
    def vocabulary(self) -> tuple[int, ...] | None:
        """Every token that a model may have to choose, ascending; None when a text opens them all."""
        return self.codec.vocabulary

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest row."""
        texts = sum(1 + most for _, most in self.codec.text_tokens.values())
        return self.closed_tokens + texts

    @cached_property
    def closed_tokens(self) -> int:
        """Tokens of a row without texts."""
        return 2 + len(self.widths) + sum(self.widths)

    def encode(self, record: Record) -> SlotRecord:
        """Return the tokens of a record.

        Raises:
            DataError: a value lies outside its field's domain, or a text is longer or shorter than any training text.
        """
        texts: dict[int, tuple[int, ...]] = {}
        cells = []
        for place, each in enumerate(self.codec.fields):
            value = record[each.name]
            if not each.allows(value):
                raise DataError(f"field {each.name!r}: {shown(value)} is outside its domain")
            if place in self.text_places and value is not None:
                texts[place] = self.pieces.read(str(value)).ids
            cells.append(self.cell(place, value, len(texts.get(place, ()))))
        return self.record(cells, {place: ids for place, ids in texts.items() if ids})

    def fitting(self, record: Record) -> Record:
        """Return a record whose texts are cut where the model's room for them ends."""
        found = dict(record)
        for place in self.text_places:
            name = self.codec.fields[place].name
            most = self.codec.text_tokens[name][1]
            text = record[name]
            spans = () if text is None else self.pieces.read(str(text)).spans
            if len(spans) > most:
                found[name] = str(text)[: spans[most - 1][1]] if most else ""
        return found

    def record(self, cells: Sequence[tuple[int, ...]], texts: Mapping[int, tuple[int, ...]]) -> SlotRecord:
        """Return a record of tokens."""
        count = self.closed_tokens + sum(1 + len(ids) for ids in texts.values())
        return SlotRecord(tuple(cells), texts, count)

    def cell(self, place: int, value: Value, pieces: int = 0) -> tuple[int, ...]:
        """Return the decisions of a value; of a text, of its length in pieces.

        Raises:
            DataError: no training text was so long, or so short.
        """
        code = self.codec.codes[place]
        if isinstance(code, FieldCode):
            return tuple(compress(code.root, code.spell(value)))
        if value is None:
            assert code.missing is not None
            return tuple(compress(self.roots[place], [code.missing[0]]))
        for token, (low, high) in self.lengths[code.field.name].items():
            if low <= pieces <= high:
                return tuple(compress(self.roots[place], [token]))
        raise DataError(
            f"field {code.field.name!r}: a text of {pieces} tokens is longer or shorter than any known"
        )

    def nearest_length(self, place: int, pieces: int) -> tuple[int, ...]:
        """Return the decisions of the length slot whose texts are most nearly of so many pieces."""
        steps_here = self.lengths[self.codec.fields[place].name]
        token = min(
            steps_here, key=lambda each: max(steps_here[each][0] - pieces, pieces - steps_here[each][1], 0)
        )
        return tuple(compress(self.roots[place], [token]))

    def pieces_of(self, place: int, path: Sequence[int]) -> tuple[int, int] | None:
        """Return least and most pieces of a text whose length slot holds the path; None for a missing text."""
        return self.lengths[self.codec.fields[place].name].get(path[0])

    def row(self, record: SlotRecord, hidden: MaskState) -> TokenRow:
        """Return the tokens of a record of which some are hidden."""
        codec = self.codec
        ids, cells, texts = [codec.start], [], {}
        for place, width in enumerate(self.widths):
            ids.append(codec.markers[place])
            cells.append(len(ids))
            shown_here = hidden.shown.get(place)
            decisions = record.cells[place]
            if shown_here is None:
                ids += [*decisions, *[self.mark] * (width - len(decisions))]
            else:
                ids += [*decisions[:shown_here], *[self.mask] * (width - shown_here)]
        for place in self.text_places:
            if place in hidden.shown or place not in record.texts:
                continue
            ids.append(self.mark)
            texts[place] = len(ids)
            written = list(record.texts[place])
            for at in hidden.pieces.get(place, ()):
                written[at] = self.mask
            ids += written
        return TokenRow([*ids, self.mark], tuple(cells), texts)

    def nodes(self, place: int, cell: Sequence[int]) -> list[Node]:
        """Return the states in which the decisions of a cell are taken."""
        node, found = self.roots[place], []
        for token in cell:
            while not node.decides:
                node = next(iter(node.edges.values()))
            found.append(node)
            node = node.edges[token]
        return found


def steps(least: int, most: int) -> list[tuple[int, int]]:
    """Return ranges of lengths from `least` to `most`, each about a fifth wider than the one before it."""
    found: list[tuple[int, int]] = []
    low = 0
    while low <= most:
        high = min(most, max(low, int(low * 1.2)))
        if high >= least:
            found.append((low, high))
        low = high + 1
    return found


def text_tokens(codec: Codec, records: Sequence[Record], limit: int | None) -> dict[str, tuple[int, int]]:
    """Return how many pieces the texts of each text field have, at least and at most, in whole steps.

    Args:
        codec: of the layout `slots`.
        records: the training records.
        limit: most tokens that the model reads; None for no limit.
    """
    slots = MaskedLayout(codec)
    known: dict[Node, int] = {}
    closed = sum(1 + (_depth(code.root, known) if isinstance(code, FieldCode) else 1) for code in codec.codes)
    texts = [each for each in codec.fields if each.type == "text"]
    found = {}
    for each in texts:
        counts = [
            len(slots.pieces.read(str(text)).ids)
            for record in records
            if (text := record[each.name]) is not None
        ]
        longest = max(counts)
        ranges = steps(min(counts), 2 * longest + 1)
        low = next(low for low, high in ranges if high >= min(counts))
        high = next(high for low, high in ranges if high >= longest)
        room = high if limit is None else (limit - closed - 2) // len(texts) - 1
        found[each.name] = (min(low, room), min(high, room))
    return found


def _depth(root: Node, known: dict[Node, int]) -> int:
    if root not in known:
        known[root] = max((_depth(then, known) for then in root.edges.values()), default=0) + root.decides
    return known[root]
