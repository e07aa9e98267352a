"""Membership inference on the synthetic records: can their reader tell which real records were in train?

All attacks that see the synthetic records alone run; the strongest one is reported.
"""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import attack_candidates
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import CONTROL, OUTSIDE, Gate
from paracosm.eval.measuring.measure import Measure, membership_obstacle
from paracosm.eval.measuring.metric import Estimate, Metric, Result
from paracosm.eval.measuring.readings import interpret_membership, interpret_true_positives

MOST_TARGETS = 2000
"""Members, and non-members, that are attacked; the synthetic side is never cut."""
WORST_CASE = "a copy of train"


def _interpret_auc(result: Result) -> str:
    return interpret_membership(result, WORST_CASE)


def _interpret_tpr(result: Result) -> str:
    return interpret_true_positives(result, WORST_CASE)


DATA_MIA_AUC = Metric(
    name="data_mia_auc",
    title="Membership inference on the synthetic records: AUC",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="DOMIAS (van Breugel et al. 2023), LevAtt, GAN-Leaks (Chen et al. 2020), The Canary's Echo (Meeus et al. 2025)",
    what="How often the strongest attack that sees the synthetic records alone ranks a training record above a non-member.",
    formula="AUC of the attack that is strongest on one half of the targets, measured on the other half, and the other way round",
    read=_interpret_auc,
    zero="worst",
    unit="plain",
    gates=(
        Gate(
            "at most",
            0.6,
            0.575,
            0.55,
            settled_by=CONTROL,
            guarded=True,
            why="That somebody was a patient or a client may itself be secret, to colleagues too.",
        ),
    ),
)
DATA_MIA_TPR = Metric(
    name="data_mia_tpr",
    title="Membership inference on the synthetic records: true positives at a low false positive rate",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source="Carlini et al. 2022, Membership Inference Attacks From First Principles: TPR at a low FPR, minus that FPR",
    what="Share of training records that the strongest attack identifies at a threshold few non-members pass, minus their share.",
    formula="TPR - FPR at FPR 1% (5% below 1,000 non-members), threshold at rank FPR (n + 1); same choice of attack",
    read=_interpret_tpr,
    zero="worst",
    unit="points",
    gates=(
        Gate(
            "at most",
            0.05,
            0.03,
            0.02,
            settled_by=CONTROL,
            guarded=True,
            proof_for=OUTSIDE,
            why="Its proof takes ten times the records of the AUC, which colleagues get proven; outside, a few people who are surely named count as much as the average.",
            excludes="{percent} of the training records",
        ),
    ),
)


def data_membership(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `data_mia_auc` and `data_mia_tpr` of the strongest attack on a candidate.

    Members are records of train, non-members those of control; the test split is the reference that calibrates.
    """
    from paracosm.eval.statistics.attack_scores import Targets, strongest

    assert context.test is not None
    table, members, groups = context.once("membership targets", lambda: targets(context))
    scores = attack_scores(context, table, candidate, context.test)
    return strongest(Targets(scores, members, groups), context.settings, "data_mia")


def attack_scores(
    context: Context, table: pd.DataFrame, candidate: pd.DataFrame, reference: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Return the scores of every attack that the fields allow, one per record of `table`."""
    from paracosm.eval.privacy.table_attacks import (
        density_scores,
        distance_scores,
        edit_scores,
        ratio_scores,
    )
    from paracosm.eval.privacy.text_attacks import text_scores
    from paracosm.eval.representations.row_distance import RowVectors
    from paracosm.eval.representations.texts import documents

    vectors = context.once("row vectors", lambda: RowVectors(context.fields, context.real))
    scores = distance_scores(vectors, table, candidate, reference)
    scores["density"] = density_scores(vectors, table, candidate, reference)
    scores["density_ratio"] = ratio_scores(context.fields, table, candidate, reference, context.settings.seed)
    structured = [field for field in context.fields if not field.is_text]
    if structured:
        scores |= edit_scores(structured, table, candidate, reference)
    if len(structured) < len(context.fields):
        scores |= text_scores(*(documents(side, context.fields) for side in (table, candidate, reference)))
    return scores


def targets(context: Context) -> tuple[pd.DataFrame, int, np.ndarray | None]:
    """Return the records that are attacked, members first; how many are members; and the subject of each."""
    members = drawn_rows(len(context.train), MOST_TARGETS, context.settings.seed)
    others = drawn_rows(len(context.control), MOST_TARGETS, context.settings.seed + 1)
    table = pd.concat([context.train.iloc[members], context.control.iloc[others]], ignore_index=True)
    return table, len(members), context.subjects_of(train=members, control=others)


MEASURE = Measure(data_membership, (DATA_MIA_AUC, DATA_MIA_TPR), attack_candidates, membership_obstacle)
