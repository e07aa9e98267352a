"""The column whose distribution differs most from train, where chance does not explain the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.fidelity.associations import EXCHANGES
from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context, subsample
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate, Metric, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.records.schema.schema import Field

if TYPE_CHECKING:
    from paracosm.eval.statistics.row_blocks import Draws, RowBlocks

DEGREE = 4
"""Of the polynomials of ranks: location, spread, skewness and tails."""
MOST_POINTS = 200
"""Points of a column at which two distributions are compared, at most."""


def _interpret(result: Result) -> str:
    facts = result.synthetic.facts
    change = f"{percentage(facts['change'], 1)} of the records would have another value"
    if not facts["beyond_chance"]:
        return f"No column differs by more than chance explains; the largest difference is that of {facts['column']} ({change})."
    return (
        f"Worst: {facts['column']}. {change}; chance explains the largest difference of {facts['columns']} columns with "
        f"probability {facts['p_value']:.2g}."
    )


WORST_COLUMN = Metric(
    name="worst_column",
    title="Worst column: distance of its distribution",
    section="fidelity",
    goal="down",
    range=(0.0, 1.0),
    source="Permutation test of the largest difference (Westfall & Young 1993); Kolmogorov-Smirnov and total variation distances",
    what="How far the distribution of the worst column is from train, where chance does not explain it; 0 where chance explains "
    "every difference.",
    formula="largest root of (KS or total variation distance squared - its mean under exchanges) among the columns that differ "
    "from train more than 99% of random exchanges of records between both sides do in any column",
    read=_interpret,
    zero=None,
    gates=(
        Gate(
            "at most",
            0.1,
            0.075,
            0.05,
            settled_by=HELD_OUT,
            proof_for=(),
            why="One broken column hides in an average. That none is found in a small table proves little.",
        ),
    ),
)


@dataclass(frozen=True)
class Column:
    """One column of both sides: its distance, and the squared difference of the means of its functions, in each draw."""

    name: str
    distance: np.ndarray
    moments: np.ndarray

    @property
    def change(self) -> float:
        """The distance beyond what exchanges of records make of it on average."""
        squares = self.distance**2
        return float(np.sqrt(max(0.0, squares[0] - squares[1:].mean())))


def worst_column(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the largest distance of a column's distribution from train among those that are beyond chance.

    Numbers and dates: Kolmogorov-Smirnov distance; categories and booleans: total variation; texts: that of their lengths. A
    missing cell is a value. Two statistics of a column compete: its distance, and the means of orthonormal functions of its
    values, which see a difference of spread or of a few categories better.
    """
    from paracosm.eval.statistics.largest_difference import largest_difference
    from paracosm.eval.statistics.row_blocks import RowBlocks

    settings = context.settings
    candidate = subsample(candidate, settings.max_rows, settings.seed + 4)
    blocks = RowBlocks(len(candidate), len(context.reference), settings.seed)
    draws = blocks.permutations(EXCHANGES)
    both = pd.concat([candidate, context.reference], ignore_index=True)
    columns = [_column(field, both[field.name], blocks, draws) for field in context.fields]
    statistics = {(one.name, "distance"): one.distance**2 for one in columns}
    statistics |= {(one.name, "moments"): one.moments for one in columns}
    test = largest_difference(statistics)
    shown = {name for name, _ in test.beyond_chance}
    differing = sorted((one for one in columns if one.name in shown), key=lambda one: -one.change)
    worst = max(differing or columns, key=lambda one: one.change)
    value = worst.change if differing else 0.0
    facts = {
        "rows": blocks.sizes[0],
        "reference_rows": blocks.sizes[1],
        "columns": len(columns),
        "column": worst.name,
        "change": round(worst.change, 6),
        "beyond_chance": bool(differing),
        "p_value": test.p_value,
    }
    breakdown = {one.name: one.change for one in differing}
    return {"worst_column": Estimate(value, value, value, breakdown, facts)}


def _column(field: Field, column: pd.Series, blocks: RowBlocks, draws: Draws) -> Column:
    from paracosm.eval.representations.features import as_words
    from paracosm.eval.statistics.column_functions import column_functions, ordered_values

    first = blocks.sizes[0]

    def means(values: np.ndarray) -> np.ndarray:
        """Return the mean of the first sample minus that of the second, in each draw."""
        sums = blocks.sums(blocks.ordered(values[:first], values[first:]))
        one, other = blocks.means(sums, draws)
        return one - other

    moments = (means(column_functions(field, column, DEGREE)) ** 2).sum(axis=1)
    if field.discrete:
        codes = pd.factorize(as_words(column))[0]
        distance = np.abs(means(np.eye(codes.max() + 1)[codes])).sum(axis=1) / 2
    else:
        values = ordered_values(field, column)
        present = values[~np.isnan(values)]
        points = np.unique(np.quantile(present, np.linspace(0, 1, MOST_POINTS))) if len(present) else [0.0]
        below = np.column_stack([np.isnan(values), values[:, None] <= np.asarray(points)[None, :]])
        distance = np.abs(means(below.astype(np.float64))).max(axis=1)
    return Column(field.name, distance, moments)


MEASURE = Measure(worst_column, (WORST_COLUMN,), same_context(fidelity_candidates), too_few)
