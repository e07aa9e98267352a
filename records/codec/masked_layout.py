"""Fixed-width layout of a record for a masked language model, which fills its slots in any order.

A row holds `start`; the marker of each field and as many slots as its longest value has decisions; a mark and the pieces of each
text that is present; a last mark. Unused slots of a short value hold the mark. A text field has one slot for the approximate
length of its text, or for a missing text, so that the length is decided before the words. Slots hold tokens of the codec's
automata, so that the codec's grammar decides what is allowed in each slot.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from paracosm.foundation.errors import DataError, ModelError
from paracosm.records.codec.automata.automaton import END, Node, compress, depth, skip_forced
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.field_codes import TextCode, describe_value
from paracosm.records.codec.text_lengths import length_ranges
from paracosm.records.codec.tokens.subword_text import TextPieces
from paracosm.records.codec.tokens.symbol_tokens import single_token
from paracosm.records.schema.schema import Record, Value


@dataclass(frozen=True)
class SlotRecord:
    """The tokens of one record.

    Attributes:
        cells: decisions of each modelled field's value; for a text, the decision of its length.
        texts: field index of each present text -> its pieces.
        tokens: number of tokens of the whole row.
        constant: nats that no model can change: those of the values inside their bins.
    """

    cells: tuple[tuple[int, ...], ...]
    texts: Mapping[int, tuple[int, ...]]
    tokens: int
    constant: float = 0.0

    @property
    def decisions(self) -> int:
        """Number of slots in which the grammar allows more than one token."""
        return sum(map(len, self.cells)) + sum(map(len, self.texts.values()))


@dataclass(frozen=True)
class MaskState:
    """The masked parts of a row: the state of a record in training or in generation.

    Attributes:
        shown: field index of each masked cell -> number of its decisions that are shown. The texts of these fields are absent.
        pieces: field index of each text that is present -> indices of its masked pieces.
    """

    shown: Mapping[int, int] = dataclasses.field(default_factory=dict)
    pieces: Mapping[int, Sequence[int]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class TokenRow:
    """The token ids of a row and the positions of its slots.

    Attributes:
        ids: token ids.
        cells: position of the first slot of each field.
        texts: field index of each text in the row -> position of its first piece.
    """

    ids: list[int]
    cells: tuple[int, ...]
    texts: Mapping[int, int]


@dataclass(frozen=True)
class MaskedLayout:
    """The layout of a codec's records as rows of slots. Fields are identified by their index in `codec.fields`.

    Attributes:
        codec: a codec of the layout `slots`.
    """

    codec: Codec

    @cached_property
    def pieces(self) -> TextPieces:
        """Conversion between texts and pieces."""
        return TextPieces(self.codec.tokenizer)  # type: ignore[arg-type]  # a fast tokenizer of transformers

    @cached_property
    def mask(self) -> int:
        """The mask token of the model.

        Raises:
            ModelError: the tokenizer has no mask token.
        """
        token = getattr(self.codec.tokenizer, "mask_token_id", None)
        if token is None:
            raise ModelError(
                "model.base: the tokenizer has no mask token, so this is not a masked language model"
            )
        return token

    @property
    def mark(self) -> int:
        """The token in unused slots, before texts, and at the end of a row."""
        return self.codec.alphabet.unused

    @property
    def padding(self) -> int:
        """The token that pads a row to the length of a batch; attention ignores it."""
        token = getattr(self.codec.tokenizer, "pad_token_id", None)
        return self.mark if token is None else token

    @cached_property
    def roots(self) -> tuple[Node, ...]:
        """Automaton of each field's value; for a text, of its length."""
        return tuple(
            code.root if isinstance(code, FieldCode) else self._length_root(code) for code in self.codec.codes
        )

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Number of slots of each field."""
        depths: dict[Node, int] = {}
        return tuple(depth(root, depths) for root in self.roots)

    @cached_property
    def text_fields(self) -> tuple[int, ...]:
        """Indices of the text fields."""
        return tuple(index for index, code in enumerate(self.codec.codes) if isinstance(code, TextCode))

    def _length_root(self, code: TextCode) -> Node:
        tokens = [*self.lengths[code.field.name]]
        if code.missing is not None:
            tokens.append(code.missing[0])
        return Node(dict.fromkeys(tokens, END))

    @cached_property
    def lengths(self) -> Mapping[str, Mapping[int, tuple[int, int]]]:
        """Name of each text field -> token of its length slot -> fewest and most pieces of such a text."""
        lengths = {}
        for code in self.codec.codes:
            if not isinstance(code, TextCode):
                continue
            alphabet = self.codec.alphabet
            taken = {alphabet.stop, alphabet.start, alphabet.unused, *(code.missing or ())}
            fewest, most = self.codec.text_tokens[code.field.name]
            tokens: dict[int, tuple[int, int]] = {}
            for low, high in length_ranges(fewest, most):
                token = single_token(self.codec.tokenizer, str(high), taken)
                taken.add(token)
                tokens[token] = (low, high)
            lengths[code.field.name] = tokens
        return lengths

    @cached_property
    def vocabulary(self) -> tuple[int, ...] | None:
        """Tokens that some decision allows, ascending; None if a text field allows all tokens."""
        return self.codec.vocabulary

    @cached_property
    def longest(self) -> int:
        """Number of tokens of the longest row."""
        texts = sum(1 + most for _, most in self.codec.text_tokens.values())
        return self.closed_tokens + texts

    @cached_property
    def closed_tokens(self) -> int:
        """Number of tokens of a row without texts."""
        return 2 + len(self.widths) + sum(self.widths)

    def encode(self, record: Record) -> SlotRecord:
        """Return the tokens of a record.

        Raises:
            DataError: a value lies outside its field's domain, or a text is longer or shorter than all training texts.
        """
        texts: dict[int, tuple[int, ...]] = {}
        cells = []
        for index, field in enumerate(self.codec.fields):
            value = record[field.name]
            if not field.allows(value):
                raise DataError(f"field {field.name!r}: {describe_value(value)} is outside its domain")
            if index in self.text_fields and value is not None:
                texts[index] = self.pieces.read(str(value)).ids
            cells.append(self.cell(index, value, len(texts.get(index, ()))))
        constant = -sum(
            self.codec.value_log_probability(index, record[field.name])
            for index, field in enumerate(self.codec.fields)
        )
        encoded = self.record(cells, {index: ids for index, ids in texts.items() if ids})
        return dataclasses.replace(encoded, constant=constant)

    def fitting(self, record: Record) -> Record:
        """Return the record with its texts cut to the length that the model can hold."""
        cut = dict(record)
        for index in self.text_fields:
            name = self.codec.fields[index].name
            most = self.codec.text_tokens[name][1]
            text = record[name]
            spans = () if text is None else self.pieces.read(str(text)).spans
            if len(spans) > most:
                cut[name] = str(text)[: spans[most - 1][1]] if most else ""
        return cut

    def record(self, cells: Sequence[tuple[int, ...]], texts: Mapping[int, tuple[int, ...]]) -> SlotRecord:
        """Return the record with these cells and texts, with its number of tokens."""
        count = self.closed_tokens + sum(1 + len(ids) for ids in texts.values())
        return SlotRecord(tuple(cells), texts, count)

    def cell(self, index: int, value: Value, pieces: int = 0) -> tuple[int, ...]:
        """Return the decisions of a value of the field at `index`; for a text, the decision of its length.

        Args:
            index: index of the field.
            value: the value.
            pieces: number of pieces of a text.

        Raises:
            DataError: a text is longer or shorter than all training texts.
        """
        code = self.codec.codes[index]
        if isinstance(code, FieldCode):
            return tuple(compress(code.root, code.spell(value)))
        if value is None:
            assert code.missing is not None
            return tuple(compress(self.roots[index], [code.missing[0]]))
        for token, (low, high) in self.lengths[code.field.name].items():
            if low <= pieces <= high:
                return tuple(compress(self.roots[index], [token]))
        raise DataError(
            f"field {code.field.name!r}: a text of {pieces} tokens is longer or shorter than all training texts"
        )

    def nearest_length(self, index: int, pieces: int) -> tuple[int, ...]:
        """Return the decisions of the length slot whose range of pieces is nearest to `pieces`."""
        ranges = self.lengths[self.codec.fields[index].name]
        token = min(ranges, key=lambda token: max(ranges[token][0] - pieces, pieces - ranges[token][1], 0))
        return tuple(compress(self.roots[index], [token]))

    def pieces_of(self, index: int, path: Sequence[int]) -> tuple[int, int] | None:
        """Return the fewest and most pieces of a text whose length slot holds `path`; None for a missing text."""
        return self.lengths[self.codec.fields[index].name].get(path[0])

    def row(self, record: SlotRecord, hidden: MaskState) -> TokenRow:
        """Return the token ids of a partly masked record."""
        codec = self.codec
        ids, cells, texts = [codec.start], [], {}
        for index, width in enumerate(self.widths):
            ids.append(codec.markers[index])
            cells.append(len(ids))
            shown = hidden.shown.get(index)
            decisions = record.cells[index]
            if shown is None:
                ids += [*decisions, *[self.mark] * (width - len(decisions))]
            else:
                ids += [*decisions[:shown], *[self.mask] * (width - shown)]
        for index in self.text_fields:
            if index in hidden.shown or index not in record.texts:
                continue
            ids.append(self.mark)
            texts[index] = len(ids)
            pieces = list(record.texts[index])
            for masked in hidden.pieces.get(index, ()):
                pieces[masked] = self.mask
            ids += pieces
        return TokenRow([*ids, self.mark], tuple(cells), texts)

    def nodes(self, index: int, cell: Sequence[int]) -> list[Node]:
        """Return the states in which the decisions of a cell are made."""
        node, states = self.roots[index], []
        for token in cell:
            node = skip_forced(node)
            states.append(node)
            node = node.edges[token]
        return states
