"""Decoding state of one sequence under a causal model: what may come next, what is forced, what constraints allow.

Fields with a closed domain follow the codec's automata, from which the grammar was written as well. Free text is
matched by llguidance.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from paracosm.foundation.errors import ModelError
from paracosm.generate.constraints.allowed_values import EVERYTHING, AllowedValues
from paracosm.generate.constraints.guide import Guide
from paracosm.generate.constraints.repetition import Repetition
from paracosm.generate.decoding.automaton_walk import AutomatonWalk
from paracosm.generate.decoding.grammar_cache import GrammarCache
from paracosm.records.codec.automata.automaton import Node
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.passages import PassageWalk
from paracosm.records.schema.schema import Value

Steps = Generator[int | Node, int | None, None]
"""The steps of a record: the index of a field, or a choice outside the fields, whose token is sent back."""
SPARE = 100
"""Characters that a long text leaves free at its end: more than one token has."""


@dataclass(eq=False)
class SequenceState:
    """Decoding state of one record, or of one sequence of records.

    Attributes:
        grammar: shared by all sequences.
        guide: conditions and rules of this record.
        steps: the fields and choices that come next.
        random: the record's own random stream.
        ids: tokens so far, without the start token or prompt.
        pending: tokens that the model has not read yet.
        values: of the fields that are known; in a sequence, those of the current record.
        previous: in a sequence, the record before the current one.
        index: of the current field; -1 in a choice outside the fields.
        walk: position in the automaton of the current field.
        failure: the constraint that refused the record, if one did.
        finished: whether the record is complete or refused.
        restarts: whether `pending` begins a new window, which holds nothing of what the model has read.
        cut: number of long texts that ended at their most tokens, instead of by themselves.
    """

    grammar: GrammarCache
    guide: Guide
    steps: Steps
    random: np.random.Generator
    ids: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    previous: dict[str, Value] = field(default_factory=dict)
    index: int = -1
    walk: AutomatonWalk = field(default_factory=AutomatonWalk)
    failure: str | None = None
    finished: bool = False
    restarts: bool = False
    cut: int = 0
    _answer: int | None = None
    _allowed: AllowedValues = EVERYTHING
    _matcher: Any = None
    _text_begin: int = 0
    _text_limit: int | None = None
    _repetition: Repetition = field(default_factory=Repetition)
    _passage: PassageWalk | None = None
    _characters: int = 0
    _must_stop: bool = False

    def __post_init__(self) -> None:
        if self.grammar.passages is not None:
            self._passage = PassageWalk(self.grammar.passages)
        self.pending.extend(self.grammar.codec.opening)
        self._advance()

    @property
    def in_text(self) -> bool:
        """Whether the next token belongs to the content of a text."""
        return self._matcher is not None

    @property
    def field_name(self) -> str:
        """The current field, `""` in a choice outside the fields."""
        return self.grammar.codec.fields[self.index].name if self.index >= 0 else ""

    def text_mask(self) -> tuple[bytes, int | None, bool]:
        """Return the packed token mask inside a text, a token banned because it would repeat, and whether the text must stop."""
        self._must_stop = self._is_full
        return self._matcher.compute_bitmask(), self._repetition.banned, self._must_stop

    @property
    def _is_full(self) -> bool:
        """Whether the text has its most tokens, or a long one its most characters."""
        if self._text_limit is not None and len(self.ids) - self._text_begin >= self._text_limit:
            return True
        return self._is_long and self._characters >= self.grammar.codec.fields[self.index].max_length - SPARE

    @property
    def _is_long(self) -> bool:
        return self.grammar.is_long(self.index)

    def take(self, token: int) -> None:
        """Accept a token that was drawn, and advance to the next decision."""
        self._write(token)
        if self._matcher is not None:
            self._take_text(token)
        else:
            self.walk.take(token)
        self._advance()
        if self._passage is not None and self._is_long and not self.finished:
            self._restart(self._passage.next_window())

    def _restart(self, window: list[int] | None) -> None:
        """Let the model read a new window next, unless it is None."""
        if window is not None:
            self.pending[:], self.restarts = window, True

    def _write(self, token: int) -> None:
        self.ids.append(token)
        self.pending.append(token)
        if self._passage is not None and self._is_long:
            self._passage.take(token)

    def _take_text(self, token: int) -> None:
        if self.grammar.passages is not None and self._is_long:
            self._characters += self.grammar.passages.characters(token)
        if not self._matcher.consume_token(token):
            raise ModelError(
                "the grammar refuses a token that it allowed; this base model's tokenizer does not suit it"
            )
        if token == self.grammar.codec.alphabet.stop:
            self._matcher = None
            self.cut += self._is_long and self._must_stop
            value = self.grammar.codec.tokenizer.decode(self.ids[self._text_begin : -1])
            self._set_value(value)
            # A tokenizer that adds or removes spaces can count other characters than the grammar did.
            if self.failure is None and not self.grammar.codec.fields[self.index].allows(value):
                self.failure, self.finished = f"the length of text field {self.field_name!r}", True
        else:
            self._repetition.take(token)

    def _advance(self) -> None:
        """Write forced tokens up to the next decision or the end of the record."""
        while not self.finished and self._matcher is None:
            if self.walk.reaches_choice(self._write):
                return
            if self.walk.is_complete:
                self._end_choice(self.walk.end())
            else:
                self._begin_step()

    def _begin_step(self) -> None:
        try:
            step = self.steps.send(self._answer)
        except StopIteration:
            self.finished = True
            return
        self._answer = None
        if isinstance(step, Node):
            self.index = -1
            self.walk.start(step, step)
            return
        if self._passage is not None and self.grammar.is_long(step):
            self._begin_passages(step, self._passage)
        else:
            self.index = step
            if self.grammar.codec.markers:
                self._write(self.grammar.codec.markers[step])
        root = self.grammar.roots[step]
        if root is None:
            self._begin_text_field()
            return
        allowed = self.guide.allowed(step, self.values, self.previous)
        node = None if allowed is None else self.grammar.allowed(step, allowed)
        self._allowed = allowed or EVERYTHING
        if node is None:
            self.failure, self.finished = self.guide.conflict(step, self.values), True
        else:
            self.walk.start(root, node)

    def _begin_passages(self, step: int, passage: PassageWalk) -> None:
        """Begin a long text: after the columns, or in a new window after another long text."""
        is_first = passage.index < 0
        if is_first:
            passage.columns = [*self.grammar.codec.opening, *self.ids]
        prefix = passage.begin(step)
        if self.grammar.codec.markers:
            self.ids.append(self.grammar.codec.markers[step])
        self.index = step
        if is_first:
            self.pending.extend(prefix)
        else:
            self._restart([*passage.columns, *prefix])

    def _end_choice(self, path: tuple[int, ...]) -> None:
        if self.index < 0:
            self._answer = path[0]
            self._begin_next_record()
            return
        code = self.grammar.codec.codes[self.index]
        if isinstance(code, FieldCode):
            self._set_value(self.grammar.allowed.value(self.index, path, self._allowed, self.random))
        elif code.missing is not None and path[0] == code.missing[0]:
            self._set_value(None)
        else:
            self._begin_text()

    def _begin_next_record(self) -> None:
        sequence = self.grammar.codec.schema.sequence
        shared = sequence.shared if sequence else ()
        self.previous = self.values
        self.values = {name: self.previous[name] for name in shared}

    def _set_value(self, value: Value) -> None:
        self.values[self.field_name] = value
        self.failure = self.guide.violation(self.index, self.values)
        self.finished = self.failure is not None

    def _begin_text_field(self) -> None:
        """Write a given text; otherwise begin with the choice of presence, or with the text itself."""
        given = self.guide.given_text(self.index)
        if given is not None:
            for token in self.grammar.codec.encode_value(self.index, given):
                self._write(token)
            self._set_value(given)
        elif (both := self.grammar.allowed(self.index, EVERYTHING)) is not None:
            allowed = self.guide.allowed(self.index, self.values, self.previous) or EVERYTHING
            self.walk.start(both, self.grammar.allowed(self.index, allowed) or both)
        else:
            self._begin_text()

    def _begin_text(self) -> None:
        self._matcher = self.grammar.text_matcher(self.index)
        self._text_begin = len(self.ids)
        codec = self.grammar.codec
        later = [
            index
            for index, field in enumerate(codec.fields)
            if field.name not in self.values and index != self.index
        ]
        if self.grammar.passages is not None and self._is_long:
            self._text_limit, self._characters = self.grammar.passages.sizes.most, 0
        else:
            self._text_limit = self.grammar.text_limit(len(self.ids) + len(codec.opening), later)
        self._repetition = Repetition()
