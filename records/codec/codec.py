"""The codec: conversion between records and token ids, and the grammar of all token sequences that decode to a valid record.

An encoding holds the decisions of every field: digits padded to a fixed width, the tokens that distinguish a category from the
others, or a whole text and a stop token. Tokens that the schema forces are left out, so nearly every token carries information.
In the layout `markers` a token announces each field, which allows any order of the fields; in the layout `places` a field is
identified by its position.
"""

import dataclasses
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.section import Objective
from paracosm.records.codec.automata.automaton import END, Node, compress, decisions, expand
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.bins.histogram import Histogram
from paracosm.records.codec.field_codes import TextCode, code_of, describe_value
from paracosm.records.codec.lark_grammar import automaton_rules, record_grammar, sequence_grammar, text_rules
from paracosm.records.codec.passage_sizes import Passages
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer, single_token
from paracosm.records.schema.schema import Field, Record, Schema, Value

Layout = Literal["places", "markers", "slots"]


@dataclass(frozen=True)
class Codec:
    """Encoder, decoder and grammar for the modelled fields of a schema under one tokenizer.

    Fields are identified by their index among the modelled fields of the schema.

    Attributes:
        schema: fields and domains of the records.
        tokenizer: tokenizer of the base model.
        layout: `places` (fields in the order of the schema), `markers` (a token announces each field, in any order), or
            `slots` (fixed-width rows for a masked language model; see `masked_layout.py`).
        prompt: tokens before every record, instead of the start token; empty for none.
        text_tokens: name of a text field -> fewest and most tokens of its training texts; layout `slots` only.
        passages: how texts longer than the model's input are written; None if every record fits.
        bins: name of a number or date -> its bins. Such a field is written as the bin of its value, and the value inside the bin
            has the bin's fixed distribution. Fields without bins are written in digits.
    """

    schema: Schema
    tokenizer: Tokenizer
    layout: Layout = "places"
    prompt: tuple[int, ...] = ()
    text_tokens: Mapping[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    passages: Passages | None = None
    bins: Mapping[str, Histogram] = dataclasses.field(default_factory=dict)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The modelled fields, in the order of the schema."""
        return self.schema.modelled

    @cached_property
    def alphabet(self) -> SymbolTokens:
        """Tokens of single symbols."""
        return SymbolTokens.of(self.tokenizer)

    @cached_property
    def codes(self) -> tuple[FieldCode | TextCode, ...]:
        """Encoding of each modelled field."""
        return tuple(
            code_of(field, self.bins.get(field.name), self.tokenizer, self.alphabet) for field in self.fields
        )

    @cached_property
    def markers(self) -> tuple[int, ...]:
        """Token that announces each field, all different; empty in the layout `places`."""
        if self.layout == "places":
            return ()
        taken = {self.alphabet.stop, self.alphabet.start}
        markers = []
        for field in self.fields:
            markers.append(single_token(self.tokenizer, field.name, taken))
            taken.add(markers[-1])
        return tuple(markers)

    @property
    def objective(self) -> Objective:
        """Training objective of the models that read and write these records."""
        return "masked" if self.layout == "slots" else "causal"

    @property
    def start(self) -> int:
        """Token before every record if there is no prompt; it is not part of an encoding."""
        return self.alphabet.start

    @property
    def opening(self) -> tuple[int, ...]:
        """Tokens before every record, in training, sampling and evaluation alike."""
        return self.prompt or (self.start,)

    @cached_property
    def vocabulary(self) -> tuple[int, ...] | None:
        """Tokens that some decision of the grammar allows, ascending; None if a text field allows all tokens."""
        tokens: set[int] = set(self.continuation.edges) if self.schema.sequence else set()
        for code in self.codes:
            if isinstance(code, TextCode):
                return None
            tokens |= decisions(code.root)
        return tuple(sorted(tokens)) or (self.alphabet.stop,)

    def encode(self, record: Record, *, order: Sequence[int] | None = None) -> list[int]:
        """Return the token ids of a record, without the start token or prompt.

        Args:
            record: a value or None for every modelled field.
            order: field indices in the order of the encoding (layout `markers` only); None for the order of the schema.

        Raises:
            DataError: a value lies outside its field's domain, or the tokenizer cannot represent a text.
        """
        ids: list[int] = []
        for segment in self.segments(record, order=order):
            ids.extend(segment)
        return ids

    def segments(self, record: Record, *, order: Sequence[int] | None = None) -> list[list[int]]:
        """Return the token ids of each field, with its marker, in the order of the encoding."""
        markers = self.markers
        segments = []
        for index in self._order(order):
            ids = self.encode_value(index, record[self.fields[index].name])
            segments.append([markers[index], *ids] if markers else ids)
        return segments

    def encode_value(self, index: int, value: Value) -> list[int]:
        """Return the token ids of a value of the field at `index`, without its marker.

        Raises:
            DataError: the value lies outside the field's domain, or the tokenizer cannot represent the text.
        """
        field, code = self.fields[index], self.codes[index]
        if not field.allows(value):
            raise DataError(f"field {field.name!r}: {describe_value(value)} is outside its domain")
        if isinstance(code, FieldCode):
            return compress(code.root, code.spell(value))
        return code.encode(value, self.tokenizer, self.alphabet)

    def value_log_probability(self, index: int, value: Value) -> float:
        """Return the natural log of the probability of a value given its tokens: 0 unless it is written as its bin."""
        code = self.codes[index]
        return code.log_probability(value) if isinstance(code, FieldCode) else 0.0

    def decode(self, ids: Sequence[int], random: np.random.Generator | None = None) -> Record:
        """Return the record that `ids` encodes, with its fields in the order of the schema: the inverse of `encode`.

        A number that is written as its bin becomes a central value of the bin, or one that is drawn from it.

        Args:
            ids: the tokens.
            random: draws the values inside bins; None for central values.

        Raises:
            DataError: `ids` is not in the codec's grammar.
        """
        record: Record = {}
        position = 0
        for number in range(len(self.fields)):
            index = number
            if self.markers:
                if position >= len(ids) or ids[position] not in self.markers:
                    raise DataError(f"token {position}: expected a token that announces a field")
                index = self.markers.index(ids[position])
                position += 1
            name = self.fields[index].name
            if name in record:
                raise DataError(f"token {position - 1}: field {name!r} is announced twice")
            record[name], position = self.read_value(index, ids, position, random)
        if position != len(ids):
            raise DataError(f"{len(ids) - position} tokens are left over after the last field")
        return {field.name: record[field.name] for field in self.fields}

    def read_value(
        self, index: int, ids: Sequence[int], position: int, random: np.random.Generator | None = None
    ) -> tuple[Value, int]:
        """Return the value of the field at `index` that is encoded at `position`, and the position after it; see `decode`.

        Raises:
            DataError: no value of the field is encoded there.
        """
        field, code = self.fields[index], self.codes[index]
        if isinstance(code, FieldCode):
            expanded = expand(code.root, ids, position)
            if expanded is None:
                raise DataError(f"token {position}: expected a value of field {field.name!r}")
            path, end = expanded
            return code.read(path) if random is None else code.draw(path, random), end
        if code.missing is not None:
            if position < len(ids) and ids[position] == code.missing[0]:
                return None, position + 1
            position += 1
        end = next((i for i in range(position, len(ids)) if ids[i] == self.alphabet.stop), None)
        if end is None:
            raise DataError(f"token {position}: the text of field {field.name!r} does not end")
        value = self.tokenizer.decode(ids[position:end])
        if not field.allows(value):
            raise DataError(f"token {position}: the text of field {field.name!r} is outside its domain")
        return value, end + 1

    def grammar(self, order: Sequence[int] | None = None) -> str:
        """Return the llguidance (Lark) grammar of all encodings.

        Args:
            order: field indices in the order of the encoding, possibly without the first ones; None for all.
        """
        if self.schema.sequence is not None:
            shared, own = ([f"f{index}" for index in indices] for indices in self.sequence_fields)
            rules = [rule for index in range(len(self.fields)) for rule in self._rules(index)]
            most, stop = self.schema.sequence.most, self.alphabet.stop
            return sequence_grammar(shared, own, rules, most=most, more=self.more, stop=stop)
        names = {index: f"f{index}" for index in self._order(order)}
        markers = {name: self.markers[index] for index, name in names.items()} if self.markers else {}
        rules_of = {name: self._rules(index) for index, name in names.items()}
        return record_grammar(list(names.values()), rules_of, markers)

    def field_grammar(self, index: int) -> str:
        """Return the grammar of one field alone, without its marker."""
        return record_grammar([f"f{index}"], {f"f{index}": self._rules(index)}, {})

    def open_text_grammar(self, index: int) -> str:
        """Return the grammar of a text field alone, without the token that says whether it is missing."""
        field = self.fields[index]
        rules = text_rules(f"f{index}", field.min_length, self._max_length(field), self.alphabet.stop, None)
        return record_grammar([f"f{index}"], {f"f{index}": rules}, {})

    def _rules(self, index: int) -> list[str]:
        field, code = self.fields[index], self.codes[index]
        if isinstance(code, FieldCode):
            return automaton_rules(code.root, f"f{index}")
        return text_rules(
            f"f{index}", field.min_length, self._max_length(field), self.alphabet.stop, code.missing
        )

    def _max_length(self, field: Field) -> int | None:
        """Return the most characters of a text in the grammar; None for a text in passages, whose tokens are counted instead."""
        return None if self.passages is not None and field.name in self.passages.fields else field.max_length

    def steps(self, order: Sequence[int] | None = None) -> Generator[int | Node, int | None, None]:
        """Yield the steps of an encoding in order: the index of a field, or the choice whether another record follows.

        The choice is the automaton `continuation`; the caller sends back the chosen token.

        Args:
            order: field indices in the order of the encoding.
        """
        if self.schema.sequence is None:
            yield from self._order(order)
            return
        shared, own = self.sequence_fields
        yield from shared
        for _ in range(self.schema.sequence.most - 1):
            yield from own
            if (yield self.continuation) == self.alphabet.stop:
                return
        yield from own

    @cached_property
    def sequence_fields(self) -> tuple[list[int], list[int]]:
        """Indices of the fields that all records of a subject share, and of the other fields, in order."""
        assert self.schema.sequence is not None
        shared = self.schema.sequence.shared
        indices = range(len(self.fields))
        return (
            [index for index in indices if self.fields[index].name in shared],
            [index for index in indices if self.fields[index].name not in shared],
        )

    @cached_property
    def more(self) -> int:
        """Token after a record of a sequence that another one follows."""
        return single_token(
            self.tokenizer, ";", {self.alphabet.stop, self.alphabet.start, self.alphabet.unused}
        )

    @cached_property
    def continuation(self) -> Node:
        """Automaton of the choice after a record of a sequence: another record or the end."""
        return Node({self.more: END, self.alphabet.stop: END})

    def _order(self, order: Sequence[int] | None) -> Sequence[int]:
        if order is None:
            return range(len(self.fields))
        if self.passages is not None:
            long = self.passages.fields
            order = sorted(order, key=lambda index: self.fields[index].name in long)
        last = range(len(self.fields) - len(order), len(self.fields))
        if self.layout == "places" and list(order) != list(last):
            raise ValueError(
                "the layout 'places' has a fixed order of fields; use 'markers' for another order"
            )
        return order
