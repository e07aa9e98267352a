"""Codec and grammar of records in natural wording: one line per field, `name: value`, in any order and any selection of fields."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from paracosm.generate.constraints.allowed_values import AllowedValues
from paracosm.generate.decoding.automaton_walk import AllowedAutomata
from paracosm.generate.decoding.causal_state import SequenceState
from paracosm.generate.decoding.grammar_cache import GrammarCache
from paracosm.generate.prompting.natural_writing import BREAK, Writing
from paracosm.records.codec.automata.automaton import Node
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.field_codes import TextCode
from paracosm.records.codec.lark_grammar import record_grammar, token_set
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, plain_tokens


@dataclass(frozen=True)
class NaturalCodec(Codec):
    """The lines of records for a model that was not trained on them. A prompt comes before them, one for each record."""

    @cached_property
    def alphabet(self) -> SymbolTokens:
        """Tokens of single symbols; a line break ends texts as it ends every other value."""
        return replace(SymbolTokens.of(self.tokenizer), stop=plain_tokens(self.tokenizer, BREAK)[-1])

    @cached_property
    def writings(self) -> tuple[Writing, ...]:
        """How each field is written."""
        return tuple(Writing(each, self.tokenizer, self.alphabet) for each in self.fields)

    @cached_property
    def codes(self) -> tuple[FieldCode | TextCode, ...]:
        return tuple(
            TextCode(each, None) if each.is_text else writing.code
            for each, writing in zip(self.fields, self.writings, strict=True)
        )

    @property
    def opening(self) -> tuple[int, ...]:
        """Nothing: every record has a prompt of its own."""
        return ()

    @property
    def vocabulary(self) -> None:  # type: ignore[override]  # a property there as well, cached
        """The whole one, because labels and words are not a small choice of tokens."""
        return

    def open_text_grammar(self, index: int) -> str:
        """Return the grammar of a text on one line, after its label."""
        each = self.fields[index]
        low, high = max(each.min_length, 1) - 1, max(each.max_length, 1) - 1
        rules = [f"f: TEXT {token_set([self.alphabet.stop])}", f"TEXT: / ?[^\\s][^\\n\\r]{{{low},{high}}}/"]
        return record_grammar(["f"], {"f": rules}, {})

    def _order(self, order: Sequence[int] | None) -> Sequence[int]:
        # Every field has its label, so the order and the selection are free.
        return range(len(self.fields)) if order is None else order


class NaturalAutomata(AllowedAutomata):
    """The automata of the lines of allowed values."""

    def _automaton(self, index: int, allowed: AllowedValues) -> Node | None:
        assert isinstance(self.codec, NaturalCodec)
        return None if self.codec.fields[index].is_text else self.codec.writings[index].allowed(allowed)


@dataclass
class NaturalGrammar(GrammarCache):
    """Shared by all records that are written after prompts.

    Attributes:
        prompt_tokens: of the longest prompt.
    """

    prompt_tokens: int = 0

    @cached_property
    def allowed(self) -> AllowedAutomata:
        return NaturalAutomata(self.codec)

    def text_limit(self, used: int, later: Sequence[int]) -> int | None:  # type: ignore[override]
        return super().text_limit(used + self.prompt_tokens, later)


@dataclass(eq=False)
class NaturalState(SequenceState):
    """Decoding state of one record in natural wording."""

    def _begin_text_field(self) -> None:
        codec = self.grammar.codec
        assert isinstance(codec, NaturalCodec)
        writing = codec.writings[self.index]
        given = self.guide.given_text(self.index)
        if given is None and not self._is_absent():
            for token in writing.label:
                self._write(token)
            self._begin_text()
            return
        for token in writing.line(given):
            self._write(token)
        self._set_value(given)

    def _is_absent(self) -> bool:
        """Return whether the text is missing: at the share of the training records, because a prompt says little about it."""
        each = self.grammar.codec.fields[self.index]
        if not each.nullable:
            return False
        allowed = self.guide.allowed(self.index, self.values, self.previous)
        if allowed is None or not allowed.missing:
            return False
        return allowed.values is not None or self.random.random() < each.missing

    def _take_text(self, token: int) -> None:
        if token != self.grammar.codec.alphabet.stop:
            super()._take_text(token)
            return
        codec = self.grammar.codec
        self._matcher = None
        value = codec.tokenizer.decode(self.ids[self._text_begin : -1]).strip()
        if codec.fields[self.index].allows(value):
            self._set_value(value)
        else:
            self.failure, self.finished = f"the length of text field {self.field_name!r}", True
