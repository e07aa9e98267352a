"""Walk along a field's automaton, restricted to the values that constraints allow; shared by causal and masked decoding."""

from collections.abc import Callable

from paracosm.records.codec.automata.automaton import END, Node


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
