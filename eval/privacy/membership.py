"""Can one tell from the synthetic records alone who was in train? All data-only attacks, the strongest of them."""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.privacy.table_attacks import density_scores, distance_scores, edit_scores, ratio_scores
from paracosm.eval.privacy.text_attacks import text_scores
from paracosm.eval.representations.row_distance import RowVectors
from paracosm.eval.representations.texts import documents
from paracosm.eval.statistics.attack_scores import Targets, strongest

MOST_TARGETS = 2000
"""Members, and others, that are attacked; the synthetic side is never cut."""


def data_membership(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `data_mia_auc` and `data_mia_tpr` of the strongest attack on a candidate.

    Members are records of train, others those of control; the test split is the reference that calibrates.
    """
    assert context.test is not None
    asked, members, groups = context.once("membership targets", lambda: targets(context))
    scores = attack_scores(context, asked, candidate, context.test)
    return strongest(Targets(scores, members, groups), context.settings, "data_mia")


def attack_scores(
    context: Context, asked: pd.DataFrame, candidate: pd.DataFrame, reference: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Return the scores of every attack that these fields allow."""
    vectors = context.once("row vectors", lambda: RowVectors(context.fields, context.real))
    scores = distance_scores(vectors, asked, candidate, reference)
    scores["density"] = density_scores(vectors, asked, candidate, reference)
    scores["density_ratio"] = ratio_scores(context.fields, asked, candidate, reference, context.settings.seed)
    structured = [each for each in context.fields if each.type != "text"]
    if structured:
        scores |= edit_scores(structured, asked, candidate, reference)
    if len(structured) < len(context.fields):
        scores |= text_scores(*(documents(table, context.fields) for table in (asked, candidate, reference)))
    return scores


def targets(context: Context) -> tuple[pd.DataFrame, int, np.ndarray | None]:
    """Return the records that are attacked, members first; how many are members; and the subject of each."""
    known = drawn_rows(len(context.train), MOST_TARGETS, context.settings.seed)
    unseen = drawn_rows(len(context.control), MOST_TARGETS, context.settings.seed + 1)
    table = pd.concat([context.train.iloc[known], context.control.iloc[unseen]], ignore_index=True)
    return table, len(known), context.subjects_of(train=known, control=unseen)
