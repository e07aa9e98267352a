"""The llguidance grammar of a codec: Lark text over token ids, so that each record has exactly one encoding."""

from collections.abc import Mapping, Sequence

from paracosm.records.codec.automaton import Node

NOTHING = '""'


def token_set(tokens: Sequence[int]) -> str:
    """Return the Lark term that matches any one of some tokens."""
    return "<[" + ",".join(str(token) for token in sorted(tokens)) + "]>"


def automaton_rules(root: Node, name: str) -> list[str]:
    """Return Lark rules for an automaton, the first of them called `name`; states that decide nothing are passed over."""
    names: dict[Node, str] = {}
    rules: list[str] = []
    start = skip_forced(root)
    waiting = [start]
    names[start] = name
    while waiting:
        node = waiting.pop()
        groups: dict[Node, list[int]] = {}
        for token, then in node.edges.items():
            groups.setdefault(skip_forced(then), []).append(token)
        alternatives = []
        for then, tokens in groups.items():
            if then.accepts:
                alternatives.append(token_set(tokens))
                continue
            if then not in names:
                names[then] = f"{name}_{len(names)}"
                waiting.append(then)
            alternatives.append(f"{token_set(tokens)} {names[then]}")
        rules.append(f"{names[node]}: " + (" | ".join(alternatives) or '""'))
    return rules


def skip_forced(node: Node) -> Node:
    """Return the first state from `node` on that decides something or accepts."""
    while len(node.edges) == 1:
        node = next(iter(node.edges.values()))
    return node


def text_rules(
    name: str, min_length: int, max_length: int, stop: int, missing: tuple[int, int] | None
) -> list[str]:
    """Return Lark rules for free text of bounded length, ended by the token `stop`.

    Args:
        name: of the rule.
        min_length: in characters.
        max_length: in characters.
        stop: token after the text.
        missing: token for a missing text and token before a present one, for a nullable field.
    """
    terminal = name.upper()
    present = f"{terminal} {token_set([stop])}"
    if missing is not None:
        absent, there = missing
        present = f"{token_set([absent])} | {token_set([there])} {present}"
    return [f"{name}: {present}", f"{terminal}: /(?s:.{{{min_length},{max_length}}})/"]


def record_grammar(
    order: Sequence[str], rules: Mapping[str, Sequence[str]], markers: Mapping[str, int]
) -> str:
    """Return the grammar of whole records.

    Args:
        order: rule names of the fields, in the order of the encoding.
        rules: per field, its rules.
        markers: per field, the token that announces it; empty when fields are told by position.
    """
    parts = [f"{token_set([markers[name]])} {name}" if name in markers else name for name in order]
    lines = [f"start: {' '.join(parts) or NOTHING}"]
    for name in order:
        lines.extend(rules[name])
    return "\n".join(lines) + "\n"
