"""Attribute inference: can a hidden cell of a record be guessed from its other cells with the synthetic records?"""

from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, OUTSIDE, Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Estimate, Metric
from paracosm.eval.measuring.non_members import non_member_candidates
from paracosm.eval.privacy.gdpr_risks.targets import (
    SAME_RANK,
    RiskTargets,
    interpret_risk,
    joined,
    risk,
    risks_obstacle,
    structured_fields,
)

NEAR_RANK = 0.05
"""A guess of a number or date is right within this share of the ranks."""
MOST_SECRETS = 12

INFERENCE = Metric(
    name="inference",
    title="Attribute inference risk",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="WP216 (Article 29 Working Party 2014); Giomi et al. 2023",
    what="Whether a hidden cell of a training record is guessed better with the synthetic records than that of a non-member.",
    formula="(r_train - r_control) / (1 - r_control), r: share of hidden cells that the nearest synthetic record gives right; "
    "mean over columns",
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
            why="It takes an attacker who knows most of a record and wants the rest; inside, access rules stand against that, outside nothing does.",
        ),
    ),
)


def inference(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `inference`: the risk that a cell is guessed from the others by the synthetic record nearest in them.

    A guess is right if categories are equal, or numbers within 5% of the ranks; mean over at most 12 columns.
    """
    from paracosm.eval.representations.row_distance import nearest

    real = RiskTargets.of(context)
    random = np.random.default_rng([context.settings.seed, 47])
    fields, blocks, codes = structured_fields(context), real.vectors.blocks(candidate), real.codes(candidate)
    secrets = np.sort(random.permutation(len(fields))[:MOST_SECRETS])
    right, naive = [], []
    for secret in secrets:
        others, numeric = np.delete(np.arange(len(fields)), secret), fields[secret].ordered
        closest = nearest(joined(real.blocks, others), joined(blocks, others), 1).index[:, 0]
        reach = NEAR_RANK / SAME_RANK if numeric else 1
        right.append(np.abs(codes[closest, secret] - real.target_codes[:, secret]) <= reach)
        guess = _naive_guess(codes[:, secret], numeric=numeric)
        naive.append(np.mean(np.abs(guess - real.target_codes[: real.members, secret]) <= reach))
    estimate = risk(np.array(right), real.members)
    breakdown = {
        fields[secret].name: risk(hits[None, :], real.members).value
        for secret, hits in zip(secrets, right, strict=True)
    }
    facts = estimate.facts | {"rate_of_naive_guess": float(np.mean(naive))}
    return {"inference": replace(estimate, breakdown=breakdown, facts=facts)}


def _naive_guess(codes: np.ndarray, *, numeric: bool) -> float:
    """Return the best guess without any other cell: the median or the most common code."""
    if numeric:
        return float(np.median(codes))
    words, counts = np.unique(codes, return_counts=True)
    return float(words[counts.argmax()])


MEASURE = Measure(inference, (INFERENCE,), non_member_candidates, risks_obstacle)
