"""Three-way associations of columns, and the Wasserstein distance of numeric columns."""

from itertools import combinations

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle
from paracosm.eval.measuring.readings import interpret_distance, interpret_share
from paracosm.records.schema.schema import Field

TRIPLE_BINS = 10
MOST_TRIPLES = 60

TRIPLES = Metric(
    name="triples",
    title="Three-way associations",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Trivariate L1 accuracy over ten bins, as in Platzer & Reutterer 2021",
    what="How much of the joint distribution of three columns the synthetic records share with as many training records.",
    formula="mean over at most 60 triples of columns of 1 - total variation of their joint distribution over ten bins a column",
    read=interpret_share,
    gates=(
        Gate(
            "at least",
            0.8,
            0.8,
            0.8,
            settled_by=HELD_OUT,
            quantity="normalised",
            proof_for=(),
            why="Three columns at once show what pairs and the classifier show, with wider intervals: a proof would ask for the same twice.",
        ),
    ),
)
WASSERSTEIN = Metric(
    name="wasserstein",
    title="Wasserstein distance (numeric columns)",
    section="fidelity",
    goal="down",
    range=(0.0, float("inf")),
    source="Wasserstein-1 distance (Kantorovich 1942), in interquartile ranges of train",
    what="How far the values of a numeric column would have to move to match train; it notices wrong tails.",
    formula="mean over numeric columns of Wasserstein-1 distance / interquartile range of train",
    read=interpret_distance,
    unit="plain",
    zero=None,
)


def triples_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where there are no triples of columns to compare, or None."""
    count = sum(not field.is_text for field in context.fields)
    if count < 3:
        return Obstacle(f"triples need three columns that are not text, and there are {count}", curable=False)
    return too_few(context)


def joint_metrics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `triples` and, where there are numeric columns, `wasserstein` of a candidate."""
    from paracosm.eval.representations.features import as_floats
    from paracosm.eval.statistics.jackknife import jackknifed

    most, seed = min(context.size, context.settings.max_rows), context.settings.seed
    synthetic = candidate.iloc[drawn_rows(len(candidate), most, seed + 11)]
    real = context.train.iloc[drawn_rows(len(context.train), most, seed + 11)]
    rows = (len(synthetic), len(real))
    fields = [field for field in context.fields if not field.is_text]
    columns = (_bins(field, synthetic, real) for field in fields)
    codes = [np.column_stack(side) for side in zip(*columns, strict=True)]
    every = list(combinations(range(len(fields)), 3))
    chosen = [every[number] for number in drawn_rows(len(every), MOST_TRIPLES, seed)]
    joint = [[_joined(side, triple) for side in codes] for triple in chosen]

    def overlap(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([1 - _total_variation(one[a], other[b]) for one, other in joint]))

    estimates = {"triples": jackknifed(overlap, rows, seed, (0.0, 1.0))}
    numeric = [field for field in fields if field.ordered]
    if numeric:
        values = [
            (as_floats(synthetic[field.name], field), as_floats(real[field.name], field)) for field in numeric
        ]
        estimates["wasserstein"] = jackknifed(
            lambda a, b: float(np.mean([_scaled_wasserstein(one[a], other[b]) for one, other in values])),
            rows,
            seed,
            (0.0, np.inf),
        )
    for estimate in estimates.values():
        estimate.facts["rows_each_side"] = most
    estimates["triples"].facts["triples"] = len(chosen)
    return estimates


def _bins(field: Field, synthetic: pd.DataFrame, real: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return a column of both sides in the same bins: deciles of train, or its nine most common values and the rest."""
    from paracosm.eval.representations.features import as_floats, as_words

    if field.ordered:
        values = [as_floats(side[field.name], field) for side in (synthetic, real)]
        present = values[1][~np.isnan(values[1])]
        edges = (
            np.unique(np.quantile(present, np.linspace(0, 1, TRIPLE_BINS + 1)[1:-1]))
            if len(present)
            else np.empty(0)
        )
        return tuple(
            np.where(np.isnan(side), len(edges) + 1, np.searchsorted(edges, side, side="right"))
            for side in values
        )  # type: ignore[return-value]
    words = [as_words(side[field.name]).astype(str) for side in (synthetic, real)]
    common = pd.Series(words[1]).value_counts().index[: TRIPLE_BINS - 1]
    number = {word: index for index, word in enumerate(common)}
    return tuple(np.array([number.get(word, len(number)) for word in side]) for side in words)  # type: ignore[return-value]


def _joined(codes: np.ndarray, triple: tuple[int, int, int]) -> np.ndarray:
    """Return one code for each combination of the codes of three columns."""
    one, other, third = triple
    size = TRIPLE_BINS + 2
    return (codes[:, one] * size + codes[:, other]) * size + codes[:, third]


def _total_variation(first: np.ndarray, second: np.ndarray) -> float:
    """Return the total variation distance of two samples of codes."""
    count = int(max(first.max(), second.max())) + 1
    shares = [np.bincount(side, minlength=count) / len(side) for side in (first, second)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _scaled_wasserstein(synthetic: np.ndarray, real: np.ndarray) -> float:
    """Return the Wasserstein-1 distance in interquartile ranges of train, or in its range where that is 0."""
    from scipy.stats import wasserstein_distance

    synthetic, real = synthetic[~np.isnan(synthetic)], real[~np.isnan(real)]
    if not len(synthetic) or not len(real):
        return float(len(synthetic) != len(real))
    low, high = np.quantile(real, [0.25, 0.75])
    scale = (high - low) or float(np.ptp(real)) or 1.0
    return float(wasserstein_distance(synthetic, real) / scale)


MEASURE = Measure(
    joint_metrics,
    (TRIPLES, WASSERSTEIN),
    same_context(fidelity_candidates),
    triples_obstacle,
    Obstacle("there is no numeric column", curable=False),
)
