"""Acyclic finite automata over tokens: the set of all encodings of a field.

A state maps every allowed token to the next state. A state without edges accepts. Where a state allows one token only, nothing is
decided: `compress` leaves such forced tokens out of an encoding and `expand` puts them back, so that every token which the model
reads or writes is a decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Symbols = Mapping[str, int]
TokenPath = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Node:
    """State of an automaton. States are compared by identity, so that sub-graphs can be shared.

    Attributes:
        edges: token id -> next state.
        weights: token id -> natural log of the share of its values that constraints leave; None where they leave all.
    """

    edges: Mapping[int, "Node"]
    weights: Mapping[int, float] | None = None

    @property
    def accepts(self) -> bool:
        """Whether an encoding ends here."""
        return not self.edges

    @property
    def decides(self) -> bool:
        """Whether more than one token is allowed."""
        return len(self.edges) > 1


END = Node({})


def digits(low: int, high: int, width: int, symbols: Symbols, then: Node = END) -> Node:
    """Return the automaton of all integers in [low, high], written with `width` zero-padded digits.

    Args:
        low: smallest value, >= 0.
        high: largest value, >= low, of at most `width` digits.
        width: digits of every value.
        symbols: "0" to "9" -> token id.
        then: state after the last digit.
    """
    free = [then]
    for _ in range(width):
        free.append(Node(dict.fromkeys((symbols[digit] for digit in "0123456789"), free[-1])))

    def build(low: int, high: int, width: int) -> Node:
        if low == 0 and high == 10**width - 1:
            return free[width]
        unit = 10 ** (width - 1)
        first, last = low // unit, high // unit
        edges = {}
        for digit in range(first, last + 1):
            rest_low = low % unit if digit == first else 0
            rest_high = high % unit if digit == last else unit - 1
            edges[symbols[str(digit)]] = build(rest_low, rest_high, width - 1)
        return Node(edges)

    return build(low, high, width)


def prefix_tree(paths: Iterable[tuple[Sequence[int], Node]], stop: int) -> Node:
    """Return the automaton (a trie) of some distinct token paths, each with the state that follows it.

    Args:
        paths: token paths, each with the state after it.
        stop: token that ends a path which is a prefix of another path.
    """
    root: dict[int, Node] = {}
    ordered = sorted(((tuple(path), then) for path, then in paths), key=lambda pair: pair[0])
    if len(ordered) == 1 and not ordered[0][0]:
        return ordered[0][1]
    following: list[tuple[int, ...]] = [*(path for path, _ in ordered[1:]), ()]
    for (path, then), after in zip(ordered, following, strict=False):
        whole = (*path, stop) if after[: len(path)] == path and after else path
        edges: dict[int, Node] = root
        for token in whole[:-1]:
            edges = edges.setdefault(token, Node({})).edges  # type: ignore[assignment]
        edges[whole[-1]] = then
    return Node(root)


def compress(root: Node, path: Sequence[int]) -> list[int]:
    """Return the tokens of `path` that are decisions, without the forced tokens.

    Raises:
        ValueError: the automaton does not accept `path`.
    """
    decided = []
    node = root
    for token in path:
        if token not in node.edges:
            raise ValueError("the path leaves the automaton")
        if node.decides:
            decided.append(token)
        node = node.edges[token]
    if not node.accepts:
        raise ValueError("the path ends before the automaton accepts")
    return decided


def expand(root: Node, ids: Sequence[int], start: int) -> tuple[TokenPath, int] | None:
    """Read one encoding at `ids[start:]` and put back its forced tokens: the inverse of `compress`.

    Returns:
        The whole path and the index after it in `ids`, or None if `ids` leaves the automaton or ends early.
    """
    path, node, position = [], root, start
    while not node.accepts:
        if node.decides:
            if position >= len(ids) or ids[position] not in node.edges:
                return None
            token = ids[position]
            position += 1
        else:
            token = next(iter(node.edges))
        path.append(token)
        node = node.edges[token]
    return tuple(path), position


def decisions(root: Node) -> set[int]:
    """Return every token that is allowed in some deciding state of the automaton."""
    tokens: set[int] = set()
    seen: set[Node] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.decides:
            tokens.update(node.edges)
        waiting.extend(node.edges.values())
    return tokens


def depth(root: Node, known: dict[Node, int]) -> int:
    """Return the number of decisions on the longest path.

    Args:
        root: the first state.
        known: depths of states, filled as they are computed.
    """
    if root not in known:
        known[root] = max((depth(then, known) for then in root.edges.values()), default=0) + root.decides
    return known[root]


def skip_forced(node: Node) -> Node:
    """Return the first state from `node` on that decides or accepts."""
    while len(node.edges) == 1:
        node = next(iter(node.edges.values()))
    return node
