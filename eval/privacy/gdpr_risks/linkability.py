"""Linkability: can two halves of a record be linked because both lie next to the same synthetic record?"""

from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, OUTSIDE, Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Estimate, Metric
from paracosm.eval.measuring.non_members import non_member_candidates
from paracosm.eval.privacy.gdpr_risks.targets import RiskTargets, interpret_risk, joined, risk, risks_obstacle

PARTITIONS = 5
LINK_NEIGHBOURS = 3

LINKABILITY = Metric(
    name="linkability",
    title="Linkability risk",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="WP216 (Article 29 Working Party 2014); Giomi et al. 2023",
    what="Whether two halves of a training record can be linked because both lie next to the same synthetic record.",
    formula="(r_train - r_control) / (1 - r_control), r: share of targets whose halves share one of 3 nearest synthetic records",
    read=interpret_risk,
    zero="worst",
    gates=(
        Gate(
            "at most",
            0.15,
            0.1,
            0.05,
            settled_by=HELD_OUT,
            guarded=True,
            proof_for=OUTSIDE,
            why="It takes an attacker with two other tables of the same people; inside, access rules stand against that, outside nothing does.",
        ),
    ),
)


def linkability(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `linkability` of a candidate.

    The columns are divided in two at random, five times; a link succeeds if the three synthetic records nearest in one half
    and the three nearest in the other have one in common.
    """
    from scipy.stats import hypergeom

    from paracosm.eval.representations.row_distance import nearest

    real = RiskTargets.of(context)
    random = np.random.default_rng([context.settings.seed, 43])
    blocks, linked = real.vectors.blocks(candidate), []
    for _ in range(PARTITIONS):
        halves = np.array_split(random.permutation(len(blocks)), 2)
        one, other = (
            nearest(joined(real.blocks, half), joined(blocks, half), LINK_NEIGHBOURS).index for half in halves
        )
        linked.append((one[:, :, None] == other[:, None, :]).any(axis=(1, 2)))
    estimate = risk(np.array(linked), real.members)
    # A naive guess draws three synthetic records twice at random.
    naive = 1 - float(hypergeom.pmf(0, len(candidate), *[min(LINK_NEIGHBOURS, len(candidate))] * 2))
    return {"linkability": replace(estimate, facts=estimate.facts | {"rate_of_naive_guess": naive})}


MEASURE = Measure(linkability, (LINKABILITY,), non_member_candidates, risks_obstacle)
