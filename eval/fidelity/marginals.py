"""Marginal distributions: distances between the distributions of each column, field by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.fidelity.distances import js_distance, ks_distance, tv_distance
from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate, Metric, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.measuring.readings import beside_anchor, too_close
from paracosm.eval.statistics.intervals import around
from paracosm.records.schema.schema import Field

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
MOST_POINTS = 4000
"""Points of a numeric column at which two distributions are compared, at most."""
VOCABULARY = 2000
TRIGRAM = 3
BOOTSTRAP_CELLS = 1e9
FEWEST_RESAMPLES = 100
CELLS_A_BATCH = 20_000_000


def _interpret(result: Result) -> str:
    shares = result.synthetic.breakdown
    weakest = min(shares, key=lambda name: shares[name])
    return (
        f"On average {percentage(result.synthetic.value, 1)} of a column's distribution is right"
        f"{beside_anchor(result.ceiling, 'fresh real records reach {}')}. "
        f"Weakest: {weakest} ({percentage(shares[weakest], 1)}).{too_close(result)}"
    )


MARGINALS = Metric(
    name="marginals",
    title="Marginal distributions",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Kolmogorov-Smirnov and total variation complements, as in SDMetrics; Jensen-Shannon (Lin 1991) for text",
    what="How much of each column's distribution the synthetic records share with the training records.",
    formula="mean over columns of 1 - KS distance (numbers, dates), 1 - total variation (categories), or for texts of 1 - the mean "
    "of the KS distance of lengths and the Jensen-Shannon distances of words and character trigrams",
    read=_interpret,
    zero=None,
    gates=(
        Gate(
            "at least",
            0.95,
            0.95,
            0.95,
            settled_by=HELD_OUT,
            quantity="of_ceiling",
            why="Every use starts from single columns, whoever the reader is.",
            excludes="columns that keep less than {percent} of what fresh real records reach",
        ),
    ),
)


@dataclass(frozen=True)
class Comparison:
    """One distribution on both sides: the contribution of each row to each bin, and the distance of the sums.

    Contributions are sparse matrices (rows x bins), so that resampling the rows is one product with their weights.
    """

    name: str
    candidate: csr_matrix
    reference: csr_matrix
    distance: Distance

    def scores(self, candidate_weights: np.ndarray, reference_weights: np.ndarray) -> np.ndarray:
        """Return 1 - distance for each row of weights (resamples x rows)."""
        candidate, reference = candidate_weights @ self.candidate, reference_weights @ self.reference
        return 1.0 - self.distance(candidate, reference)


def marginals(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the mean over fields of 1 - the distance between the distributions of a candidate and of train.

    Numbers and dates: Kolmogorov-Smirnov distance, or the difference in missing share where that is larger.
    Categories and booleans: total variation, missing being a category. Texts: the mean of the KS distance of
    lengths and the Jensen-Shannon distances (base 2) of words and of character trigrams.
    """
    reference = context.reference
    prepared = context.once(
        "marginals", lambda: {field.name: _prepare(field, reference) for field in context.fields}
    )
    values, fields = [], []
    candidate_side = reference_side = 0.0
    for number, part in enumerate(context.parts(candidate, 3)):
        compared = {
            field.name: _comparisons(field, part[field.name], prepared[field.name])
            for field in context.fields
        }
        score, per_field = _mean_score(compared, np.ones((1, len(part))), np.ones((1, len(reference))))
        values.append(score[0])
        fields.append({name: float(scores[0]) for name, scores in per_field.items()})
        if number == 0:
            candidate_side, reference_side = _bootstrap(context, compared, len(part), len(reference))
    variance = candidate_side / context.distinct_parts(candidate) + reference_side
    breakdown = {name: float(np.mean([repeat[name] for repeat in fields])) for name in fields[0]}
    facts = {
        "rows": min(context.size, len(candidate)),
        "reference_rows": len(reference),
        "repeats": len(values),
    }
    estimate = around(float(np.mean(values)), variance, (0.0, 1.0), breakdown=breakdown, facts=facts)
    return {"marginals": estimate}


def _bootstrap(
    context: Context, comparisons: dict[str, list[Comparison]], rows: int, reference_rows: int
) -> tuple[float, float]:
    """Return the variance of the mean score when the rows of the candidate, and of the reference, are resampled."""
    random = np.random.default_rng([context.settings.seed, 17])
    cells = sum(one.candidate.nnz + one.reference.nnz for several in comparisons.values() for one in several)
    resamples = int(np.clip(BOOTSTRAP_CELLS / max(1, cells), FEWEST_RESAMPLES, context.settings.bootstrap))
    spread = []
    for side, count in (("candidate", rows), ("reference", reference_rows)):
        scores = []
        for batch in _batches(resamples, count):
            weights = random.multinomial(count, np.full(count, 1 / count), size=batch).astype(np.float64)
            fixed = np.ones((1, reference_rows if side == "candidate" else rows))
            pair = (weights, fixed) if side == "candidate" else (fixed, weights)
            scores.append(_mean_score(comparisons, *pair)[0])
        spread.append(float(np.concatenate(scores).var(ddof=1)))
    return spread[0], spread[1]


def _batches(resamples: int, rows: int) -> list[int]:
    size = max(1, min(resamples, CELLS_A_BATCH // max(1, rows)))
    return [min(size, resamples - start) for start in range(0, resamples, size)]


def _mean_score(
    comparisons: dict[str, list[Comparison]], candidate_weights: np.ndarray, reference_weights: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    per_field = {
        name: np.mean([one.scores(candidate_weights, reference_weights) for one in several], axis=0)
        for name, several in comparisons.items()
    }
    return np.mean(list(per_field.values()), axis=0), per_field


@dataclass(frozen=True)
class _Reference:
    """One field of the reference: values, words, or the lengths and counted n-grams of its texts."""

    values: np.ndarray
    counted: tuple[tuple[str, CountVectorizer, csr_matrix], ...] = ()


def _prepare(field: Field, reference: pd.DataFrame) -> _Reference:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

    from paracosm.eval.representations.features import as_floats, as_texts, as_words

    column = reference[field.name]
    if field.ordered:
        return _Reference(as_floats(column, field))
    if not field.is_text:
        return _Reference(as_words(column))
    texts = as_texts(column)
    if not any(len(text.strip()) >= TRIGRAM for text in texts):
        return _Reference(_lengths(column))
    counters = {
        "words": CountVectorizer(token_pattern=r"(?u)\S+", max_features=VOCABULARY),
        "trigrams": CountVectorizer(analyzer="char", ngram_range=(TRIGRAM, TRIGRAM), max_features=VOCABULARY),
    }
    counted = [
        (name, counter, csr_matrix(counter.fit_transform(texts))) for name, counter in counters.items()
    ]
    return _Reference(_lengths(column), tuple(counted))


def _lengths(column: pd.Series) -> np.ndarray:
    return column.astype("string").str.len().astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)


def _comparisons(field: Field, column: pd.Series, reference: _Reference) -> list[Comparison]:
    from scipy.sparse import csr_matrix

    from paracosm.eval.representations.features import as_floats, as_texts, as_words

    if field.ordered:
        return [_ordered("values", as_floats(column, field), reference.values)]
    if not field.is_text:
        return [_categorical(as_words(column), reference.values)]
    texts = as_texts(column)
    counted = [
        Comparison(name, csr_matrix(counter.transform(texts)), counts, js_distance)
        for name, counter, counts in reference.counted
    ]
    return [_ordered("length", _lengths(column), reference.values), *counted]


def _ordered(name: str, candidate: np.ndarray, reference: np.ndarray) -> Comparison:
    points = np.unique(np.concatenate([candidate, reference]))
    points = points[~np.isnan(points)]
    if len(points) > MOST_POINTS:
        points = points[np.linspace(0, len(points) - 1, MOST_POINTS).astype(np.int64)]
    bins = len(points) + 1

    def codes(values: np.ndarray) -> np.ndarray:
        index = np.minimum(np.searchsorted(points, values), len(points) - 1)
        return np.where(np.isnan(values), 0, index + 1)

    return Comparison(name, _one_hot(codes(candidate), bins), _one_hot(codes(reference), bins), ks_distance)


def _categorical(candidate: np.ndarray, reference: np.ndarray) -> Comparison:
    codes, words = pd.factorize(np.concatenate([candidate, reference]), sort=True)
    first, second = codes[: len(candidate)], codes[len(candidate) :]
    return Comparison("categories", _one_hot(first, len(words)), _one_hot(second, len(words)), tv_distance)


def _one_hot(codes: np.ndarray, bins: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    return csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=(len(codes), bins))


MEASURE = Measure(marginals, (MARGINALS,), same_context(fidelity_candidates), too_few)
