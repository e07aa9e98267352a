"""Likelihoods of records under a chain, one entry for each field: of the value itself, and what to expect of a drawn one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paracosm.generate.statistics.chain import FALLBACK, UNIFORM, Chain
from paracosm.generate.statistics.columns import MISSING, Column
from paracosm.records.schema.schema import Record

ROWS = 512
"""Records at once: a column has up to a few thousand atoms."""


@dataclass(frozen=True)
class FieldLikelihoods:
    """Natural log probabilities of the fields of some records, each given the fields before it: (records, fields).

    Attributes:
        log_probability: of the value of the record.
        expected: mean log probability of a value that is drawn in its place.
        deviation: standard deviation of that log probability.
        is_argmax: whether no value of the field is more probable.
    """

    log_probability: np.ndarray
    expected: np.ndarray
    deviation: np.ndarray
    is_argmax: np.ndarray


def field_likelihoods(chain: Chain, records: Sequence[Record]) -> FieldLikelihoods:
    """Return the likelihoods of records whose values are in the domains of the fields."""
    actual = chain.log_likelihood(records) * np.log(2)
    expected, deviation = np.zeros_like(actual), np.zeros_like(actual)
    largest = np.zeros_like(actual)
    for begin in range(0, len(records), ROWS):
        part = records[begin : begin + ROWS]
        rows = slice(begin, begin + len(part))
        known = np.full((len(part), len(chain.columns)), np.nan)
        for index, column in enumerate(chain.columns):
            values = [record[column.field.name] for record in part]
            shares = chain.shares(index, known[:, :index])
            expected[rows, index], deviation[rows, index], largest[rows, index] = _moments(column, shares)
            absent = np.array([value is None for value in values], dtype=bool)
            known[:, index] = column.positions(column.numbers(values), absent)
    return FieldLikelihoods(actual, expected, deviation, actual >= largest - 1e-9)


def _moments(column: Column, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, deviation and largest of the log probabilities of the values of a field, for each row of shares.

    Args:
        column: of the field.
        shares: (records, atoms + 1) probability of each atom and of the missing cell, without the uniform part.
    """
    between = FALLBACK * UNIFORM / len(column.grid)
    # All values of one atom are equally likely, and so are all values between the atoms.
    each = np.concatenate([shares[:, :-1] / column.sizes + between, shares[:, MISSING:]], axis=1)
    mass = np.concatenate([each[:, :-1] * column.sizes, shares[:, MISSING:]], axis=1)
    left = between * max(len(column.grid) - column.sizes.sum(), 0.0)
    logs = np.log(np.where(each > 0, each, 1.0))
    mean = (mass * logs).sum(axis=1) + left * np.log(between)
    squares = (mass * logs**2).sum(axis=1) + left * np.log(between) ** 2
    return mean, np.sqrt(np.maximum(squares - mean**2, 0.0)), np.log(each.max(axis=1))
