"""Utility beyond one score: learnability of the synthetic records, augmentation of few real ones, and the worst group."""

from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import utility_candidates
from paracosm.eval.measuring.context import Context, subsample
from paracosm.eval.measuring.measure import Measure, quicker_anchors
from paracosm.eval.measuring.metric import NORMAL_95, Estimate, Metric, Obstacle, Result
from paracosm.eval.utility.augmentation_curve import augmentation_curve, interpret_gain, scored
from paracosm.eval.utility.learners import learn, mean_scores, resamples
from paracosm.eval.utility.task import Task, make_task
from paracosm.eval.utility.tstr import utility_obstacle

FEWEST_IN_GROUP = 20
MOST_GROUPS = 40
HELD_BACK = 0.3


def _interpret_tsts(result: Result) -> str:
    text = (
        f"Learners trained on synthetic records reach {result.synthetic.value:.3f} on other synthetic records"
    )
    if result.ceiling is not None:
        text += f"; trained and tested on real training records they reach {result.ceiling.value:.3f}"
    return text + "."


def _interpret_worst_group(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"Of {facts['groups']} groups, {facts['group']} loses most: its score changes by {result.synthetic.value:+.3f} when "
        "learners are trained on synthetic instead of real records."
    )


UTILITY_SELF = Metric(
    name="utility_self",
    title="Train on synthetic, test on synthetic (TSTS): score",
    section="utility",
    goal="up",
    range=(0.0, 1.0),
    source="TSTS, as in Esteban, Hyland & Rätsch 2017",
    what="How well learners predict other synthetic records; far above TSTR, the synthetic records are simpler than real ones.",
    formula="score of learners trained on 70% of the synthetic records, on the other 30%",
    unit="plain",
    read=_interpret_tsts,
    zero=None,
)
AUGMENTATION_GAIN = Metric(
    name="augmentation_gain",
    title="Augmentation gain: few real records with synthetic ones added",
    section="utility",
    goal="up",
    range=(-1.0, 1.0),
    source="Learning curves at 5, 10, 25 and 100% of train, with and without the synthetic records",
    what="How much the score of learners with few real records improves when synthetic ones are added; below 0 they mislead.",
    formula="mean over 5, 10, 25, 100% of train of score(real + synthetic) - score(real)",
    unit="plain",
    read=interpret_gain,
)
WORST_GROUP = Metric(
    name="worst_group",
    title="Worst group: TSTR - TRTR",
    section="utility",
    goal="up",
    range=(-1.0, 1.0),
    source="TSTR - TRTR within each group of at least 20 test records; interval widened for the choice (Bonferroni)",
    what="The largest loss of predictive score in any group when learners are trained on synthetic instead of real records.",
    formula="smallest TSTR - TRTR over groups of at least 20 test records",
    unit="plain",
    read=_interpret_worst_group,
)


def utility_beyond(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `utility_self`, `augmentation_gain` and `worst_group` of a candidate.

    `utility_self`: the score of learners trained on 70% of a candidate, on its other 30% (TSTS); above TSTR the candidate is
    easier than reality. `augmentation_gain`: the mean over 5, 10, 25 and 100% of train (cut to `max_rows`) of the score with the
    candidate added minus the score of these real records alone. `worst_group`: the smallest score with the candidate minus
    that with train, over the groups that a category or a boolean forms in test.
    """
    assert context.test is not None
    assert context.target is not None
    task = make_task(context)
    test = subsample(context.test, context.settings.max_rows, context.settings.seed)
    test = test.dropna(subset=[context.target]).reset_index(drop=True)
    truth, weights = task.truth(test), resamples(context, len(test))
    rows = min(len(context.train), len(candidate), context.settings.max_rows)
    synthetic = subsample(candidate, rows, context.settings.seed)
    estimates = {"augmentation_gain": augmentation_curve(context, task, synthetic, test, truth, weights)}
    if (tsts := _train_test_on_candidate(context, task, synthetic)) is not None:
        estimates["utility_self"] = tsts
    if (worst := _worst_group(context, task, synthetic, test, truth, weights)) is not None:
        estimates["worst_group"] = worst
    return estimates


def _train_test_on_candidate(context: Context, task: Task, candidate: pd.DataFrame) -> Estimate | None:
    """Return the score on 30% of a candidate of learners trained on its other 70%; None for a constant target."""
    order = np.random.default_rng([context.settings.seed, 73]).permutation(len(candidate))
    cut = int(len(order) * HELD_BACK)
    test, train = (candidate.iloc[part].reset_index(drop=True) for part in (order[:cut], order[cut:]))
    test = test.dropna(subset=[context.target]).reset_index(drop=True)
    truth = task.truth(test)
    if len(np.unique(truth)) < 2:
        return None
    weights = resamples(context, len(test))
    scores = mean_scores(task, learn(context, task, train, test, len(train)), truth, weights)["mean"]
    return scored(scores, {"rows": len(train), "test_rows": len(test), "score": task.score_name})


def _worst_group(
    context: Context,
    task: Task,
    candidate: pd.DataFrame,
    test: pd.DataFrame,
    truth: np.ndarray,
    weights: np.ndarray,
) -> Estimate | None:
    """Return the smallest difference of any group, with an interval that allows for the choice (Bonferroni)."""
    of_candidate = learn(context, task, candidate, test, len(candidate))
    # As many real rows as the candidate has: otherwise part of the loss would come from fewer rows.
    of_train = learn(context, task, context.train, test, len(candidate))
    differences = {}
    for field in context.fields:
        if not field.discrete or field.name == context.target:
            continue
        for word, count in test[field.name].value_counts().items():
            rows = np.flatnonzero((test[field.name] == word).fillna(False).to_numpy(dtype=bool))
            if count < FEWEST_IN_GROUP or len(np.unique(truth[rows])) < 2 or len(differences) >= MOST_GROUPS:
                continue
            one, other = (
                mean_scores(
                    task,
                    {name: [prediction[rows] for prediction in of_seeds] for name, of_seeds in side.items()},
                    truth[rows],
                    np.maximum(weights[:, rows], 1e-12),
                )["mean"]
                for side in (of_candidate, of_train)
            )
            differences[f"{field.name}: {word}"] = one - other
    if not differences:
        return None
    name = min(differences, key=lambda group: differences[group][0])
    worst = scored(differences[name], {"group": name, "groups": len(differences), "score": task.score_name})
    wider = float(np.sqrt(2 * np.log(2 * len(differences) / 0.05))) / NORMAL_95
    margin = (worst.high - worst.low) / 2 * max(1.0, wider)
    breakdown = {group: float(values[0]) for group, values in differences.items()}
    return replace(
        worst,
        low=worst.value - margin,
        high=worst.value + margin,
        breakdown=breakdown,
        sampling_deviation=None,
    )


MEASURE = Measure(
    utility_beyond,
    (UTILITY_SELF, AUGMENTATION_GAIN, WORST_GROUP),
    quicker_anchors(utility_candidates),
    utility_obstacle,
    Obstacle("no group of test records is large enough", curable=False),
)
