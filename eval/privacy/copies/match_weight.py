"""Match weights (record linkage): does a released record share more rare cells with one training record than chance gives?

A record that was made from one person agrees with that person in most cells, and the rarer these are, the less likely it is by
chance. This sees one changed cell in tables of a few categories, where every record lies near many others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from paracosm.eval.measuring.found_counts import interpret_count
from paracosm.eval.measuring.gate import COPIES, Gate
from paracosm.eval.measuring.metric import Estimate, Metric
from paracosm.eval.privacy.copies.exact import rate_of
from paracosm.eval.privacy.copies.natural_rate import THREE_TESTS, beyond_chance

EXCEEDED = 0.01
"""Share of the reference records above the weight that counts as a match."""
MATCHING = (
    "released records {matches|match} one training record more closely than 99% of real records match another"
)

MATCH_WEIGHT = Metric(
    name="match_weight",
    title="Record linkage: match weight with one training record",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Match weights of record linkage (Fellegi & Sunter 1969), against those within train; Newcombe 1998",
    what="Share of synthetic records that agree with one training record in more, and rarer, cells than 99% of training records do with any "
    "other one, minus the share that would by chance.",
    formula="share with a weight above the 99% quantile within train - 1%; weight: sum over the cells that agree of log2(1 / share of "
    "records with this cell) - half of that sum over the others, minus half of the weight with the second best record; lower bound at 99%",
    read=interpret_count,
    unit="points",
    zero="worst",
    gates=(
        Gate(
            "at most",
            0.0,
            0.0,
            0.0,
            settled_by=COPIES,
            proof_for=(),
            why="It FAILs as soon as the count is beyond chance; a small count shows little in a table of few columns.",
        ),
    ),
)


@dataclass(frozen=True)
class MatchWeights:
    """The best match of each record among the training records.

    Attributes:
        weight: in bits; shape (rows,).
        record: number of the training record; shape (rows,).
    """

    weight: np.ndarray
    record: np.ndarray


def matches(found: MatchWeights, reference: np.ndarray, *, independent: float) -> Estimate:
    """Return `match_weight` of released records.

    Args:
        found: their best matches.
        reference: weights of real records that were not made from the training record that they match.
        independent: share of the reference records whose matches are independent.
    """
    limit = np.sort(reference)[max(0, int(np.floor((1 - EXCEEDED) * len(reference))) - 1)]
    by_nature = rate_of(reference > limit, independent)
    estimate = beyond_chance(found.weight > limit, found.record, by_nature, MATCHING, THREE_TESTS)
    return replace(estimate, facts=estimate.facts | {"bits": round(float(limit), 1)})
