"""llguidance grammar of a codec: Lark rules over token ids, in which every record has exactly one encoding."""

from collections.abc import Mapping, Sequence

from paracosm.records.codec.automata.automaton import Node, skip_forced

NOTHING = '""'


def token_set(tokens: Sequence[int]) -> str:
    """Return the Lark term that matches one of some tokens."""
    return "<[" + ",".join(str(token) for token in sorted(tokens)) + "]>"


def automaton_rules(root: Node, name: str) -> list[str]:
    """Return the Lark rules of an automaton, the first of them called `name`; forced tokens are skipped."""
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


def text_rules(
    name: str, min_length: int, max_length: int | None, stop: int, missing: tuple[int, int] | None
) -> list[str]:
    """Return the Lark rules of free text of bounded length, ended by the token `stop`.

    Args:
        name: name of the first rule.
        min_length: shortest text, in characters.
        max_length: longest text, in characters; None for no limit, so that the grammar does not grow with the text.
        stop: token after the text.
        missing: token of a missing text and token before a present one; None if the field is not nullable.
    """
    terminal, most = name.upper(), "" if max_length is None else max_length
    present = f"{terminal} {token_set([stop])}"
    if missing is not None:
        absent, there = missing
        present = f"{token_set([absent])} | {token_set([there])} {present}"
    return [f"{name}: {present}", f"{terminal}: /(?s:.{{{min_length},{most}}})/"]


def sequence_grammar(
    shared: Sequence[str], own: Sequence[str], rules: Sequence[str], *, most: int, more: int, stop: int
) -> str:
    """Return the grammar of a subject's records.

    Args:
        shared: names of the first rules of the fields that all records of a subject share.
        own: those of the other fields.
        rules: rules of all fields.
        most: most records of a subject.
        more: token after a record that another one follows.
        stop: token after the last record, unless it is the last possible one.
    """
    lines = [f"start: {' '.join(shared)} own{' after_1' if most > 1 else ''}", f"own: {' '.join(own)}"]
    for count in range(1, most):
        further = f" after_{count + 1}" if count + 1 < most else ""
        lines.append(f"after_{count}: {token_set([stop])} | {token_set([more])} own{further}")
    return "\n".join([*lines, *rules]) + "\n"


def record_grammar(
    order: Sequence[str], rules: Mapping[str, Sequence[str]], markers: Mapping[str, int]
) -> str:
    """Return the grammar of whole records.

    Args:
        order: names of the fields' first rules, in the order of the encoding.
        rules: rules of each field, by the name of its first rule.
        markers: token that announces each field; empty if fields are identified by position.
    """
    parts = [f"{token_set([markers[name]])} {name}" if name in markers else name for name in order]
    lines = [f"start: {' '.join(parts) or NOTHING}"]
    for name in order:
        lines.extend(rules[name])
    return "\n".join(lines) + "\n"
