"""Histograms of every field: shares of train and of synthetic records in the same bins. No single record shows."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.representations.features import as_floats
from paracosm.eval.results.report_data import Distribution
from paracosm.records.schema.schema import Field

BINS = 14
MAX_CATEGORIES = 12
MIN_TRAIN_ROWS = 5
"""Training records below which a category counts as `(other)` and a bin is joined with the next, so that no record can be seen."""
MIN_HISTOGRAM_ROWS = 25
"""Training records with a value below which their values are one bin."""
MISSING_LABEL = "(missing)"
OTHER_LABEL = "(other)"


def distributions(
    fields: Sequence[Field], train: pd.DataFrame, synthetic: pd.DataFrame
) -> list[Distribution]:
    """Return one distribution for each field. A category with fewer than 5 training records counts as `(other)`."""
    return [_distribution(field, train[field.name], synthetic[field.name]) for field in fields]


def _distribution(field: Field, train: pd.Series, synthetic: pd.Series) -> Distribution:
    few_integers = field.is_whole and train.nunique() <= MAX_CATEGORIES
    if field.discrete or few_integers:
        return _categories(field, train, synthetic, by_value=few_integers)
    if field.ordered:
        return _ordered(field, as_floats(train, field), as_floats(synthetic, field))
    return _ordered(field, _lengths(train), _lengths(synthetic))


def _lengths(texts: pd.Series) -> np.ndarray:
    return texts.astype("string").str.len().astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)


def _categories(field: Field, train: pd.Series, synthetic: pd.Series, *, by_value: bool) -> Distribution:
    train_counts = train.astype("string").dropna().value_counts()
    shown = [str(name) for name in train_counts.index if train_counts[name] >= MIN_TRAIN_ROWS][
        :MAX_CATEGORIES
    ]
    shown = sorted(shown, key=int) if by_value else shown

    def shares(column: pd.Series) -> list[float]:
        counts = column.astype("string").dropna().value_counts()
        of_shown = [int(counts.get(name, 0)) for name in shown]
        other, missing = int(counts.sum()) - sum(of_shown), int(column.isna().sum())
        return [count / len(column) for count in (*of_shown, other, missing)]

    labels = [*shown, OTHER_LABEL, MISSING_LABEL]
    return _without_empty(
        Distribution(
            field=field.name,
            type=field.type,
            kind="categories",
            labels=labels,
            train=shares(train),
            synthetic=shares(synthetic),
        )
    )


def _ordered(field: Field, train: np.ndarray, synthetic: np.ndarray) -> Distribution:
    present = train[~np.isnan(train)]
    edges = (
        _filled_edges(_round_edges(present), present) if len(present) >= MIN_HISTOGRAM_ROWS else np.empty(0)
    )

    def shares(values: np.ndarray) -> list[float]:
        inside = values[~np.isnan(values)]
        counts = np.bincount(np.searchsorted(edges, inside, side="right"), minlength=len(edges) + 1)
        return [float(count) / len(values) for count in (*counts, len(values) - len(inside))]

    return _without_empty(
        Distribution(
            field=field.name,
            type=field.type,
            kind="ordered",
            labels=[*_labels(field, edges), MISSING_LABEL],
            train=shares(train),
            synthetic=shares(synthetic),
        )
    )


def _round_edges(present: np.ndarray) -> np.ndarray:
    """Return round bin edges between the 2nd and 98th percentile; the outer bins are open, so that no extreme shows."""
    low, high = np.quantile(present, [0.02, 0.98])
    if high <= low:
        return np.array([low])
    raw = (high - low) / BINS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    return np.arange(math.ceil(low / step) * step, high + step / 2, step)


def _filled_edges(edges: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the edges between bins of at least 5 training records each; an edge that would part fewer is left out."""
    below, kept, counted = np.searchsorted(np.sort(present), edges, side="left"), [], 0
    for edge, count in zip(edges, below, strict=True):
        if count - counted >= MIN_TRAIN_ROWS and len(present) - count >= MIN_TRAIN_ROWS:
            kept.append(edge)
            counted = count
    return np.array(kept)


def _labels(field: Field, edges: np.ndarray) -> list[str]:
    if not len(edges):
        return ["any"]
    texts = [field.kind.label(edge) for edge in edges]
    inner = [f"{low} to {high}" for low, high in pairwise(texts)]
    return [f"below {texts[0]}", *inner, f"{texts[-1]} and above"]


def _without_empty(distribution: Distribution) -> Distribution:
    """Return the distribution without the bins of missing and other values that hold no record of either side."""
    bins = [
        index
        for index, label in enumerate(distribution.labels)
        if label not in (MISSING_LABEL, OTHER_LABEL)
        or distribution.train[index] > 0
        or distribution.synthetic[index] > 0
    ]

    def only(values: list[Any]) -> list[Any]:
        return [values[index] for index in bins]

    return distribution.model_copy(
        update={
            "labels": only(distribution.labels),
            "train": only(distribution.train),
            "synthetic": only(distribution.synthetic),
        }
    )
