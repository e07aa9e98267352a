"""Pairwise associations: how much of the relation of two columns the synthetic records keep, and the pair that is worst."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from paracosm.eval.fidelity.associations import (
    Associations,
    KeptAssociation,
    associations_of,
    kept_share,
    structured_fields,
)
from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.measuring.readings import beside_anchor, too_close

MOST_PAIRS = 3000


def _interpret(result: Result) -> str:
    facts, floor = result.synthetic.facts, result.estimates.get("floor")
    return (
        f"The synthetic records keep {percentage(result.synthetic.value, 1)} of the association of the "
        f"{facts['related_pairs']} pairs of columns that are related"
        f"{beside_anchor(result.ceiling, 'fresh real records reach {}')}"
        f"{beside_anchor(floor, 'shuffled columns {}')}.{too_close(result)}"
    )


def _interpret_worst(result: Result) -> str:
    facts = result.synthetic.facts
    change = f"{facts['change']:.2f}, as a difference of Cramér's V"
    if not facts["beyond_chance"]:
        return (
            f"No association of two columns differs by more than chance explains; the largest change is that of {facts['pair']} "
            f"({change})."
        )
    return (
        f"Worst: {facts['pair']}. Their association changed by {change}; chance explains the largest change of "
        f"{facts['pairs']} pairs with probability {facts['p_value']:.2g}."
    )


PAIRS = Metric(
    name="pairs",
    title="Pairwise associations",
    section="fidelity",
    goal="up",
    range=(float("-inf"), float("inf")),
    source="Share of explained association, as R2: Pearson's phi2 of contingency tables and squared correlations of ranks, "
    "without sampling noise",
    what="How much of the association of two columns the synthetic records keep; 1 is what fresh real records keep on average.",
    formula="1 - D / A over the related pairs, weighted by 1 / V: D = squared difference of the correlations of all functions of "
    "two columns (ranks, their squares, categories), A = their squared size in train, both minus their sampling variance",
    read=_interpret,
    gates=(
        Gate(
            "at least",
            0.8,
            0.8,
            0.8,
            settled_by=HELD_OUT,
            why="Analyses rest on relations of two columns, whoever the reader is.",
            excludes="pairs of columns that keep less than {percent} of their association",
        ),
    ),
)
WORST_PAIR = Metric(
    name="worst_pair",
    title="Worst pair of columns: change of association",
    section="fidelity",
    goal="down",
    range=(0.0, float("inf")),
    source="Permutation test of the largest difference (Westfall & Young 1993); Cramér's V (Cramér 1946)",
    what="How much the association of two columns changed most, where chance does not explain it; 0 where chance explains every "
    "change.",
    formula="largest change of Cramér's V (for ranks: of the correlation) among the pairs, and columns with all their pairs, that "
    "differ from train more than 99% of random exchanges of records between both sides do anywhere",
    read=_interpret_worst,
    unit="plain",
    zero=None,
    gates=(
        Gate(
            "at most",
            0.2,
            0.15,
            0.1,
            settled_by=HELD_OUT,
            proof_for=(),
            why="One broken relation hides in an average. That none is found in a small table proves little.",
        ),
    ),
)


def pairs_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where there are no pairs of columns to compare, or None."""
    count = len(structured_fields(context))
    if count < 2:
        return Obstacle(f"pairs need two columns that are not text, and there are {count}", curable=False)
    return too_few(context)


@dataclass(frozen=True)
class Pair:
    """Two columns, with the difference of their association."""

    columns: tuple[str, str]
    rank: int
    """The smaller number of functions of both columns: the largest possible squared association."""
    association: KeptAssociation
    leading: np.ndarray
    """Squared difference in the first functions alone (ranks, the commonest category), under exchanges."""

    @property
    def name(self) -> str:
        """Both columns."""
        return " × ".join(self.columns)

    @property
    def change(self) -> float:
        """The change of the association beyond sampling noise, on the scale of Cramér's V."""
        return float(np.sqrt(max(self.association.exchanged.distance[0], 0.0) / self.rank))


def pair_associations(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `pairs` (where two columns are related) and `worst_pair` of a candidate against train.

    Columns become orthonormal functions: the rank and its square, missing or not, categories. The association of two columns is
    the matrix of correlations of their functions; its squared size is Pearson's phi squared. Sampling adds the variance of the
    correlations to a squared difference. It is subtracted pair by pair, so that samples of any sizes can be compared and fresh
    real records keep 1 on average.
    """
    associations = associations_of(context, candidate)
    pairs = _pairs(context, associations)
    if not pairs:
        return {}
    related = [pair for pair in pairs if associations.related(pair.association.exchanged)]
    sizes = associations.blocks.sizes
    facts = {
        "rows": sizes[0],
        "reference_rows": sizes[1],
        "pairs": len(pairs),
        "related_pairs": len(related),
    }
    breakdown = {pair.name: max(0.0, 1.0 - pair.change) for pair in pairs}
    estimates = {"worst_pair": _worst_pair(pairs, related, facts)}
    kept = kept_share([pair.association for pair in related]) if related else None
    if kept is not None:
        estimates["pairs"] = Estimate(*kept, breakdown=breakdown, facts=facts)
    return estimates


def _pairs(context: Context, associations: Associations) -> list[Pair]:
    """Return all pairs of columns, or as many random ones as are compared at most."""
    moments, names = associations.moments, associations.names
    every = list(combinations(range(len(names)), 2))
    pairs = []
    for number in drawn_rows(len(every), MOST_PAIRS, context.settings.seed):
        columns = every[number]
        rank = min(moments.functions[column].shape[1] for column in columns)
        exchanged = moments.difference(columns, associations.exchanges)
        association = KeptAssociation(
            exchanged,
            moments.difference(columns, associations.resamples),
            # Squared sizes would let a few columns that hold the same twice decide alone.
            1 / float(np.sqrt(rank * max(exchanged.pooled, 1e-12))),
        )
        leading = moments.difference(columns, associations.exchanges, 1).observed
        pairs.append(Pair((names[columns[0]], names[columns[1]]), rank, association, leading))
    return pairs


def _worst_pair(pairs: Sequence[Pair], related: Sequence[Pair], facts: dict[str, int]) -> Estimate:
    """Return the largest change among the pairs that differ beyond chance, themselves or as pairs of one column."""
    from paracosm.eval.statistics.largest_difference import largest_difference

    statistics: dict[tuple[str, ...], np.ndarray] = {}
    for pair in pairs:
        statistics[(*pair.columns, "leading")] = pair.leading
        statistics[pair.columns] = pair.association.exchanged.observed
    for column in {name for pair in related for name in pair.columns}:
        own = [pair.association.exchanged.observed for pair in related if column in pair.columns]
        statistics[(column,)] = np.sum(own, axis=0)
    test = largest_difference(statistics)
    shown = {name[:2] for name in test.beyond_chance}
    candidates = [
        pair for pair in pairs if pair.columns in shown or any((name,) in shown for name in pair.columns)
    ]
    worst = max(candidates or pairs, key=lambda pair: pair.change)
    value = worst.change if candidates else 0.0
    breakdown = {pair.name: pair.change for pair in sorted(candidates, key=lambda pair: -pair.change)}
    return Estimate(
        value,
        value,
        value,
        breakdown,
        facts
        | {
            "pair": worst.name,
            "change": round(worst.change, 6),
            "beyond_chance": bool(candidates),
            "p_value": test.p_value,
        },
    )


MEASURE = Measure(
    pair_associations,
    (PAIRS, WORST_PAIR),
    same_context(fidelity_candidates),
    pairs_obstacle,
    Obstacle("no two columns are related", curable=False),
)
