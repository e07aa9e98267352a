"""Finite token automata: the set of all encodings of a field, as an acyclic graph.

A node maps each allowed token to the node after it; a node without edges accepts. A token that is the only one
allowed decides nothing: `compress` leaves it out of the encoding and `expand` puts it back, so that every token the
model reads or writes is a decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Symbols = Mapping[str, int]
Path = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Node:
    """A state: token id -> next state. Nodes are compared by identity, so that equal sub-graphs can be shared."""

    edges: Mapping[int, "Node"]

    @property
    def accepts(self) -> bool:
        return not self.edges

    @property
    def decides(self) -> bool:
        return len(self.edges) > 1


END = Node({})


def digits(low: int, high: int, width: int, symbols: Symbols, then: Node = END) -> Node:
    """Return the automaton of all integers in [low, high], written with `width` zero-padded digits.

    Args:
        low: smallest value, >= 0.
        high: largest value, >= low, of at most `width` digits.
        width: digits of every value.
        symbols: token ids of "0" to "9".
        then: what follows the last digit.
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


def choices(paths: Iterable[tuple[Sequence[int], Node]], stop: int) -> Node:
    """Return the automaton that accepts each of some distinct token paths and goes on with the node beside it.

    Args:
        paths: token paths and what follows each.
        stop: token that ends a path which is a prefix of another one.
    """
    root: dict[int, Node] = {}
    ordered = sorted(((tuple(path), then) for path, then in paths), key=lambda each: each[0])
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
    """Return the tokens of `path` that decide something.

    Raises:
        ValueError: the automaton does not accept `path`.
    """
    kept = []
    node = root
    for token in path:
        if token not in node.edges:
            raise ValueError("the path leaves the automaton")
        if node.decides:
            kept.append(token)
        node = node.edges[token]
    if not node.accepts:
        raise ValueError("the path ends early")
    return kept


def expand(root: Node, ids: Sequence[int], start: int) -> tuple[Path, int] | None:
    """Read one encoding at `ids[start:]` and put back the tokens that `compress` left out.

    Returns:
        The whole path and the position after it in `ids`, or None when `ids` leaves the automaton or ends early.
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
    """Return every token that some decision of the automaton allows."""
    found: set[int] = set()
    seen: set[Node] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.decides:
            found.update(node.edges)
        waiting.extend(node.edges.values())
    return found
