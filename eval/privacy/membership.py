"""Membership inference on the synthetic records: can their reader tell which real records were in train?

All attacks that see the synthetic records alone run; the strongest one is reported.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import attack_candidates
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import HELD_OUT, OUTSIDE, Gate
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
            settled_by=HELD_OUT,
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
    formula="TPR - FPR at the FPR of five non-members (1% to 5%), threshold at rank FPR (n + 1); same choice of attack",
    read=_interpret_tpr,
    zero="worst",
    unit="points",
    gates=(
        Gate(
            "at most",
            0.05,
            0.03,
            0.02,
            settled_by=HELD_OUT,
            guarded=True,
            proof_for=OUTSIDE,
            why="Its proof takes ten times the records of the AUC, which colleagues get proven; outside, a few people who are surely named count as much as the average.",
            excludes="{percent} of the training records",
        ),
    ),
)


def data_membership(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `data_mia_auc` and `data_mia_tpr` of the strongest attack on a candidate.

    Members are records of train, non-members those of control and test. Control is calibrated on test and test on control, and
    a share of the members on each, so that both sides are calibrated alike and no record is its own reference.
    """
    from paracosm.eval.statistics.attack_scores import Targets, strongest

    folds: list[Fold] = context.once("membership folds", lambda: membership_folds(context))
    by_fold = [attack_scores(context, fold.targets, candidate, fold.reference) for fold in folds]
    sides = [(slice(fold.members), slice(fold.members, None)) for fold in folds]
    scores = {
        name: np.concatenate(
            [scores[name][side[part]] for part in (0, 1) for scores, side in zip(by_fold, sides, strict=True)]
        )
        for name in by_fold[0]
    }
    members = sum(fold.members for fold in folds)
    groups = None
    if folds[0].groups is not None:
        groups = np.concatenate(
            [
                np.asarray(fold.groups)[side[part]]
                for part in (0, 1)
                for fold, side in zip(folds, sides, strict=True)
            ]
        )
    return strongest(Targets(scores, members, groups), context.settings, "data_mia")


@dataclass(frozen=True)
class Fold:
    """Records that are attacked with one table of reference records.

    Attributes:
        targets: members first, then non-members.
        members: number of members.
        groups: subject of each target; None where every record is its own subject.
        reference: real records that are neither.
    """

    targets: pd.DataFrame
    members: int
    groups: np.ndarray | None
    reference: pd.DataFrame


def membership_folds(context: Context) -> list[Fold]:
    """Return control with test as its reference, and test with control, each with its share of the members."""
    assert context.test is not None
    members = drawn_rows(len(context.train), MOST_TARGETS, context.settings.seed)
    members = np.random.default_rng([context.settings.seed, 29]).permutation(members)
    first = round(len(members) * len(context.control) / (len(context.control) + len(context.test)))
    return [
        _fold(context, members[:first], "control", context.control, context.test),
        _fold(context, members[first:], "test", context.test, context.control),
    ]


def _fold(
    context: Context, members: np.ndarray, split: str, table: pd.DataFrame, reference: pd.DataFrame
) -> Fold:
    others = drawn_rows(len(table), MOST_TARGETS, context.settings.seed + 1)
    targets = pd.concat([context.train.iloc[members], table.iloc[others]], ignore_index=True)
    groups = context.subjects_of(**{"train": members, split: others})
    return Fold(targets, len(members), groups, reference)


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


MEASURE = Measure(data_membership, (DATA_MIA_AUC, DATA_MIA_TPR), attack_candidates, membership_obstacle)
