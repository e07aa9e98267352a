"""Do columns move together as they should? Correlations and contingency tables, pair by pair."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from paracosm.eval.context import NUMERIC, Context
from paracosm.eval.features import as_floats, as_words
from paracosm.eval.marginals import CELLS_A_BATCH
from paracosm.eval.metric import Estimate, around
from paracosm.records.schema import Field

BINS = 10
MOST_CATEGORIES = 30
FEWEST_RESAMPLES = 40


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
        score, pairs = _similarity(ours, reference, None, None)
        values.append(score[0])
        per_pair.append(pairs)
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


def _similarity(
    ours: _Side, theirs: _Side, our_weights: np.ndarray | None, their_weights: np.ndarray | None
) -> tuple[np.ndarray, dict[str, float]]:
    """Return the mean similarity per resample, and per pair in the first resample."""
    weights = (
        np.ones((1, ours.rows)) if our_weights is None else our_weights,
        np.ones((1, theirs.rows)) if their_weights is None else their_weights,
    )
    scores, first = [], {}
    for one, other in combinations(ours.codes, 2):
        if one in ours.numbers and other in ours.numbers:
            sides = [
                correlation(side.numbers[one], side.numbers[other], weight)
                for side, weight in zip((ours, theirs), weights, strict=True)
            ]
            score = 1 - np.abs(sides[0] - sides[1]) / 2
        else:
            bins = ours.bins[one] * ours.bins[other]
            tables = [
                _joint(side.codes[one] * side.bins[other] + side.codes[other], bins, weight)
                for side, weight in zip((ours, theirs), weights, strict=True)
            ]
            score = 1 - np.abs(tables[0] - tables[1]).sum(axis=1) / 2
        scores.append(score)
        first[f"{one} × {other}"] = float(score[0])
    return np.mean(scores, axis=0), first


def _joint(codes: np.ndarray, bins: int, weights: np.ndarray) -> np.ndarray:
    used, positions = np.unique(codes, return_inverse=True)
    cells = csr_matrix(
        (np.ones(len(codes)), (np.arange(len(codes)), positions)), shape=(len(codes), len(used))
    )
    shares = np.zeros((len(weights), bins))
    shares[:, used] = (weights @ cells) / weights.sum(axis=1, keepdims=True)
    return shares


def correlation(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted Pearson correlation (one per row of `weights`) where both are present.

    A side without variance has no correlation: it counts as 0.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < 2:
        return np.zeros(len(weights))
    x, y, w = one[both] - one[both].mean(), other[both] - other[both].mean(), weights[:, both]
    total = np.maximum(w.sum(axis=1), 1e-12)
    mean_x, mean_y = w @ x / total, w @ y / total
    spread = np.maximum(w @ (x * x) / total - mean_x**2, 0) * np.maximum(w @ (y * y) / total - mean_y**2, 0)
    shared = w @ (x * y) / total - mean_x * mean_y
    scale = np.sqrt(spread)
    return np.where(scale > 1e-12, shared / np.where(scale > 1e-12, scale, 1.0), 0.0)


def _spread(context: Context, ours: _Side, theirs: _Side, side: int) -> float:
    """Return the variance of the mean similarity when one side's rows are resampled."""
    rows = (ours, theirs)[side].rows
    pairs = max(1, len(ours.codes) * (len(ours.codes) - 1) // 2)
    affordable = int(4e9 / (pairs * max(rows, 1000)))
    resamples = int(np.clip(affordable, FEWEST_RESAMPLES, context.settings.bootstrap))
    random = np.random.default_rng([context.settings.seed, 19, side])
    scores, batch = [], max(1, CELLS_A_BATCH // rows)
    for start in range(0, resamples, batch):
        count = min(batch, resamples - start)
        weights = random.multinomial(rows, np.full(rows, 1 / rows), size=count).astype(np.float64)
        pair = (weights, None) if side == 0 else (None, weights)
        scores.append(_similarity(ours, theirs, *pair)[0])
    return float(np.concatenate(scores).var(ddof=1))
