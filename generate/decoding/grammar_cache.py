"""Compiled grammars, automata and limits of length that all sequences share which are decoded with one codec."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from paracosm.generate.constraints.guide import Guide, NoConstraints
from paracosm.generate.decoding.automaton_walk import AllowedAutomata
from paracosm.records.codec.automata.automaton import Node
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.passages import PassageLayout
from paracosm.records.codec.token_masks import TokenMasks

TEXT_OVERHEAD = 3
"""Tokens that a text needs beside its content: its marker, its presence and its stop token."""


@dataclass
class GrammarCache:
    """Shared by all sequences decoded with one codec: compiled grammars and length limits.

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
        """Per field index: the root of its automaton, None for a text."""
        return tuple(code.root if isinstance(code, FieldCode) else None for code in self.codec.codes)

    @cached_property
    def unconstrained(self) -> Guide:
        """The guide of a record without conditions and rules."""
        return NoConstraints()

    @cached_property
    def allowed(self) -> AllowedAutomata:
        """The automata of allowed values."""
        return AllowedAutomata(self.codec)

    @cached_property
    def passages(self) -> PassageLayout | None:
        """The windows of long texts; None if every record fits into the model's input."""
        return None if self.codec.passages is None else PassageLayout(self.codec)

    @property
    def window(self) -> int | None:
        """Most tokens that the model reads at once; None for no limit."""
        return self.limit if self.passages is None else self.passages.sizes.context

    def is_long(self, index: int) -> bool:
        """Return whether a field is written in passages."""
        return self.passages is not None and index in self.passages.indices

    def text_matcher(self, index: int) -> Any:
        """Return a new matcher of the content of a text field that is present."""
        if index not in self._texts:
            self._texts[index] = self.masks.matcher(self.codec.open_text_grammar(index))
        return self._texts[index].deep_copy()

    def max_tokens(self, index: int) -> int | None:
        """Return the most tokens of a field with a closed domain, marker included; None for a text."""
        root = self.roots[index]
        return None if root is None else self._depth(root) + len(self.codec.markers[:1])

    def _depth(self, root: Node) -> int:
        if root not in self._depths:
            depths = [self._depth(node) for node in root.edges.values()]
            self._depths[root] = max(depths, default=0) + root.decides
        return self._depths[root]

    def text_limit(self, used: int, later: Iterable[int]) -> int | None:
        """Return how many tokens a text may have so that the fields after it fit; None for no limit.

        Args:
            used: tokens before the text.
            later: indices of the fields after it.
        """
        limit = self.limit if self.passages is None else self.passages.sizes.head
        if limit is None:
            return None
        lengths = [self.max_tokens(index) for index in later if not self.is_long(index)]
        left = limit - used - sum(length for length in lengths if length is not None)
        texts = 1 + sum(length is None for length in lengths)
        return left // texts - TEXT_OVERHEAD
