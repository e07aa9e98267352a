"""Walk along a field's automaton, restricted to the values that constraints allow; shared by causal and masked decoding."""

from collections.abc import Callable

import numpy as np

from paracosm.generate.constraints.allowed_values import AllowedValues
from paracosm.records.codec.automata.automaton import END, Node
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.bins.binned_code import BinnedCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.restriction import (
    limits_within,
    restrict_to_range,
    restrict_to_values,
    without_missing,
)
from paracosm.records.schema.schema import Value

MOST_KEPT = 4096
"""Restricted automata that are kept; all are forgotten beyond this."""


class AllowedAutomata:
    """The automata of allowed values, for the fields of one codec."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self._kept: dict[tuple[int, AllowedValues], Node | None] = {}

    def __call__(self, index: int, allowed: AllowedValues) -> Node | None:
        """Return the automaton of the allowed values of the field at `index`; None if no value is left.

        Of a text, it is that of the token which says whether the text is missing; None where the codec has no such token.
        """
        if (index, allowed) not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[index, allowed] = self._automaton(index, allowed)
        return self._kept[index, allowed]

    def value(
        self, index: int, path: tuple[int, ...], allowed: AllowedValues, random: np.random.Generator
    ) -> Value:
        """Return the value that a path of the field at `index` stands for; one of the allowed values, drawn, if it stands for several."""
        field, code = self.codec.fields[index], self.codec.codes[index]
        assert isinstance(code, FieldCode)
        intervals = None
        if isinstance(code, BinnedCode) and not allowed.all_present:
            intervals = (
                code.numbers(allowed.values)
                if allowed.values is not None
                else [code.interval(*(limits_within(field, allowed.low, allowed.high) or (None, None)))]
            )
        return code.draw(path, random, intervals)

    def _automaton(self, index: int, allowed: AllowedValues) -> Node | None:
        field, code = self.codec.fields[index], self.codec.codes[index]
        if not isinstance(code, FieldCode):
            if code.missing is None:
                return None
            absent, present = code.missing
            tokens = [*([absent] if allowed.missing else []), *([present] if allowed.values is None else [])]
            return Node(dict.fromkeys(tokens, END))
        if allowed.all_present:
            return code.root if allowed.missing else without_missing(code)
        if allowed.values is not None:
            values = [*allowed.values, *([None] if allowed.missing else [])]
            return restrict_to_values(code, sorted(values, key=repr))
        alphabet = self.codec.alphabet
        return restrict_to_range(field, code, allowed.low, allowed.high, alphabet, missing=allowed.missing)


class AutomatonWalk:
    """A position in the automaton of a field, and the same position in the automaton of its allowed values.

    The first one decides which tokens the encoding contains, the second one which tokens may be drawn.

    Attributes:
        node: position in the whole automaton; None between fields and inside a text.
        allowed: position in the restricted automaton; its edges are the tokens that may come next.
    """

    def __init__(self) -> None:
        self.node: Node | None = None
        self.allowed: Node = END
        self._path: list[int] = []

    @property
    def is_complete(self) -> bool:
        """Whether a whole value was read; `end` returns it."""
        return self.node is not None and self.node.accepts

    def start(self, root: Node, allowed: Node) -> None:
        """Begin at the root of a field's automaton and at the root of its restriction."""
        self.node, self.allowed, self._path = root, allowed, []

    def take(self, token: int) -> None:
        """Follow the edge of a token."""
        assert self.node is not None
        self._path.append(token)
        self.node, self.allowed = self.node.edges[token], self.allowed.edges[token]

    def reaches_choice(self, write: Callable[[int], None]) -> bool:
        """Follow all forced tokens; return whether the walk then stands at a choice between tokens.

        Args:
            write: is called with each forced token that the encoding contains: one that only the constraints force.
        """
        while self.node is not None and not self.node.accepts:
            if len(self.allowed.edges) > 1:
                return True
            token = next(iter(self.allowed.edges))
            if self.node.decides:
                write(token)
            self.take(token)
        return False

    def end(self) -> tuple[int, ...]:
        """Leave the automaton; return the tokens of the whole path, forced ones included."""
        self.node = None
        return tuple(self._path)
