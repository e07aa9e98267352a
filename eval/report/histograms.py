"""Distributions to look at: train beside synthetic, field by field, as shares of bins. No single record shows."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import DISCRETE, NUMERIC
from paracosm.eval.representations.features import SECONDS_A_DAY, as_floats
from paracosm.records.schema.schema import Field

BINS = 14
MOST_CATEGORIES = 12
FEWEST_TRAIN_ROWS = 5
MISSING_LABEL = "(missing)"
OTHER_LABEL = "(other)"


@dataclass(frozen=True)
class Distribution:
    """Shares of train and of synthetic records in the same bins."""

    field: str
    type: str
    kind: str
    """`ordered` bins (numbers, dates, text lengths) or `categories`."""
    labels: list[str]
    train: list[float]
    synthetic: list[float]

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def distributions(
    fields: Sequence[Field], train: pd.DataFrame, synthetic: pd.DataFrame
) -> list[Distribution]:
    """Return one distribution a field. A category with fewer than 5 training records counts as `(other)`."""
    return [_distribution(each, train[each.name], synthetic[each.name]) for each in fields]


def _distribution(field: Field, train: pd.Series, synthetic: pd.Series) -> Distribution:
    few = field.type == "integer" and train.nunique() <= MOST_CATEGORIES
    if field.type in DISCRETE or few:
        return _categories(field, train, synthetic, by_value=few)
    if field.type in NUMERIC:
        known, ours = as_floats(train, field), as_floats(synthetic, field)
    else:
        known, ours = (
            side.astype("string").str.len().astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
            for side in (train, synthetic)
        )
    return _ordered(field, known, ours)


def _categories(field: Field, train: pd.Series, synthetic: pd.Series, *, by_value: bool) -> Distribution:
    known = train.astype("string").dropna().value_counts()
    shown = [str(name) for name in known.index if known[name] >= FEWEST_TRAIN_ROWS][:MOST_CATEGORIES]
    shown = sorted(shown, key=int) if by_value else shown

    def shares(column: pd.Series) -> list[float]:
        counts = column.astype("string").dropna().value_counts()
        kept = [int(counts.get(name, 0)) for name in shown]
        return [
            count / len(column) for count in (*kept, int(counts.sum()) - sum(kept), int(column.isna().sum()))
        ]

    return _without_empty(
        Distribution(
            field.name,
            field.type,
            "categories",
            [*shown, OTHER_LABEL, MISSING_LABEL],
            shares(train),
            shares(synthetic),
        )
    )


def _ordered(field: Field, train: np.ndarray, synthetic: np.ndarray) -> Distribution:
    present = train[~np.isnan(train)]
    edges = _round_edges(present) if len(present) else np.empty(0)
    labels = _labels(field, edges)

    def shares(values: np.ndarray) -> list[float]:
        inside = values[~np.isnan(values)]
        counts = np.bincount(np.searchsorted(edges, inside, side="right"), minlength=len(edges) + 1)
        return [float(count) / len(values) for count in (*counts, len(values) - len(inside))]

    return _without_empty(
        Distribution(
            field.name, field.type, "ordered", [*labels, MISSING_LABEL], shares(train), shares(synthetic)
        )
    )


def _round_edges(present: np.ndarray) -> np.ndarray:
    """Return round bin edges between the 2nd and 98th percentile; the outer bins are open, so no extreme shows."""
    low, high = np.quantile(present, [0.02, 0.98])
    if high <= low:
        return np.array([low])
    raw = (high - low) / BINS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    return np.arange(math.ceil(low / step) * step, high + step / 2, step)


def _labels(field: Field, edges: np.ndarray) -> list[str]:
    if not len(edges):
        return ["any"]
    marks = [_mark(field, edge) for edge in edges]
    inner = [f"{one} to {other}" for one, other in pairwise(marks)]
    return [f"below {marks[0]}", *inner, f"{marks[-1]} and above"]


def _mark(field: Field, edge: float) -> str:
    if field.type == "datetime":
        return (pd.Timestamp("2000-01-01") + pd.Timedelta(seconds=edge * SECONDS_A_DAY)).strftime("%Y-%m-%d")
    return f"{edge:,.6g}"


def _without_empty(distribution: Distribution) -> Distribution:
    kept = [
        number
        for number, label in enumerate(distribution.labels)
        if label not in (MISSING_LABEL, OTHER_LABEL)
        or distribution.train[number] > 0
        or distribution.synthetic[number] > 0
    ]

    def only(values: list[Any]) -> list[Any]:
        return [values[number] for number in kept]

    return Distribution(
        distribution.field,
        distribution.type,
        distribution.kind,
        only(distribution.labels),
        only(distribution.train),
        only(distribution.synthetic),
    )
