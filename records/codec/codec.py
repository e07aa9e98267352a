"""The codec: record <-> token ids, and the grammar of every id sequence that decodes to a valid record.

An encoding is `start`, then per field its decisions: digits padded to a fixed width, the tokens of a category's name that
tell it from the other categories, the whole of a text and a stop token. Tokens that the schema forces are left out, so
nearly every token carries information. With `markers` each field is announced by one token, which lets fields stand in
any order; without, a field is known by its place.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from paracosm.foundation.errors import DataError, ModelError
from paracosm.recipes.sections.section import Objective
from paracosm.records.codec.automaton import END, Node, compress, decisions, expand
from paracosm.records.codec.field_codec import FieldCode, field_code
from paracosm.records.codec.lark_grammar import automaton_rules, record_grammar, text_rules, token_set
from paracosm.records.codec.symbol_tokens import SymbolTokens, Tokenizer, plain_tokens, single_token
from paracosm.records.schema.schema import Field, Record, Schema, Value

Layout = Literal["places", "markers", "slots"]
FORMAT, FORMAT_WITH_PROMPT = 1, 2


@dataclass(frozen=True)
class TextCode:
    """The open encoding of a text field: optional presence token, the text's own tokens, a stop token."""

    field: Field
    missing: tuple[int, int] | None
    """Token of a missing text and token before a present one, for a nullable field."""


@dataclass(frozen=True)
class Codec:
    """Encoder, decoder and grammar for the modelled fields of a schema under one tokenizer.

    Attributes:
        schema: the records' fields and domains.
        tokenizer: of the base model.
        layout: `places` (fields told by position), `markers` (one token announces each field, any order), or `slots`
            (a masked model fills a row of slots in any order; see `slots.py`).
        prompt: tokens that stand in the place of the start token before every record; empty for none.
        text_tokens: per text field, least and most tokens of a training text; layout `slots` only.
    """

    schema: Schema
    tokenizer: Tokenizer
    layout: Layout = "places"
    prompt: tuple[int, ...] = ()
    text_tokens: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return self.schema.modelled

    @cached_property
    def alphabet(self) -> SymbolTokens:
        return SymbolTokens.of(self.tokenizer)

    @cached_property
    def codes(self) -> tuple[FieldCode | TextCode, ...]:
        """One code per modelled field, in schema order."""
        return tuple(
            self._text_code(each) if each.type == "text" else field_code(each, self.tokenizer, self.alphabet)
            for each in self.fields
        )

    def _text_code(self, field: Field) -> TextCode:
        if not field.nullable:
            return TextCode(field, None)
        absent = single_token(self.tokenizer, "?", {self.alphabet.stop})
        return TextCode(field, (absent, single_token(self.tokenizer, ":", {self.alphabet.stop, absent})))

    @cached_property
    def markers(self) -> tuple[int, ...]:
        """The token that announces each field, all different; empty in the layout `places`."""
        if self.layout == "places":
            return ()
        taken = {self.alphabet.stop, self.alphabet.start}
        chosen = []
        for each in self.fields:
            chosen.append(single_token(self.tokenizer, each.name, taken))
            taken.add(chosen[-1])
        return tuple(chosen)

    @property
    def objective(self) -> Objective:
        """What kind of model reads and writes these records."""
        return "masked" if self.layout == "slots" else "causal"

    @property
    def start(self) -> int:
        """The token that every record begins with where there is no prompt; it is not part of an encoding."""
        return self.alphabet.start

    @property
    def opening(self) -> tuple[int, ...]:
        """What the model reads before every record, in training, sampling and measuring alike."""
        return self.prompt or (self.start,)

    @cached_property
    def vocabulary(self) -> tuple[int, ...] | None:
        """Every token that the grammar can ask the model to choose, ascending; None when a text field opens them all."""
        found: set[int] = set(self.going_on.edges) if self.schema.sequence else set()
        for code in self.codes:
            if isinstance(code, TextCode):
                return None
            found |= decisions(code.root)
        return tuple(sorted(found)) or (self.alphabet.stop,)

    def encode(self, record: Record, *, order: Sequence[int] | None = None) -> list[int]:
        """Return the token ids of `record`, without the start token.

        Args:
            record: a value or None for every modelled field.
            order: positions of the modelled fields in the order of the encoding (layout `markers` only).

        Raises:
            DataError: a value lies outside its field's domain, or the tokenizer cannot write a text.
        """
        ids: list[int] = []
        for segment in self.segments(record, order=order):
            ids.extend(segment)
        return ids

    def segments(self, record: Record, *, order: Sequence[int] | None = None) -> list[list[int]]:
        """Return the token ids of each field, marker included, in the order of the encoding."""
        markers = self.markers
        found = []
        for place in self._order(order):
            ids = self.encode_value(place, record[self.fields[place].name])
            found.append([markers[place], *ids] if markers else ids)
        return found

    def encode_value(self, place: int, value: Value) -> list[int]:
        """Return the token ids of one value of the modelled field at `place`."""
        field, code = self.fields[place], self.codes[place]
        if not field.allows(value):
            raise DataError(f"field {field.name!r}: {shown(value)} is outside its domain")
        if isinstance(code, FieldCode):
            return compress(code.root, code.spell(value))
        if value is None:
            assert code.missing is not None
            return [code.missing[0]]
        ids = plain_tokens(self.tokenizer, str(value))
        if self.tokenizer.decode(ids) != value or self.alphabet.unused in ids:
            raise DataError(
                f"field {field.name!r}: the base model's tokenizer cannot write {shown(value)} without loss"
            )
        return [*([code.missing[1]] if code.missing else []), *ids, self.alphabet.stop]

    def decode(self, ids: Sequence[int]) -> Record:
        """Return the record that `encode` turned into `ids`, fields in schema order.

        Raises:
            DataError: `ids` is not in the codec's grammar.
        """
        record: Record = {}
        position = 0
        for step in range(len(self.fields)):
            place = step
            if self.markers:
                if position >= len(ids) or ids[position] not in self.markers:
                    raise DataError(f"token {position}: no field is announced here")
                place = self.markers.index(ids[position])
                position += 1
            name = self.fields[place].name
            if name in record:
                raise DataError(f"token {position - 1}: field {name!r} is announced twice")
            record[name], position = self.read_value(place, ids, position)
        if position != len(ids):
            raise DataError(f"{len(ids) - position} tokens are left over after the last field")
        return {each.name: record[each.name] for each in self.fields}

    def read_value(self, place: int, ids: Sequence[int], position: int) -> tuple[Value, int]:
        """Return the value of the modelled field at `place` that is encoded at `position`, and where it ends.

        Raises:
            DataError: no value of that field is encoded there.
        """
        field, code = self.fields[place], self.codes[place]
        if isinstance(code, FieldCode):
            found = expand(code.root, ids, position)
            if found is None:
                raise DataError(f"token {position}: no value of field {field.name!r}")
            return code.read(found[0]), found[1]
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
        """Return the llguidance (Lark) grammar of all encodings, in the given order of the fields; it may leave out the first."""
        if self.schema.sequence is not None:
            return self._sequence_grammar(self.schema.sequence.most)
        places = self._order(order)
        names = {place: f"f{place}" for place in places}
        markers = {names[place]: self.markers[place] for place in places} if self.markers else {}
        rules = {names[place]: self._rules(place) for place in places}
        return record_grammar([names[place] for place in places], rules, markers)

    def _sequence_grammar(self, most: int) -> str:
        shared, own = (" ".join(f"f{place}" for place in places) for places in self.sequence_places)
        more, end = token_set([self.more]), token_set([self.alphabet.stop])
        lines = [f"start: {shared} own{' after_1' if most > 1 else ''}", f"own: {own}"]
        for count in range(1, most):
            further = f" after_{count + 1}" if count + 1 < most else ""
            lines.append(f"after_{count}: {end} | {more} own{further}")
        for place in range(len(self.fields)):
            lines.extend(self._rules(place))
        return "\n".join(lines) + "\n"

    def field_grammar(self, place: int) -> str:
        """Return the grammar of one field alone, without its marker."""
        return record_grammar([f"f{place}"], {f"f{place}": self._rules(place)}, {})

    def open_text_grammar(self, place: int) -> str:
        """Return the grammar of the text field at `place` alone, once it is known to be present."""
        field = self.fields[place]
        rules = text_rules(f"f{place}", field.min_length, field.max_length, self.alphabet.stop, None)
        return record_grammar([f"f{place}"], {f"f{place}": rules}, {})

    def decode_value(self, place: int, ids: Sequence[int]) -> Value:
        """Return the value that `encode_value` turned into `ids`.

        Raises:
            DataError: `ids` does not begin with an encoding of a value.
        """
        return self.read_value(place, ids, 0)[0]

    def _rules(self, place: int) -> list[str]:
        field, code = self.fields[place], self.codes[place]
        if isinstance(code, FieldCode):
            return automaton_rules(code.root, f"f{place}")
        return text_rules(f"f{place}", field.min_length, field.max_length, self.alphabet.stop, code.missing)

    def steps(self, order: Sequence[int] | None = None) -> Generator[int | Node, int | None, None]:
        """Yield what an encoding is made of, one after the other: the place of a field, or a choice of its own.

        A choice is an automaton of one token, and that token is what it wants to be sent back.

        Args:
            order: positions of the modelled fields in the order of the encoding.
        """
        if self.schema.sequence is None:
            yield from self._order(order)
            return
        shared, own = self.sequence_places
        yield from shared
        for _ in range(self.schema.sequence.most - 1):
            yield from own
            if (yield self.going_on) == self.alphabet.stop:
                return
        yield from own

    @cached_property
    def sequence_places(self) -> tuple[list[int], list[int]]:
        """Places of the fields that a subject's records share, and of those that each has of its own, in order."""
        assert self.schema.sequence is not None
        shared = self.schema.sequence.shared
        places = range(len(self.fields))
        return (
            [place for place in places if self.fields[place].name in shared],
            [place for place in places if self.fields[place].name not in shared],
        )

    @cached_property
    def more(self) -> int:
        """The token after a record of a sequence that another one follows."""
        return single_token(
            self.tokenizer, ";", {self.alphabet.stop, self.alphabet.start, self.alphabet.unused}
        )

    @cached_property
    def going_on(self) -> Node:
        """The choice after each record of a sequence: another one, or the end. After the longest there is none."""
        return Node({self.more: END, self.alphabet.stop: END})

    def _order(self, order: Sequence[int] | None) -> Sequence[int]:
        if order is None:
            return range(len(self.fields))
        last = range(len(self.fields) - len(order), len(self.fields))
        if self.layout == "places" and list(order) != list(last):
            raise ValueError("the layout 'places' has one order; use 'markers' to change it")
        return order

    def to_json(self) -> str:
        """Return the codec, without its tokenizer, as JSON that `from_json` reads back."""
        schema = json.loads(self.schema.to_json())
        plain: dict[str, Any] = {"format": FORMAT, "layout": self.layout, "schema": schema}
        if self.prompt:
            # Without its prompt an adapter is another model, so versions that know of none may not read it.
            plain |= {"format": FORMAT_WITH_PROMPT, "prompt": list(self.prompt)}
        if self.text_tokens:
            plain["text_tokens"] = dict(self.text_tokens)
        return json.dumps(plain, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str, tokenizer: Tokenizer) -> "Codec":
        """Read what `to_json` wrote.

        Raises:
            ModelError: a newer Paracosm wrote it.
        """
        plain = json.loads(text)
        if plain["format"] not in (FORMAT, FORMAT_WITH_PROMPT):
            raise ModelError(
                f"codec.json has format {plain['format']}; this version of paracosm reads formats {FORMAT} and {FORMAT_WITH_PROMPT}"
            )
        return cls(
            Schema.from_json(json.dumps(plain["schema"])),
            tokenizer,
            plain["layout"],
            tuple(plain.get("prompt", ())),
            {name: (least, most) for name, (least, most) in plain.get("text_tokens", {}).items()},
        )


def shown(value: Value) -> str:
    """Return a short description of a value for an error message; long texts are data and are not repeated."""
    return f"a text of {len(value)} characters" if isinstance(value, str) and len(value) > 40 else repr(value)
