"""One record on its way through the grammar: what may come next, what is forced, what a rule or a condition leaves.

Fields with a closed domain are walked on the codec's automata, which is what their grammar was written from; free text
is followed by llguidance.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from paracosm.foundation.errors import ModelError
from paracosm.generate.constraints.guide import Guide, NoConstraints
from paracosm.generate.decoding.repetition import Repetition
from paracosm.records.codec.automaton import END, Node
from paracosm.records.codec.codec import Codec, TextCode
from paracosm.records.codec.field_codec import FieldCode
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Value

Steps = Generator[int | Node, int | None, None]
"""What comes next in a record: the place of a field, or a choice of its own, whose token is sent back."""


@dataclass
class GrammarCache:
    """What all records of a codec share.

    Attributes:
        masks: the codec and its token masks.
        limit: most tokens of one record that the model can read; None for no limit.
    """

    masks: TokenMasks
    limit: int | None = None
    _texts: dict[int, Any] = field(default_factory=dict)
    _depths: dict[Node, int] = field(default_factory=dict)

    @property
    def codec(self) -> Codec:
        return self.masks.codec

    @cached_property
    def roots(self) -> tuple[Node | None, ...]:
        """Per place: the root of its automaton, None for a text."""
        return tuple(code.root if isinstance(code, FieldCode) else None for code in self.codec.codes)

    @cached_property
    def free(self) -> Guide:
        """The guide of a record that has only its schema to keep."""
        return NoConstraints(self.roots)

    @cached_property
    def text_start(self) -> dict[int, Node]:
        """Per place of a nullable text: the choice between missing and present."""
        return {
            place: Node({code.missing[0]: END, code.missing[1]: END})
            for place, code in enumerate(self.codec.codes)
            if isinstance(code, TextCode) and code.missing is not None
        }

    def text(self, place: int) -> Any:
        """Return a fresh matcher of the text at `place`, whose presence is decided already."""
        if place not in self._texts:
            self._texts[place] = self.masks.matcher(self.codec.open_text_grammar(place))
        return self._texts[place].deep_copy()

    def longest(self, place: int) -> int | None:
        """Return the most tokens of a closed field, marker included; None for a text."""
        root = self.roots[place]
        return None if root is None else self._depth(root) + len(self.codec.markers[:1])

    def _depth(self, root: Node) -> int:
        if root not in self._depths:
            after = [self._depth(then) for then in root.edges.values()]
            self._depths[root] = max(after, default=0) + root.decides
        return self._depths[root]

    def room(self, used: int, later: Iterable[int]) -> int | None:
        """Return how many tokens a text may still have, so that the fields after it find room."""
        if self.limit is None:
            return None
        lengths = [self.longest(place) for place in later]
        left = self.limit - used - sum(length for length in lengths if length is not None)
        # A text needs its marker, its presence and its stop token.
        return left // (1 + sum(length is None for length in lengths)) - 3


@dataclass(eq=False)
class SequenceState:
    """One record on its way.

    Attributes:
        book: what all records share.
        guide: conditions and rules of this record.
        steps: what comes next.
        stream: the record's own random numbers.
        ids: tokens so far, without the start token or prompt.
        pending: tokens that the model has not read yet.
        values: of the fields that are known so far; in a sequence, of the record in work.
        earlier: of the record before it in a sequence.
        place: of the field in work; -1 in a choice that belongs to no field.
        node: where the grammar stands; None inside a text and between fields.
        part: what conditions and rules leave of `node`.
        failure: what refused the record, if something did.
        finished: whether the record is whole, or refused.
    """

    book: GrammarCache
    guide: Guide
    steps: Steps
    stream: np.random.Generator
    ids: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    earlier: dict[str, Value] = field(default_factory=dict)
    place: int = -1
    node: Node | None = None
    part: Node = END
    failure: str | None = None
    finished: bool = False
    _answer: int | None = None
    _path: list[int] = field(default_factory=list)
    _matcher: Any = None
    _text_begin: int = 0
    _text_most: int | None = None
    _repetition: Repetition = field(default_factory=Repetition)

    def __post_init__(self) -> None:
        self.pending.extend(self.book.codec.opening)
        self._go_on()

    @property
    def in_text(self) -> bool:
        return self._matcher is not None

    @property
    def field_name(self) -> str:
        """The field in work, `""` in a choice that belongs to none."""
        return self.book.codec.fields[self.place].name if self.place >= 0 else ""

    def text_mask(self) -> tuple[bytes, int | None, bool]:
        """Return the packed mask inside a text, a token that would repeat without end, and whether the text must stop."""
        full = self._text_most is not None and len(self.ids) - self._text_begin >= self._text_most
        return self._matcher.compute_bitmask(), self._repetition.banned, full

    def take(self, token: int) -> None:
        """Go on with a token that was drawn."""
        self._write(token)
        if self._matcher is not None:
            self._take_text(token)
        else:
            self._walk(token)
        self._go_on()

    def _write(self, token: int) -> None:
        self.ids.append(token)
        self.pending.append(token)

    def _walk(self, token: int) -> None:
        assert self.node is not None
        self._path.append(token)
        self.node, self.part = self.node.edges[token], self.part.edges[token]

    def _take_text(self, token: int) -> None:
        if not self._matcher.consume_token(token):
            raise ModelError(f"the grammar refuses a token that it allowed: {self._matcher.get_error()}")
        if token == self.book.codec.alphabet.stop:
            self._matcher = None
            value = self.book.codec.tokenizer.decode(self.ids[self._text_begin : -1])
            self._known(value)
            # A tokenizer that adds or takes away spaces can count other characters than the grammar did.
            if self.failure is None and not self.book.codec.fields[self.place].allows(value):
                self.failure, self.finished = f"the length of text field {self.field_name!r}", True
        else:
            self._repetition.take(token)

    def _go_on(self) -> None:
        """Walk over what is forced, to the next decision or the end of the record."""
        while not self.finished and self._matcher is None:
            if self.node is None:
                self._next_step()
            elif self.node.accepts:
                self._end_of_choice()
            elif len(self.part.edges) > 1:
                return
            else:
                token = next(iter(self.part.edges))
                if self.node.decides:
                    self._write(token)
                self._walk(token)

    def _next_step(self) -> None:
        try:
            step = self.steps.send(self._answer)
        except StopIteration:
            self.finished = True
            return
        self._path, self._answer = [], None
        if isinstance(step, Node):
            self.place, self.node, self.part = -1, step, step
            return
        self.place = step
        if self.book.codec.markers:
            self._write(self.book.codec.markers[step])
        root = self.book.roots[step]
        if root is None:
            self._open_text()
            return
        part = self.guide.part(step, self.values, self.earlier)
        if part is None:
            self.failure, self.finished = self.guide.blame(step, self.values), True
        else:
            self.node, self.part = root, part

    def _end_of_choice(self) -> None:
        self.node = None
        if self.place < 0:
            self._answer = self._path[0]
            self._begin_next_record()
            return
        code = self.book.codec.codes[self.place]
        if isinstance(code, FieldCode):
            self._known(code.read(tuple(self._path)))
        elif code.missing is not None and self._path[0] == code.missing[0]:
            self._known(None)
        else:
            self._begin_text()

    def _begin_next_record(self) -> None:
        shared = self.book.codec.schema.sequence.shared if self.book.codec.schema.sequence else ()
        self.earlier = self.values
        self.values = {name: self.earlier[name] for name in shared}

    def _known(self, value: Value) -> None:
        self.values[self.field_name] = value
        self.failure = self.guide.refused(self.place, self.values)
        self.finished = self.failure is not None

    def _open_text(self) -> None:
        given = self.guide.text(self.place)
        if given is not None:
            for token in self.book.codec.encode_value(self.place, given):
                self._write(token)
            self._known(given)
        elif self.place in self.book.text_start:
            self.node = self.part = self.book.text_start[self.place]
            left = self.guide.part(self.place, self.values, self.earlier)
            if left is not None:
                self.part = left
        else:
            self._begin_text()

    def _begin_text(self) -> None:
        self._matcher = self.book.text(self.place)
        self._text_begin = len(self.ids)
        later = [
            place
            for place, each in enumerate(self.book.codec.fields)
            if each.name not in self.values and place != self.place
        ]
        self._text_most = self.book.room(len(self.ids) + len(self.book.codec.opening), later)
        self._repetition = Repetition()
