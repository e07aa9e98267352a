"""Usefulness beyond one score: on synthetic records themselves, beside few real ones, and for the worst-off group."""

from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import DISCRETE, Context, subsample
from paracosm.eval.measuring.metric import NORMAL_95, Estimate
from paracosm.eval.statistics.intervals import around
from paracosm.eval.utility.tstr import EXPANDED, learn, learnt_from_train, make_task, mean_scores, resamples

FRACTIONS = (0.05, 0.1, 0.25, 1.0)
FEWEST_REAL = 20
FEWEST_IN_GROUP = 20
MOST_GROUPS = 40
HELD_BACK = 0.3


def utility_beyond(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `utility_self`, `augmentation_gain` and `worst_group` of a candidate.

    `utility_self`: the score of learners trained on seven tenths of a candidate, on its other three (TSTS); above TSTR
    the candidate is easier than reality. `augmentation_gain`: the mean over 5, 10, 25 and 100% of train (cut to `max_rows`) of the score with
    the candidate added minus the score of these real records alone. `worst_group`: over the groups that a category or a
    truth value forms in test, the smallest score with the candidate minus that with train.
    """
    assert context.test is not None
    assert context.target is not None
    task = make_task(context)
    test = subsample(context.test, context.settings.max_rows, context.settings.seed)
    test = test.dropna(subset=[context.target]).reset_index(drop=True)
    truth, weights = task.truth(test), resamples(context, len(test))
    rows = min(len(context.train), len(candidate), context.settings.max_rows)
    synthetic = subsample(candidate, rows, context.settings.seed)
    found = {"augmentation_gain": _augmentation(context, task, synthetic, test, truth, weights)}
    if (itself := _on_itself(context, task, synthetic)) is not None:
        found["utility_self"] = itself
    if (worst := _worst_group(context, task, synthetic, test, truth, weights)) is not None:
        found["worst_group"] = worst
    return found


def _on_itself(context: Context, task, candidate: pd.DataFrame) -> Estimate | None:
    order = np.random.default_rng([context.settings.seed, 73]).permutation(len(candidate))
    cut = int(len(order) * HELD_BACK)
    asked, known = (candidate.iloc[part].reset_index(drop=True) for part in (order[:cut], order[cut:]))
    asked = asked.dropna(subset=[context.target]).reset_index(drop=True)
    truth = task.truth(asked)
    if len(np.unique(truth)) < 2:
        return None
    weights = resamples(context, len(asked))
    scores = mean_scores(task, learn(context, task, known, asked, len(known)), truth, weights)["mean"]
    return _spread(scores, {"rows": len(known), "test_rows": len(asked), "score": task.score_name})


def _augmentation(
    context: Context,
    task,
    candidate: pd.DataFrame,
    test: pd.DataFrame,
    truth: np.ndarray,
    weights: np.ndarray,
) -> Estimate:
    gains, curve = [], {}
    most = min(len(context.train), context.settings.max_rows)
    for fraction in FRACTIONS:
        count = int(np.clip(round(fraction * most), min(FEWEST_REAL, most), None))
        real = subsample(context.train, count, context.settings.seed)
        both = pd.concat([real, candidate], ignore_index=True)
        learnt = (
            learnt_from_train(context, task, test, count),
            learn(context, task, both, test, len(both)),
        )
        alone, added = (mean_scores(task, each, truth, weights)["mean"] for each in learnt)
        gains.append(added - alone)
        curve |= {
            f"{fraction:.0%} of train alone": float(alone[0]),
            f"{fraction:.0%} and the candidate": float(added[0]),
        }
    facts = {"score": task.score_name, "train_rows": most, "test_rows": len(test)}
    return _spread(np.mean(gains, axis=0), facts, curve)


def _worst_group(
    context: Context,
    task,
    candidate: pd.DataFrame,
    test: pd.DataFrame,
    truth: np.ndarray,
    weights: np.ndarray,
) -> Estimate | None:
    """Return the smallest difference; its interval is widened for having been the smallest of so many (Bonferroni)."""
    ours = learn(context, task, candidate, test, len(candidate))
    # As many real rows as there are of the candidate: else what the group loses is partly for want of rows.
    real = learnt_from_train(context, task, test, len(candidate))
    differences = {}
    for each in context.fields:
        if each.type not in DISCRETE or each.name == context.target:
            continue
        for word, count in test[each.name].value_counts().items():
            rows = np.flatnonzero((test[each.name] == word).fillna(False).to_numpy(dtype=bool))
            if count < FEWEST_IN_GROUP or len(np.unique(truth[rows])) < 2 or len(differences) >= MOST_GROUPS:
                continue
            one, other = (
                mean_scores(
                    task,
                    {name: [some[rows] for some in several] for name, several in side.items()},
                    truth[rows],
                    np.maximum(weights[:, rows], 1e-12),
                )["mean"]
                for side in (ours, real)
            )
            differences[f"{each.name}: {word}"] = one - other
    if not differences:
        return None
    name = min(differences, key=lambda group: differences[group][0])
    found = _spread(differences[name], {"group": name, "groups": len(differences), "score": task.score_name})
    wider = float(np.sqrt(2 * np.log(2 * len(differences) / 0.05))) / NORMAL_95
    margin = (found.high - found.low) / 2 * max(1.0, wider)
    each = {group: float(values[0]) for group, values in differences.items()}
    return replace(found, low=found.value - margin, high=found.value + margin, breakdown=each)


def _spread(
    values: np.ndarray, facts: dict[str, object], breakdown: dict[str, float] | None = None
) -> Estimate:
    """Return the first value (all rows once) with a normal interval from the others (resamples)."""
    variance = EXPANDED**2 * float(np.nanvar(values[1:], ddof=1))
    return around(float(values[0]), variance, (-np.inf, np.inf), facts=facts, breakdown=breakdown or {})
