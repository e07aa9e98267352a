"""Train on synthetic, test on real (TSTR): is a model that was trained on synthetic records as good on real ones?

Compared with training on real records (TRTR); Esteban, Hyland & Rätsch 2017.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import utility_candidates
from paracosm.eval.measuring.context import Context, subsample
from paracosm.eval.measuring.gate import TEST, Gate
from paracosm.eval.measuring.measure import Measure, same_context
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.measuring.readings import beside_anchor
from paracosm.eval.utility.learners import learn, mean_scores, resamples
from paracosm.eval.utility.task import make_task

EXPANDED = 1.12
"""Factor on the width of intervals, since resamples of a small test split reach less far than they should (Hesterberg
2015); its size was measured by bench/evaluation/coverage.py."""


def _interpret_score(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"Learners trained on synthetic records alone predict {facts['target']} on {facts['test_rows']} unseen real "
        f"records with {facts['score']} {result.synthetic.value:.3f}; "
        f"learners trained on real records, with {facts['score_on_real']:.3f}."
    )


def _interpret_ratio(result: Result) -> str:
    return f"Synthetic records keep {percentage(result.synthetic.value, 1)} of the predictive score of real records."


def _interpret_skill(result: Result) -> str:
    floor = result.estimates.get("floor")
    scores = result.synthetic.facts.get("scores_of_sets")
    text = (
        f"Of the predictive score above guessing that real records give, synthetic ones give "
        f"{percentage(result.synthetic.value)}{beside_anchor(floor, 'shuffled columns {}')}."
    )
    if scores is None:
        return text
    return f"{text} {len(scores)} sets of the same generator score {min(scores):.3f} to {max(scores):.3f}."


UTILITY_SCORE = Metric(
    name="utility_score",
    title="Train on synthetic, test on real (TSTR): score",
    section="utility",
    goal="up",
    range=(0.0, 1.0),
    source="Esteban, Hyland & Rätsch 2017, TSTR",
    what="How well learners trained on synthetic records alone predict the target of real, unseen records.",
    formula="mean of linear model and gradient boosting: AUC, macro AUC or R2 on test",
    unit="plain",
    read=_interpret_score,
)
UTILITY_RATIO = Metric(
    name="utility_ratio",
    title="TSTR / TRTR ratio: score kept",
    section="utility",
    goal="up",
    range=(0.0, float("inf")),
    source="Esteban, Hyland & Rätsch 2017, TSTR / TRTR",
    what="The share of the predictive score of real records that the synthetic records keep.",
    formula="TSTR / TRTR, paired bootstrap over test rows",
    unit="plain",
    read=_interpret_ratio,
)
UTILITY_SKILL = Metric(
    name="utility_skill",
    title="TSTR skill score: score kept above guessing",
    section="utility",
    goal="up",
    range=(float("-inf"), float("inf")),
    source="TSTR / TRTR as a skill score (Murphy 1988): (TSTR - chance) / (TRTR - chance)",
    what="The share of the predictive score above guessing that the synthetic records keep.",
    formula="(TSTR - chance) / (TRTR - chance), paired bootstrap over test rows",
    unit="plain",
    read=_interpret_skill,
    gates=(
        Gate(
            "at least",
            0.8,
            0.8,
            0.8,
            settled_by=TEST,
            why="A model that is trained on the records has to work on real ones, whoever trains it.",
            excludes="a loss of more than {lost} of the predictive skill of real records",
        ),
    ),
)


def utility_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where utility cannot be measured, or None."""
    if context.target is None:
        return Obstacle(
            "no target column was named (data.target in a recipe, --target for files)", curable=False
        )
    field = context.schema[context.target]
    if field.is_text:
        return Obstacle(
            f"the target {field.name!r} is free text, which no learner here predicts", curable=False
        )
    if len(context.fields) < 2:
        return Obstacle(f"there is no column beside the target {field.name!r}", curable=False)
    if context.test is None:
        return Obstacle(f"there is no test split of at least {FEWEST_ROWS} records")
    task = make_task(context)
    for name, table in (("train", context.train), ("test", context.test)):
        if len(np.unique(task.truth(table.dropna(subset=[field.name])))) < 2:
            return Obstacle(f"the target {field.name!r} has fewer than two values in {name}")
    return None


@dataclass(frozen=True)
class SyntheticSets:
    """The synthetic records under evaluation, and further sets of the same generator with other seeds."""

    table: pd.DataFrame
    further: Sequence[pd.DataFrame]


def utility_sets(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, Any]:
    """Return the candidates of utility, with the further sets of the generator beside the synthetic records."""
    candidates: dict[Anchor, Any] = dict(utility_candidates(context, synthetic))
    candidates["synthetic"] = SyntheticSets(synthetic, context.further)
    return candidates


def utility(context: Context, candidate: pd.DataFrame | SyntheticSets) -> dict[str, Estimate]:
    """Return the score on the test split of learners trained on a candidate, and its ratio to that of train.

    `utility_score`: mean over logistic (or ridge) regression and gradient boosting, over seeds, of the AUC (one class
    against the rest, mean of classes) or R² (never below 0). `utility_ratio`: that over the score of train.
    `utility_skill`: the ratio of the scores above chance. Both sides learn from equally many rows. Intervals: paired
    bootstrap over test rows, joined with the variance between sets where the generator made several.
    """
    further: Sequence[pd.DataFrame] = ()
    if isinstance(candidate, SyntheticSets):
        candidate, further = candidate.table, candidate.further
    assert context.test is not None
    assert context.target is not None
    task = make_task(context)
    rows = min(len(context.train), len(candidate), context.settings.max_rows)
    test = subsample(context.test, context.settings.max_rows, context.settings.seed)
    test = test.dropna(subset=[context.target]).reset_index(drop=True)
    truth, weights = task.truth(test), resamples(context, len(test))
    of_train, predictions = (learn(context, task, side, test, rows) for side in (context.train, candidate))
    real_scores, scores = (mean_scores(task, side, truth, weights) for side in (of_train, predictions))
    further_scores = [
        mean_scores(task, learn(context, task, table, test, rows), truth, weights[:1])["mean"]
        for table in further
    ]
    facts = {
        "score": task.score_name,
        "target": context.target,
        "train_rows": rows,
        "test_rows": len(test),
        "score_on_real": round(float(real_scores["mean"][0]), 6),
    }
    if further_scores:
        facts["scores_of_sets"] = [round(float(one[0]), 6) for one in (scores["mean"], *further_scores)]
    mean, real_mean, chance = scores["mean"], real_scores["mean"], task.chance
    breakdown = {name: float(values[0]) for name, values in scores.items() if name != "mean"}
    estimates = {"utility_score": _estimate(mean, further_scores, facts, breakdown)}
    if real_mean[0] > chance:
        ratios = (_ratio(one, real_mean[: len(one)]) for one in (mean, *further_scores))
        estimates["utility_ratio"] = _estimate(next(ratios), list(ratios), facts, {})
        skills = (_ratio(one - chance, real_mean[: len(one)] - chance) for one in (mean, *further_scores))
        estimates["utility_skill"] = _estimate(next(skills), list(skills), facts, {})
    return estimates


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return above / np.where(below > 1e-9, below, np.nan)


def _estimate(
    values: np.ndarray, further: list[np.ndarray], facts: dict[str, object], breakdown: dict[str, float]
) -> Estimate:
    """Return the first value (all rows once) with the widened percentile interval of the others (resamples).

    With further sets, both ends move out by the standard deviation between sets as well; since a few sets estimate it badly, by
    Student's quantile at the degrees of freedom of both variances together (Satterthwaite 1946).
    """
    value = float(values[0])
    low, high = value + EXPANDED * (np.nanquantile(values[1:], [0.025, 0.975]) - value)
    if further:
        from scipy.stats import t as student

        of_tests = float(np.nanvar(values[1:], ddof=1))
        between = float(np.var([value, *(one[0] for one in further)], ddof=1))
        total = of_tests + between
        freedom = len(further) * (total / between) ** 2 if between > 0 else np.inf
        margin = float(student.ppf(0.975, freedom)) * np.sqrt(total)
        low, high = min(low, value - margin), max(high, value + margin)
    return Estimate(value, float(low), float(high), breakdown, dict(facts))


NOTHING_LEARNT = Obstacle("learners trained on real records do no better than guessing", curable=False)
MEASURE = Measure(
    utility,
    (UTILITY_SCORE, UTILITY_RATIO, UTILITY_SKILL),
    same_context(utility_sets),
    utility_obstacle,
    NOTHING_LEARNT,
)
