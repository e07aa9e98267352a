"""Encoding of one field: conversion between its values and paths through a token automaton."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from paracosm.records.codec.automata.automaton import END, Node, TokenPath, prefix_tree
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer, plain_tokens, single_token


@dataclass(frozen=True)
class FieldCode:
    """Encoding of a field with a closed domain: its automaton, and the conversion between values and paths.

    A path may stand for several values (`BinnedCode`). Then `draw` draws one of them from a fixed distribution.

    Attributes:
        root: accepts exactly the paths of the values in the field's domain.
        path: value (not None) -> whole path, with forced tokens.
        value: whole path -> value.
        missing: token of the missing value; None if the field is not nullable.
    """

    root: Node
    path: Callable[[Any], Sequence[int]]
    value: Callable[[TokenPath], Any]
    missing: int | None

    def read(self, path: TokenPath) -> Any:
        """Return the value of a path; None for the missing value."""
        return None if self.missing is not None and path == (self.missing,) else self.value(path)

    def draw(
        self, path: TokenPath, random: np.random.Generator, intervals: Sequence[tuple[int, int]] | None = None
    ) -> Any:
        """Return the value of a path, or draw one of its values; None for the missing value.

        Args:
            path: the whole path.
            random: stream of the record; read only where a path stands for several values.
            intervals: whole numbers of the values that constraints allow; None for all.
        """
        return self.read(path)

    def log_probability(self, value: Any) -> float:
        """Return the natural log of the probability of a value given its path: 0 where a path has one value."""
        return 0.0

    def spell(self, value: Any) -> Sequence[int]:
        """Return the path of a value or of None."""
        return self.path(value) if value is not None else (self.missing,) if self.missing is not None else ()


def with_missing(code: FieldCode, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
    """Return the encoding with the missing value, which has a token that starts no other path."""
    missing = single_token(tokenizer, "?", {*code.root.edges, alphabet.stop, alphabet.start})
    edges = code.root.edges or {alphabet.stop: END}
    present = (lambda value: code.path(value)) if code.root.edges else (lambda _: (alphabet.stop,))
    value = code.value if code.root.edges else (lambda _: code.value(()))
    return replace(code, root=Node({**edges, missing: END}), path=present, value=value, missing=missing)


def choice_code(named: Sequence[tuple[Any, str]], tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
    """Return the encoding of a closed list of values.

    A value is encoded as the tokens of its name, up to the token that distinguishes it from all other names.

    Args:
        named: the values, each with its name.
        tokenizer: tokenizer of the base model.
        alphabet: tokens of digits and of the stop symbol.
    """
    spelled: dict[TokenPath, Any] = {}
    for value, name in named:
        path = tuple(plain_tokens(tokenizer, name))
        if alphabet.stop in path or path in spelled:
            # The tokenizer maps two names to the same tokens, so a number distinguishes them.
            path += tuple(alphabet.symbols[digit] for digit in str(len(spelled)))
            path = tuple(token for token in path if token != alphabet.stop)
        while path in spelled:
            path += (alphabet.symbols["0"],)
        spelled[path] = value
    root = prefix_tree([(path, END) for path in _shortest_distinct(list(spelled))], alphabet.stop)
    whole = {_accepted_path(root, path, alphabet.stop): value for path, value in spelled.items()}
    back = {value: path for path, value in whole.items()}
    return FieldCode(root, back.__getitem__, whole.__getitem__, None)


def _shortest_distinct(paths: list[TokenPath]) -> list[TokenPath]:
    """Return the paths, sorted, each cut after the token that distinguishes it from all others."""
    ordered = sorted(paths)
    shared = [0, *(_common_length(first, second) for first, second in pairwise(ordered)), 0]
    return [path[: max(shared[i], shared[i + 1]) + 1] for i, path in enumerate(ordered)]


def _common_length(first: TokenPath, second: TokenPath) -> int:
    return next(
        (i for i, (left, right) in enumerate(zip(first, second, strict=False)) if left != right),
        min(len(first), len(second)),
    )


def _accepted_path(root: Node, path: TokenPath, stop: int) -> TokenPath:
    """Return the accepted path that begins like `path`: cut where the automaton accepts, else ended by `stop`."""
    node = root
    for length, token in enumerate(path):
        if node.accepts:
            return path[:length]
        node = node.edges[token]
    return path if node.accepts else (*path, stop)
