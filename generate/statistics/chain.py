"""A fitted chain: draws field after field from the conditionals of a method, under the values that constraints allow.

With a small probability a field is drawn from its marginal, or uniformly from its domain, whatever is known. So every valid
record has a probability above 0, and constraints that allow any value at all can be met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from paracosm.generate.constraints.allowed_values import AllowedValues
from paracosm.generate.statistics.columns import MISSING, Column
from paracosm.generate.statistics.conditionals import Conditionals, picked
from paracosm.generate.statistics.marginals import distribution, drawn_codes
from paracosm.records.schema.schema import Record, Schema, Value

FALLBACK = 0.01
"""Probability with which a field is drawn without regard to the others."""
UNIFORM = 0.1
"""Share of these draws that are uniform over the domain; the others follow the marginal."""
UNIFORMS = 7
"""Random numbers per field."""


@dataclass(frozen=True)
class Drawn:
    """Values of one field for some records.

    Attributes:
        numbers: (records,) on the grid of the field.
        absent: (records,) whether the cell is missing.
    """

    numbers: np.ndarray
    absent: np.ndarray


@dataclass(frozen=True)
class Chain:
    """A fitted chain.

    Attributes:
        schema: its modelled fields in the order of the chain.
        columns: of these fields.
        conditionals: of the method.
    """

    schema: Schema
    columns: Sequence[Column]
    conditionals: Conditionals

    @cached_property
    def _marginals(self) -> list[np.ndarray]:
        return [distribution(column) for column in self.columns]

    def draw(self, index: int, known: np.ndarray, uniforms: np.ndarray) -> Drawn:
        """Draw a field without constraints.

        Args:
            index: of the field.
            known: (records, index), positions of the fields before it.
            uniforms: (records, UNIFORMS), random numbers in [0, 1).
        """
        column = self.columns[index]
        codes = self.conditionals.draw(index, known, uniforms[:, :4])
        free = np.flatnonzero(uniforms[:, 4] < FALLBACK)
        codes[free] = drawn_codes(self._marginals[index], uniforms[free, 5])
        absent = codes == MISSING
        numbers = np.zeros(len(known), dtype=np.int64)
        low, high = column.low[codes[~absent]], column.high[codes[~absent]]
        numbers[~absent] = low + (uniforms[~absent, 6] * (high - low + 1)).astype(np.int64)
        anywhere = free[uniforms[free, 4] < FALLBACK * UNIFORM]
        numbers[anywhere] = column.grid.first + (uniforms[anywhere, 6] * len(column.grid)).astype(np.int64)
        absent[anywhere] = False
        return Drawn(numbers, absent)

    def shares(self, index: int, known: np.ndarray) -> np.ndarray:
        """Return the probability of each atom and, last, of the missing cell, without the draws that are uniform over the domain.

        Args:
            index: of the field.
            known: (records, index), positions of the fields before it.

        Returns:
            (records, atoms + 1); a row sums to one minus the share of these draws.
        """
        conditional = (1 - FALLBACK) * self.conditionals.probabilities(index, known)
        return conditional + FALLBACK * (1 - UNIFORM) * self._marginals[index]

    def weight(
        self, index: int, known: np.ndarray, allowed: AllowedValues, conditioned: AllowedValues
    ) -> np.ndarray:
        """Return the share of the allowed values of a field, by probability, that conditions leave, for each record: (records,)."""
        column, shares = self.columns[index], self.shares(index, known)
        masses = []
        for each in (conditioned, allowed):
            inside, of_domain = column.shares(each)
            inside = np.append(inside, float(each.missing and column.field.nullable))
            masses.append(shares @ inside + FALLBACK * UNIFORM * of_domain)
        # A condition may ask for values that relations would not draw.
        return np.minimum(masses[0] / np.maximum(masses[1], 1e-300), 1.0)

    def draw_allowed(
        self, index: int, known: np.ndarray, uniforms: np.ndarray, allowed: AllowedValues
    ) -> Drawn:
        """Draw a field from the values that constraints allow, in the proportion that `draw` has.

        Args:
            index: of the field.
            known: (records, index), positions of the fields before it.
            uniforms: (records, UNIFORMS), random numbers in [0, 1).
            allowed: at least one value, or the missing cell of a nullable field.
        """
        column = self.columns[index]
        shares, of_domain = column.shares(allowed)
        mixed = self.shares(index, known)
        mixed = mixed * np.append(shares, float(allowed.missing and column.field.nullable))
        anywhere = np.full((len(known), 1), FALLBACK * UNIFORM * of_domain)
        picks = picked(np.concatenate([mixed, anywhere], axis=1), uniforms[:, 0])
        atoms = len(column.low)
        if of_domain == 0:
            picks[:] = atoms
        numbers = np.zeros(len(known), dtype=np.int64)
        for row in np.flatnonzero(picks != atoms):
            inside = picks[row] < atoms
            low = int(column.low[picks[row]]) if inside else column.grid.first
            high = int(column.high[picks[row]]) if inside else column.grid.last
            numbers[row] = column.pick(allowed, low, high, uniforms[row, 6])
        return Drawn(numbers, picks == atoms)

    def log_likelihood(self, records: Sequence[Record]) -> np.ndarray:
        """Return the log probability of each field of each record given those before it, in bits: (records, fields).

        Args:
            records: with values in the domains of the fields.
        """
        known = np.full((len(records), len(self.columns)), np.nan)
        bits = np.zeros_like(known)
        for index, column in enumerate(self.columns):
            values: list[Value] = [record[column.field.name] for record in records]
            codes, absent = column.codes(values), np.array([value is None for value in values], dtype=bool)
            share = (1 - FALLBACK) * self.conditionals.probability(index, known[:, :index], codes)
            marginal = self._marginals[index][np.where(codes == MISSING, len(column.low), codes)]
            share = share + FALLBACK * (1 - UNIFORM) * np.where(codes < MISSING, 0.0, marginal)
            inside = codes >= 0
            share[inside] /= column.sizes[codes[inside]]
            share[~absent] += FALLBACK * UNIFORM / len(column.grid)
            with np.errstate(divide="ignore"):
                bits[:, index] = np.log2(share)
            known[:, index] = column.positions(column.numbers(values), absent)
        return bits
