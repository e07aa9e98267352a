"""Three-way associations of columns, and the Wasserstein distance of numeric columns."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from paracosm.eval.fidelity.associations import Associations, KeptAssociation, associations_of, kept_share
from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.measuring.readings import beside_anchor, interpret_distance, too_close

MOST_TRIPLES = 60
MOST_FUNCTIONS = 3
"""Functions of a column: the number of products of three columns grows with the cube."""


def _interpret(result: Result) -> str:
    return (
        f"The synthetic records keep {percentage(result.synthetic.value, 1)} of the joint association of three columns"
        f"{beside_anchor(result.ceiling, 'fresh real records reach {}')}"
        f"{beside_anchor(result.estimates.get('floor'), 'shuffled columns {}')}.{too_close(result)}"
    )


TRIPLES = Metric(
    name="triples",
    title="Three-way associations",
    section="fidelity",
    goal="up",
    range=(float("-inf"), float("inf")),
    source="Lancaster 1951, partition of the chi-squared statistic of three factors; share of explained association without "
    "sampling noise",
    what="How much of the joint association of three columns the synthetic records keep; 1 is what fresh real records keep on "
    "average.",
    formula="as `pairs`, over at most 60 triples with two related pairs, of the products of functions of two and of three columns",
    read=_interpret,
    gates=(
        Gate(
            "at least",
            0.8,
            0.8,
            0.8,
            settled_by=HELD_OUT,
            why="Models rest on relations of more than two columns, whoever the reader is.",
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
    """Return `triples`, where three columns are related, and `wasserstein`, where there are numeric columns."""
    estimates = {}
    if (triples := _triples(context, candidate)) is not None:
        estimates["triples"] = triples
    if any(field.ordered for field in context.fields):
        estimates["wasserstein"] = _wasserstein(context, candidate)
    return estimates


def _triples(context: Context, candidate: pd.DataFrame) -> Estimate | None:
    """Return the share of the association of three columns that a candidate keeps; None where no three are related.

    The association of three columns is that of each pair and, beyond these, the mean products of functions of all three.
    """
    associations = associations_of(context, candidate)
    columns = range(len(associations.names))
    pairs = {pair: _association(associations, pair) for pair in combinations(columns, 2)}
    related = {pair for pair, found in pairs.items() if associations.related(found.exchanged)}
    chosen = [
        triple
        for triple in combinations(columns, 3)
        if sum(pair in related for pair in combinations(triple, 2)) >= 2
    ]
    if not chosen:
        return None
    compared, breakdown = [], {}
    for number in drawn_rows(len(chosen), MOST_TRIPLES, context.settings.seed):
        triple = chosen[number]
        parts = [_association(associations, triple), *(pairs[pair] for pair in combinations(triple, 2))]
        size = sum(max(part.exchanged.pooled, 0.0) for part in parts)
        compared += [replace(part, weight=1 / float(np.sqrt(size))) for part in parts]
        left = sum(float(part.exchanged.distance[0]) for part in parts)
        name = " × ".join(associations.names[column] for column in triple)
        breakdown[name] = 1.0 - left / max(size, 1e-12)
    if (kept := kept_share(compared)) is None:
        return None
    sizes = associations.blocks.sizes
    facts = {"rows": sizes[0], "reference_rows": sizes[1], "triples": len(breakdown)}
    return Estimate(*kept, breakdown=breakdown, facts=facts)


def _association(associations: Associations, columns: tuple[int, ...]) -> KeptAssociation:
    moments = associations.moments
    exchanged, resampled = (
        moments.difference(columns, draws, MOST_FUNCTIONS)
        for draws in (associations.exchanges, associations.resamples)
    )
    return KeptAssociation(exchanged, resampled, 1.0)


def _wasserstein(context: Context, candidate: pd.DataFrame) -> Estimate:
    from paracosm.eval.representations.features import as_floats
    from paracosm.eval.statistics.jackknife import jackknifed

    most, seed = min(context.size, context.settings.max_rows), context.settings.seed
    synthetic = candidate.iloc[drawn_rows(len(candidate), most, seed + 11)]
    real = context.train.iloc[drawn_rows(len(context.train), most, seed + 11)]
    values = [
        (as_floats(synthetic[field.name], field), as_floats(real[field.name], field))
        for field in context.fields
        if field.ordered
    ]
    estimate = jackknifed(
        lambda a, b: float(np.mean([_scaled_wasserstein(one[a], other[b]) for one, other in values])),
        (len(synthetic), len(real)),
        seed,
        (0.0, np.inf),
    )
    estimate.facts["rows_each_side"] = most
    return estimate


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
    Obstacle("no three columns are related, or there is no numeric column", curable=False),
)
