"""Pairwise associations: correlations and contingency tables of every pair of columns."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.measuring.readings import beside_anchor, too_close
from paracosm.eval.statistics.intervals import around
from paracosm.records.schema.schema import Field

BINS = 10
MOST_CATEGORIES = 30
FEWEST_RESAMPLES = 200
"""Fewer would do for one cell, but the errors of the cells would then vary together, and their mean too much."""
MOST_GROUPS = 2000
MOST_WORK = 3e8
"""Pairs x groups x resamples of one bootstrap."""


def _interpret(result: Result) -> str:
    floor = result.estimates.get("floor")
    return (
        f"On average {percentage(result.synthetic.value, 1)} of the association of two columns is right"
        f"{beside_anchor(result.ceiling, 'fresh real records reach {}')}"
        f"{beside_anchor(floor, 'shuffled columns {}')}.{too_close(result)}"
    )


PAIRS = Metric(
    name="pairs",
    title="Pairwise associations",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Correlation and contingency similarity, as in SDMetrics; deciles for mixed pairs",
    what="Whether two columns are associated in the synthetic records as they are in the training records.",
    formula="mean over pairs of 1 - |difference of correlations| / 2, or 1 - total variation of contingency tables",
    read=_interpret,
    gates=(
        Gate(
            "at least",
            0.8,
            0.8,
            0.8,
            settled_by=HELD_OUT,
            quantity="normalised",
            why="Analyses rest on relations of two columns, whoever the reader is.",
            excludes="pairs of columns that keep less than {percent} of their association",
        ),
    ),
)


def pairs_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where there are no pairs of columns to compare, or None."""
    count = len(structured_fields(context))
    if count < 2:
        return Obstacle(f"pairs need two columns that are not text, and there are {count}", curable=False)
    return too_few(context)


def structured_fields(context: Context) -> list[Field]:
    """Return the fields that are not text."""
    return [field for field in context.fields if not field.is_text]


def pair_similarity(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the mean over pairs of fields of the similarity of their association in a candidate and in train.

    Two numbers: 1 - |difference of Pearson correlations| / 2. Otherwise: 1 - total variation of the contingency tables,
    with numbers binned by the deciles of train, categories beyond its 30 most common joined, and missing as a category.
    """
    fields = structured_fields(context)
    reference = context.once("pairs", lambda: _prepare(context.reference, context.reference, fields))
    values, candidate_side, reference_side, per_pair = [], [], [], []
    for number, part in enumerate(context.parts(candidate, 4)):
        synthetic = _prepare(part, context.reference, fields)
        per_pair.append(_similarity(synthetic, reference))
        values.append(np.mean(list(per_pair[-1].values())))
        if number == 0:
            candidate_side.append(_spread(context, synthetic, reference, 0))
            reference_side.append(_spread(context, synthetic, reference, 1))
    variance = np.mean(candidate_side) / context.distinct_parts(candidate) + np.mean(reference_side)
    breakdown = {name: float(np.mean([repeat[name] for repeat in per_pair])) for name in per_pair[0]}
    facts = {
        "rows": min(context.size, len(candidate)),
        "reference_rows": len(context.reference),
        "pairs": len(breakdown),
        "repeats": len(values),
    }
    return {
        "pairs": around(float(np.mean(values)), float(variance), (0.0, 1.0), breakdown=breakdown, facts=facts)
    }


class _Side:
    """One table prepared for comparison: numeric values, and bin codes of every field."""

    def __init__(
        self, numbers: dict[str, np.ndarray], codes: dict[str, np.ndarray], bins: dict[str, int]
    ) -> None:
        self.numbers = numbers
        self.codes = codes
        self.bins = bins
        self.rows = len(next(iter(codes.values())))


def _prepare(table: pd.DataFrame, reference: pd.DataFrame, fields: list[Field]) -> _Side:
    from paracosm.eval.representations.features import as_floats, as_words

    numbers, codes, bins = {}, {}, {}
    for field in fields:
        if field.ordered:
            values, reference_values = (
                as_floats(table[field.name], field),
                as_floats(reference[field.name], field),
            )
            numbers[field.name] = values
            present = reference_values[~np.isnan(reference_values)]
            edges = (
                np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1]))
                if len(present)
                else np.empty(0)
            )
            codes[field.name] = np.where(
                np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right")
            )
            bins[field.name] = len(edges) + 2
        else:
            common = Counter(as_words(reference[field.name])).most_common(MOST_CATEGORIES)
            words = {word: number for number, (word, _) in enumerate(common)}
            codes[field.name] = np.array(
                [words.get(word, len(words)) for word in as_words(table[field.name])]
            )
            bins[field.name] = len(words) + 1
    return _Side(numbers, codes, bins)


def _similarity(first: _Side, second: _Side) -> dict[str, float]:
    """Return the similarity of every pair of fields, by the names of both."""
    return {
        f"{one} × {other}": float(score[0])
        for one, other, score in _pair_scores(first, second, Grouped.whole(first), Grouped.whole(second))
    }


@dataclass(frozen=True)
class Grouped:
    """Rows in groups, and the weight of each group in each resample (resamples x groups)."""

    group: np.ndarray
    weights: np.ndarray

    @classmethod
    def whole(cls, side: _Side) -> "Grouped":
        """Return all rows with weight 1, as a single group."""
        return cls(np.zeros(side.rows, dtype=np.int64), np.ones((1, 1)))

    def sums(self, codes: np.ndarray, bins: int, values: np.ndarray | None = None) -> np.ndarray:
        """Return the sum of `values`, or the count of rows, by code in each resample (resamples x bins)."""
        groups = self.weights.shape[1]
        cells = np.bincount(self.group * bins + codes, weights=values, minlength=groups * bins)
        if values is not None:
            return self.weights @ cells.reshape(groups, bins)
        # Counts are whole numbers, which float32 adds without error.
        counts = self.weights.astype(np.float32) @ cells.reshape(groups, bins).astype(np.float32)
        return counts.astype(np.float64)


def _pair_scores(
    first: _Side, second: _Side, first_rows: Grouped, second_rows: Grouped
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield every pair of fields with the similarity of their association in each resample."""
    sides = ((first, first_rows), (second, second_rows))
    for one, other in combinations(first.codes, 2):
        if one in first.numbers and other in first.numbers:
            values = [correlation(side.numbers[one], side.numbers[other], rows) for side, rows in sides]
            yield one, other, 1 - np.abs(values[0] - values[1]) / 2
        else:
            joint = [side.codes[one] * side.bins[other] + side.codes[other] for side, _ in sides]
            # Most combinations never occur.
            used, cells = np.unique(np.concatenate(joint), return_inverse=True)
            shares = []
            for (_, rows), cell in zip(sides, np.split(cells, [len(joint[0])]), strict=True):
                counts = rows.sums(cell, len(used))
                shares.append(counts / counts.sum(axis=1, keepdims=True))
            yield one, other, 1 - np.abs(shares[0] - shares[1]).sum(axis=1) / 2


def correlation(one: np.ndarray, other: np.ndarray, rows: Grouped) -> np.ndarray:
    """Return the Pearson correlation of the rows where both values are present, for each resample of `rows`.

    The correlation with a constant counts as 0.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < 2:
        return np.zeros(len(rows.weights))
    x, y = one[both] - one[both].mean(), other[both] - other[both].mean()
    present, code = Grouped(rows.group[both], rows.weights), np.zeros(len(x), dtype=np.int64)
    total, sum_x, sum_y, sum_xx, sum_yy, sum_xy = (
        present.sums(code, 1, values)[:, 0] for values in (None, x, y, x * x, y * y, x * y)
    )
    total = np.maximum(total, 1e-12)
    mean_x, mean_y = sum_x / total, sum_y / total
    spread = np.maximum(sum_xx / total - mean_x**2, 0) * np.maximum(sum_yy / total - mean_y**2, 0)
    scale = np.sqrt(spread)
    return np.where(
        scale > 1e-12, (sum_xy / total - mean_x * mean_y) / np.where(scale > 1e-12, scale, 1.0), 0.0
    )


def _spread(context: Context, first: _Side, second: _Side, side: int) -> float:
    """Return the variance of the mean similarity when the rows of one side are resampled.

    Above 2,000 rows, 2,000 groups of random rows are resampled instead, so that sums are computed once per group.
    """
    rows = (first, second)[side].rows
    groups, pairs = min(rows, MOST_GROUPS), max(1, len(first.codes) * (len(first.codes) - 1) // 2)
    resamples = int(np.clip(MOST_WORK / (pairs * groups), FEWEST_RESAMPLES, context.settings.bootstrap))
    random = np.random.default_rng([context.settings.seed, 19, side])
    weights = random.multinomial(groups, np.full(groups, 1 / groups), size=resamples).astype(np.float64)
    drawn = Grouped(random.permutation(np.arange(rows) % groups), weights)
    chosen = (drawn, Grouped.whole(second)) if side == 0 else (Grouped.whole(first), drawn)
    scores = np.zeros(resamples)
    for _, _, score in _pair_scores(first, second, *chosen):
        scores += score / pairs
    return float(scores.var(ddof=1))


MEASURE = Measure(pair_similarity, (PAIRS,), same_context(fidelity_candidates), pairs_obstacle)
