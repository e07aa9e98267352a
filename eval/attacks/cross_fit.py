"""Cross-fitted membership inference: two adapters on two halves of train, each attacked with the other half as non-members.

A table keeps few records away from training, so that an attack on the adapter knows few non-members and its interval is wide. Here
every training record is once a member and once a non-member. What is attacked are two adapters that were trained as the released
one was, each on half as many records: the way of training is judged, on records that are easier to memorise because they are
fewer. It costs about one training more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import Gate
from paracosm.eval.measuring.measure import Measure, too_few_subjects
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.readings import interpret_membership, interpret_true_positives

TRAINING = "training records"
WORST_CASE = "a model that was made to memorise"
SOURCE = "Attacks as for `adapter_mia_auc`, on cross-fitted models (sample splitting as in Chernozhukov et al. 2018)"


def cross_fit_obstacle(context: Context) -> Obstacle | None:
    """Return why no adapters are trained on halves of train, or None."""
    from paracosm.eval.attacks.attack_training import training_obstacle
    from paracosm.generate.strategies.combined import holds_columns

    if obstacle := training_obstacle(context, "cross_fit"):
        return obstacle
    if context.adapter is None or holds_columns(context.adapter):
        return Obstacle("cross-fitting is for adapters that write whole records", curable=False)
    if len(context.train) < 4 * FEWEST_ROWS:
        return Obstacle(f"only {len(context.train)} training records; at least {4 * FEWEST_ROWS} are needed")
    return too_few_subjects(context, ("train",))


def cross_fit(context: Context, _: object) -> dict[str, Estimate]:
    """Return `cross_fit_auc` and `cross_fit_tpr`: the strongest attack on two adapters that were trained on halves of train.

    Scores become ranks within each adapter, members and non-members alike, since the two adapters need not be equally good. A
    record stands once on each side; both are resampled apart, which makes the interval too wide rather than too narrow.
    """
    from paracosm.eval.statistics.attack_scores import Targets, strongest

    halves, scores, subjects = _scores_of_halves(context)
    sides = [np.flatnonzero(half) for half in (*halves, *~halves)]
    joined = {
        name: np.concatenate(
            [_ranks(under[name])[rows] for under, rows in zip((*scores, *scores), sides, strict=True)]
        )
        for name in scores[0]
    }
    groups = None if subjects is None else subjects[np.concatenate(sides)]
    targets = Targets(joined, int(halves.sum()), groups)
    return strongest(targets, context.settings, "cross_fit")


def _ranks(scores: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return rankdata(scores) / len(scores)


def _scores_of_halves(
    context: Context,
) -> tuple[np.ndarray, Sequence[Mapping[str, np.ndarray]], np.ndarray | None]:
    """Train both adapters, or read what an earlier evaluation kept of them.

    Returns:
        Which of the attacked records each adapter was trained on (2 x records), the scores of each attack under each adapter, and
        the subjects of the records. Records that one of the adapters cannot write are left out.
    """
    from paracosm.eval.attacks.attack_training import ShadowJob, ShadowTraining, table_digest
    from paracosm.eval.attacks.likelihoods.likelihood import rows_in_domain
    from paracosm.eval.attacks.shadow_models import complementary_halves, shadow_recipe

    assert context.attackers is not None
    settings, subjects = context.settings, context.subjects.get("train")
    groups = np.arange(len(context.train)) if subjects is None else subjects
    halves = complementary_halves(groups, 2, settings.seed)
    allowed, control = (
        table[rows_in_domain(table, context.schema)] for table in (context.train, context.control)
    )
    rows = allowed.index.to_numpy()[drawn_rows(len(allowed), settings.attacked_records, settings.seed)]
    known = control.iloc[drawn_rows(len(control), settings.attacked_records, settings.seed)]
    targets = pd.concat([context.train.iloc[rows], known], ignore_index=True)
    query = f"scores of {len(rows)} records, and known ones, in {table_digest(targets)}"
    jobs = [
        ShadowJob(
            f"half-{number}",
            allowed[half[allowed.index]].reset_index(drop=True),
            control.reset_index(drop=True),
            shadow_recipe(context.attackers.recipe, number),
            query,
        )
        for number, half in enumerate(halves)
    ]
    training = ShadowTraining(context.attackers, context.schema, "cross-fitted model")
    scores = training.train_and_read(jobs, lambda folder: _read(context, folder, targets, len(rows)))
    written = np.all([np.isfinite(under["loss"]) for under in scores], axis=0)
    kept = [{name: values[written] for name, values in under.items()} for under in scores]
    return halves[:, rows[written]], kept, None if subjects is None else subjects[rows[written]]


def _read(context: Context, folder: Path, targets: pd.DataFrame, count: int) -> dict[str, np.ndarray]:
    """Return the scores of the first `count` targets under an adapter, NaN for one that it cannot write; the others are known."""
    from paracosm.eval.attacks.likelihood_attacks import attack_scores
    from paracosm.eval.attacks.likelihoods.of_adapter import (
        adapter_likelihoods,
        base_likelihoods,
        encoded,
        learnt_part,
    )
    from paracosm.eval.attacks.likelihoods.of_values import with_values
    from paracosm.finetune.models.trained_model import load_codec
    from paracosm.records.schema.learnt_part import learnt_columns
    from paracosm.records.schema.table import to_records

    codec, masks = load_codec(folder)
    records, rows, _ = encoded(targets, codec, masks)
    plain = to_records(targets.iloc[rows], codec.schema)
    assert context.attackers is not None
    learnt = learnt_columns(codec.schema, context.attackers.recipe.finetune.loss, texts_follow=False)
    if learnt is not None:
        records = [learnt_part(record, codec, learnt) for record in records]
    found = attack_scores(
        with_values(adapter_likelihoods(folder, codec, masks, records), codec, plain, learnt, fitted=True),
        with_values(base_likelihoods(folder, codec, masks, records), codec, plain, learnt, fitted=False),
        plain,
        known=rows >= count,
    )
    scores = {}
    for name, values in found.items():
        every = np.full(len(targets), np.nan)
        every[rows] = values
        scores[name] = every[:count]
    return scores


def _alone(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    return {"synthetic": (context, synthetic)}


def _interpret_auc(result: Result) -> str:
    return interpret_membership(result, WORST_CASE)


def _interpret_tpr(result: Result) -> str:
    return interpret_true_positives(result, WORST_CASE)


CROSS_FIT_AUC = Metric(
    name="cross_fit_auc",
    title="Membership inference on cross-fitted models: AUC",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source=SOURCE,
    what="How often the strongest attack on adapters that were trained on one half of train ranks a record of that half above one of the "
    "other half; `cross_fit` only.",
    formula="as `adapter_mia_auc`, of two adapters trained on complementary halves of train, each with the other half as non-members",
    read=_interpret_auc,
    zero=None,
    unit="plain",
    gates=(
        Gate(
            "at most",
            0.6,
            0.575,
            0.55,
            settled_by=TRAINING,
            why="Where it is measured, it gives the proof in place of `adapter_mia_auc`, with many more non-members.",
        ),
    ),
    anchors="adapter",
)
CROSS_FIT_TPR = Metric(
    name="cross_fit_tpr",
    title="Membership inference on cross-fitted models: true positives at a low false positive rate",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source=SOURCE,
    what="Share of the records of one half of train that the strongest attack on adapters trained on it identifies at a threshold few records "
    "of the other half pass, minus their share; `cross_fit` only.",
    formula="as `data_mia_tpr`",
    read=_interpret_tpr,
    zero=None,
    unit="points",
    gates=(
        Gate(
            "at most",
            0.05,
            0.03,
            0.02,
            settled_by=TRAINING,
            why="As for `cross_fit_auc`.",
            excludes="{percent} of the training records",
        ),
    ),
    anchors="adapter",
)
MEASURE = Measure(cross_fit, (CROSS_FIT_AUC, CROSS_FIT_TPR), _alone, cross_fit_obstacle, own_threads=True)
