"""Do columns move together as they should? Correlations and contingency tables, pair by pair."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import NUMERIC, Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.representations.features import as_floats, as_words
from paracosm.eval.statistics.intervals import around
from paracosm.records.schema.schema import Field

BINS = 10
MOST_CATEGORIES = 30
FEWEST_RESAMPLES = 200
MOST_GROUPS = 2000
"""Fewer would do for one cell, but the cells' errors would then vary together, and their mean too much."""
MOST_WORK = 3e8
"""Pairs x groups x resamples of one bootstrap."""


def structured_fields(context: Context) -> list[Field]:
    """Return the fields that pairs are made of: every one that is no text."""
    return [each for each in context.fields if each.type != "text"]


def pair_similarity(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the mean over pairs of fields of how alike their relation is in a candidate and in train.

    Two numbers: 1 - |difference of Pearson correlations| / 2. Otherwise: 1 - total variation of the contingency
    tables, numbers cut at train's deciles, categories beyond train's 30 most common joined, missing being a category.
    """
    fields = structured_fields(context)
    reference = context.once("pairs", lambda: _prepare(context.reference, context.reference, fields))
    values, candidate_side, reference_side, per_pair = [], [], [], []
    for number, part in enumerate(context.parts(candidate, 4)):
        ours = _prepare(part, context.reference, fields)
        per_pair.append(_similarity(ours, reference))
        values.append(np.mean(list(per_pair[-1].values())))
        if number == 0:
            candidate_side.append(_spread(context, ours, reference, 0))
            reference_side.append(_spread(context, ours, reference, 1))
    variance = np.mean(candidate_side) / context.distinct_parts(candidate) + np.mean(reference_side)
    breakdown = {name: float(np.mean([each[name] for each in per_pair])) for name in per_pair[0]}
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
    """One table, ready to be compared: numbers as they are, and every field as bin codes."""

    def __init__(
        self, numbers: dict[str, np.ndarray], codes: dict[str, np.ndarray], bins: dict[str, int]
    ) -> None:
        self.numbers = numbers
        self.codes = codes
        self.bins = bins
        self.rows = len(next(iter(codes.values())))


def _prepare(table: pd.DataFrame, reference: pd.DataFrame, fields: list[Field]) -> _Side:
    numbers, codes, bins = {}, {}, {}
    for each in fields:
        if each.type in NUMERIC:
            values, known = as_floats(table[each.name], each), as_floats(reference[each.name], each)
            numbers[each.name] = values
            present = known[~np.isnan(known)]
            edges = (
                np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1]))
                if len(present)
                else np.empty(0)
            )
            codes[each.name] = np.where(
                np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right")
            )
            bins[each.name] = len(edges) + 2
        else:
            common = Counter(as_words(reference[each.name])).most_common(MOST_CATEGORIES)
            words = {word: number for number, (word, _) in enumerate(common)}
            codes[each.name] = np.array([words.get(word, len(words)) for word in as_words(table[each.name])])
            bins[each.name] = len(words) + 1
    return _Side(numbers, codes, bins)


def _similarity(ours: _Side, theirs: _Side) -> dict[str, float]:
    """Return the similarity of every pair."""
    return {
        f"{one} × {other}": float(score[0])
        for one, other, score in _pair_scores(ours, theirs, Grouped.whole(ours), Grouped.whole(theirs))
    }


@dataclass(frozen=True)
class Grouped:
    """The rows of a side in groups, and how often each group counts in each resample (resamples x groups)."""

    group: np.ndarray
    weights: np.ndarray

    @classmethod
    def whole(cls, side: _Side) -> "Grouped":
        """Return all rows, once."""
        return cls(np.zeros(side.rows, dtype=np.int64), np.ones((1, 1)))

    def sums(self, codes: np.ndarray, bins: int, values: np.ndarray | None = None) -> np.ndarray:
        """Return, per resample, the sum of `values` (or the count of rows) by code (resamples x bins)."""
        groups = self.weights.shape[1]
        cells = np.bincount(self.group * bins + codes, weights=values, minlength=groups * bins)
        if values is not None:
            return self.weights @ cells.reshape(groups, bins)
        # Counts are whole numbers, which float32 adds without error.
        counts = self.weights.astype(np.float32) @ cells.reshape(groups, bins).astype(np.float32)
        return counts.astype(np.float64)


def _pair_scores(
    ours: _Side, theirs: _Side, our_rows: Grouped, their_rows: Grouped
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield two fields, and how alike their relation is on both sides, per resample."""
    sides = ((ours, our_rows), (theirs, their_rows))
    for one, other in combinations(ours.codes, 2):
        if one in ours.numbers and other in ours.numbers:
            first, second = (
                correlation(side.numbers[one], side.numbers[other], rows) for side, rows in sides
            )
            yield one, other, 1 - np.abs(first - second) / 2
        else:
            joint = [side.codes[one] * side.bins[other] + side.codes[other] for side, _ in sides]
            # Few of the possible combinations occur at all.
            used, places = np.unique(np.concatenate(joint), return_inverse=True)
            shares = []
            for (_, rows), place in zip(sides, np.split(places, [len(joint[0])]), strict=True):
                counts = rows.sums(place, len(used))
                shares.append(counts / counts.sum(axis=1, keepdims=True))
            yield one, other, 1 - np.abs(shares[0] - shares[1]).sum(axis=1) / 2


def correlation(one: np.ndarray, other: np.ndarray, rows: Grouped) -> np.ndarray:
    """Return the Pearson correlation where both are present, one a resample of `rows`.

    A side without variance has no correlation: it counts as 0.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < 2:
        return np.zeros(len(rows.weights))
    x, y = one[both] - one[both].mean(), other[both] - other[both].mean()
    kept, code = Grouped(rows.group[both], rows.weights), np.zeros(len(x), dtype=np.int64)
    total, sum_x, sum_y, sum_xx, sum_yy, sum_xy = (
        kept.sums(code, 1, each)[:, 0] for each in (None, x, y, x * x, y * y, x * y)
    )
    total = np.maximum(total, 1e-12)
    mean_x, mean_y = sum_x / total, sum_y / total
    spread = np.maximum(sum_xx / total - mean_x**2, 0) * np.maximum(sum_yy / total - mean_y**2, 0)
    scale = np.sqrt(spread)
    return np.where(
        scale > 1e-12, (sum_xy / total - mean_x * mean_y) / np.where(scale > 1e-12, scale, 1.0), 0.0
    )


def _spread(context: Context, ours: _Side, theirs: _Side, side: int) -> float:
    """Return the variance of the mean similarity when one side's rows are resampled.

    Above 2,000 rows, as many groups of random rows are resampled instead, whose sums are counted once.
    """
    rows = (ours, theirs)[side].rows
    groups, pairs = min(rows, MOST_GROUPS), max(1, len(ours.codes) * (len(ours.codes) - 1) // 2)
    resamples = int(np.clip(MOST_WORK / (pairs * groups), FEWEST_RESAMPLES, context.settings.bootstrap))
    random = np.random.default_rng([context.settings.seed, 19, side])
    weights = random.multinomial(groups, np.full(groups, 1 / groups), size=resamples).astype(np.float64)
    drawn = Grouped(random.permutation(np.arange(rows) % groups), weights)
    chosen = (drawn, Grouped.whole(theirs)) if side == 0 else (Grouped.whole(ours), drawn)
    scores = np.zeros(resamples)
    for _, _, score in _pair_scores(ours, theirs, *chosen):
        scores += score / pairs
    return float(scores.var(ddof=1))
