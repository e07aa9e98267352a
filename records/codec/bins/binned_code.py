"""Encoding of a number or date as its bin: one token. The value inside the bin has a fixed distribution."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paracosm.records.codec.automata.automaton import END, Node, TokenPath
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.bins.histogram import Bin, Histogram, Interval
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer, single_token
from paracosm.records.fields.kind import Numbering, Value

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""Names of bins, where there are more than digits."""


@dataclass(frozen=True)
class BinnedCode(FieldCode):
    """Encoding of a field by bins. A path says the bin of a value; `draw` draws a value inside it.

    Attributes:
        histogram: the bins.
        numbering: conversion between values and the whole numbers of the histogram.
        tokens: token of each bin.
    """

    histogram: Histogram
    numbering: Numbering
    tokens: tuple[int, ...]

    def bin_of(self, value: Value) -> Bin:
        """Return the bin of a value that is present."""
        return self.histogram.bins[self.histogram.index(self.numbering[0](value))]

    def log_probability(self, value: Value) -> float:
        if value is None:
            return 0.0
        number = self.numbering[0](value)
        return math.log(self.histogram.bins[self.histogram.index(number)].probability(number))

    def draw(
        self, path: TokenPath, random: np.random.Generator, intervals: Sequence[Interval] | None = None
    ) -> Any:
        if self.missing is not None and path == (self.missing,):
            return None
        chosen = self.histogram.bins[self.tokens.index(path[0])]
        return self.numbering[1](chosen.draw(random, intervals))

    def numbers(self, values: Iterable[Value]) -> list[Interval]:
        """Return the numbers of some present values, as intervals."""
        numbers = {self.numbering[0](value) for value in values}
        return [(number, number) for number in sorted(numbers)]

    def interval(self, low: Value, high: Value) -> Interval:
        """Return the numbers from one value to another; None stands for the limit of the domain."""
        number = self.numbering[0]
        first, last = self.histogram.bins[0].low, self.histogram.bins[-1].high
        return first if low is None else number(low), last if high is None else number(high)

    def restricted(self, intervals: Sequence[Interval]) -> Node | None:
        """Return the automaton of the bins that hold a number of disjoint intervals, with the share of each that is allowed."""
        edges, weights = {}, {}
        for token, each in zip(self.tokens, self.histogram.bins, strict=True):
            mass = each.mass(intervals)
            if mass > 0:
                edges[token], weights[token] = END, math.log(mass)
        return Node(edges, weights) if edges else None


def binned_code(
    histogram: Histogram, numbering: Numbering, tokenizer: Tokenizer, alphabet: SymbolTokens
) -> BinnedCode:
    """Return the encoding of the present values of a field by bins.

    Args:
        histogram: the bins of the field.
        numbering: conversion between its values and whole numbers.
        tokenizer: tokenizer of the base model.
        alphabet: tokens of digits and of the stop symbol.
    """
    tokens: list[int] = []
    taken = {alphabet.stop, alphabet.start, alphabet.unused}
    for number in range(len(histogram.bins)):
        if len(histogram.bins) <= len("0123456789"):
            token = alphabet.symbols[str(number)]
        else:
            token = single_token(tokenizer, LETTERS[number % len(LETTERS)], taken)
        taken.add(token)
        tokens.append(token)
    of_bin = tuple(tokens)

    def path(value: Value) -> tuple[int]:
        return (of_bin[histogram.index(numbering[0](value))],)

    def value(tokens: TokenPath) -> Value:
        chosen = histogram.bins[of_bin.index(tokens[0])]
        largest = max(chosen.parts, key=lambda part: part.share)
        return numbering[1](largest.low + largest.step * ((largest.count - 1) // 2))

    return BinnedCode(Node(dict.fromkeys(of_bin, END)), path, value, None, histogram, numbering, of_bin)
