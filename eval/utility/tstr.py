"""Is a model that was trained on synthetic records as good on real ones? (TSTR against TRTR; Esteban et al. 2017.)"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from paracosm.eval.measuring.anchors import utility_candidates
from paracosm.eval.measuring.context import NUMERIC, Context, subsample
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Obstacle
from paracosm.eval.representations.features import (
    MISSING,
    as_floats,
    as_words,
    linear_features,
    plain_frame,
    tree_features,
)
from paracosm.eval.statistics.weighted_scores import weighted_auc, weighted_r2
from paracosm.records.schema.schema import Field

FEW_CLASSES = 10
RARE_IN_TRAIN = 5
OTHER = "\x00other"
SMALL = 5000
BOOSTING_SEEDS = 3
EXPANDED = 1.12
"""By how much intervals reach farther than resamples of a small test split do, as Hesterberg 2015 advises; how much,
bench/evaluation/coverage.py measured."""


@dataclass(frozen=True)
class Task:
    """What is predicted, and how a prediction is scored on the test split."""

    field: Field
    features: tuple[Field, ...]
    classes: tuple[str, ...]
    """Empty for regression."""

    @property
    def chance(self) -> float:
        """The score of a learner that knows nothing."""
        return 0.5 if self.classes else 0.0

    @property
    def score_name(self) -> str:
        if not self.classes:
            return "R²"
        return "AUC" if len(self.classes) == 2 else f"macro AUC over {len(self.classes)} classes"

    def truth(self, table: pd.DataFrame) -> np.ndarray:
        """Return the target: class numbers, or floats."""
        if not self.classes:
            return as_floats(table[self.field.name], self.field)
        number = {name: code for code, name in enumerate(self.classes)}
        rest = number.get(OTHER, -1)
        return np.array([number.get(word, rest) for word in _class_words(table[self.field.name], self.field)])

    def scores(self, predictions: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the score for each row of weights (resamples x test rows)."""
        if not self.classes:
            return np.maximum(0.0, weighted_r2(predictions[:, 0], truth, weights))
        used = range(len(self.classes)) if len(self.classes) > 2 else (1,)
        each = [weighted_auc(predictions[:, code], truth == code, weights) for code in used]
        known = ~np.isnan(each)
        total = np.where(known, each, 0.0).sum(axis=0)
        return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), 0.5)


def utility_obstacle(context: Context) -> Obstacle | None:
    """Return why usefulness cannot be measured, or None."""
    if context.target is None:
        return Obstacle(
            "no target column was named (data.target in a recipe, --target for files)", curable=False
        )
    field = context.schema[context.target]
    if field.type == "text":
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


def make_task(context: Context) -> Task:
    """Return the prediction task; classes come from train, at most ten, rare ones joined into one."""
    assert context.target is not None
    field = context.schema[context.target]
    features = tuple(each for each in context.fields if each.name != field.name)
    present = context.train[field.name].dropna()
    if field.type in NUMERIC and (field.type != "integer" or present.nunique() > FEW_CLASSES):
        return Task(field, features, ())
    counts = pd.Series(_class_words(present, field)).value_counts()
    common = [
        str(word) for word in counts.index[: FEW_CLASSES if len(counts) <= FEW_CLASSES else FEW_CLASSES - 1]
    ]
    kept = [word for word in common if counts[word] >= RARE_IN_TRAIN] or common
    return Task(field, features, tuple(sorted(kept)) + ((OTHER,) if len(kept) < len(counts) else ()))


def _class_words(column: pd.Series, field: Field) -> np.ndarray:
    if field.type == "integer":
        return column.astype("Int64").astype("string").fillna(MISSING).to_numpy(dtype=object)
    return as_words(column)


@dataclass(frozen=True)
class Drawn:
    """Synthetic records, and other sets that the same generator made with other seeds."""

    table: pd.DataFrame
    further: Sequence[pd.DataFrame]


def utility_sets(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, Any]:
    """Return what learners train on; the synthetic records with the further sets of their generator."""
    candidates: dict[Anchor, Any] = dict(utility_candidates(context, synthetic))
    candidates["synthetic"] = Drawn(synthetic, context.further)
    return candidates


def utility(context: Context, candidate: pd.DataFrame | Drawn) -> dict[str, Estimate]:
    """Return how learners trained on a candidate do on the test split, alone and against learners trained on train.

    `utility_score`: mean over logistic (or ridge) regression and gradient boosting, over seeds, of the AUC (one class
    against the rest, mean of classes) or R² (never below 0). `utility_ratio`: that over train's. `utility_skill`: the
    same above chance. Both learn from equally many rows; intervals: paired bootstrap over test rows, joined with the
    spread between the sets where the generator made several.
    """
    further: Sequence[pd.DataFrame] = ()
    if isinstance(candidate, Drawn):
        candidate, further = candidate.table, candidate.further
    assert context.test is not None
    assert context.target is not None
    task = make_task(context)
    rows = min(len(context.train), len(candidate), context.settings.max_rows)
    test = subsample(context.test, context.settings.max_rows, context.settings.seed).dropna(
        subset=[context.target]
    )
    test = test.reset_index(drop=True)
    truth = task.truth(test)
    real = learnt_from_train(context, task, test, rows)
    ours = real if candidate is context.train else learn(context, task, candidate, test, rows)
    weights = resamples(context, len(test))
    real_scores, our_scores = (mean_scores(task, each, truth, weights) for each in (real, ours))
    others = [
        mean_scores(task, learn(context, task, each, test, rows), truth, weights[:1])["mean"]
        for each in further
    ]
    facts = {
        "score": task.score_name,
        "target": context.target,
        "train_rows": rows,
        "test_rows": len(test),
        "score_on_real": round(float(real_scores["mean"][0]), 6),
    }
    if others:
        facts["scores_of_sets"] = [round(float(each[0]), 6) for each in (our_scores["mean"], *others)]
    mean, real_mean, chance = our_scores["mean"], real_scores["mean"], task.chance
    breakdown = {name: float(values[0]) for name, values in our_scores.items() if name != "mean"}
    found = {"utility_score": _estimate(mean, others, facts, breakdown)}
    if real_mean[0] > chance:
        ratios = (_ratio(each, real_mean[: len(each)]) for each in (mean, *others))
        found["utility_ratio"] = _estimate(next(ratios), list(ratios), facts, {})
        skills = (_ratio(each - chance, real_mean[: len(each)] - chance) for each in (mean, *others))
        found["utility_skill"] = _estimate(next(skills), list(skills), facts, {})
    return found


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return above / np.where(below > 1e-9, below, np.nan)


def _estimate(
    values: np.ndarray, others: list[np.ndarray], facts: dict[str, object], breakdown: dict[str, float]
) -> Estimate:
    """Return the first value (all rows once) with the 2.5 and 97.5 percentiles of the others (resamples), moved outwards.

    Where other sets were made, both ends move out by the spread between sets; as few sets tell a spread badly, with
    Student's quantile for as many degrees of freedom as both spreads together have (Satterthwaite 1946).
    """
    value = float(values[0])
    low, high = value + EXPANDED * (np.nanquantile(values[1:], [0.025, 0.975]) - value)
    if others:
        of_tests = float(np.nanvar(values[1:], ddof=1))
        between = float(np.var([value, *(each[0] for each in others)], ddof=1))
        total = of_tests + between
        freedom = len(others) * (total / between) ** 2 if between > 0 else np.inf
        margin = float(student.ppf(0.975, freedom)) * np.sqrt(total)
        low, high = min(low, value - margin), max(high, value + margin)
    return Estimate(value, float(low), float(high), breakdown, dict(facts))


def resamples(context: Context, rows: int) -> np.ndarray:
    """Return weights of test rows (1 + resamples x rows): the first row all ones, the others drawn with replacement."""
    random = np.random.default_rng([context.settings.seed, 29])
    drawn = random.multinomial(rows, np.full(rows, 1 / rows), size=context.settings.bootstrap)
    return np.vstack([np.ones(rows), drawn])


def mean_scores(
    task: Task, predictions: dict[str, list[np.ndarray]], truth: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return each learner's score under every row of weights, mean over its seeds, and their mean under `mean`."""
    scores = {
        name: np.mean([task.scores(each, truth, weights) for each in several], axis=0)
        for name, several in predictions.items()
    }
    return scores | {"mean": np.mean(list(scores.values()), axis=0)}


def learn(
    context: Context, task: Task, table: pd.DataFrame, test: pd.DataFrame, rows: int
) -> dict[str, list[np.ndarray]]:
    """Return, per learner, one matrix of predictions (test rows x classes, or x 1) a seed."""
    table = (
        subsample(table, rows, context.settings.seed).dropna(subset=[task.field.name]).reset_index(drop=True)
    )
    truth = task.truth(table)
    if task.classes:
        table, truth = table[truth >= 0].reset_index(drop=True), truth[truth >= 0]
    if len(truth) < 2 or len(np.unique(truth)) < 2:
        constant = np.full(
            (len(test), max(1, len(task.classes))), truth[0] if len(truth) and not task.classes else 0.5
        )
        return {"linear": [constant], "gradient boosting": [constant]}
    with threadpool_limits(1 if len(table) < SMALL else None):
        boosting = _boosting(context, task, table, test, truth)
        return {"linear": [_linear(task, table, test, truth)], "gradient boosting": boosting}


def learnt_from_train(
    context: Context, task: Task, test: pd.DataFrame, rows: int
) -> dict[str, list[np.ndarray]]:
    """Return `learn` of that many rows of train, learnt once for all candidates; `test` is the capped test split."""
    key = f"learnt from {rows} rows of train"
    return context.once(key, lambda: learn(context, task, context.train, test, rows))


def _linear(task: Task, table: pd.DataFrame, test: pd.DataFrame, truth: np.ndarray) -> np.ndarray:
    learner = LogisticRegression(C=0.5, max_iter=1000) if task.classes else Ridge(alpha=1.0)
    encoder = linear_features(task.features, table)
    model = make_pipeline(encoder, learner).fit(plain_frame(table, task.features), truth)
    return _predict(task, model, plain_frame(test, task.features))


def _boosting(
    context: Context, task: Task, table: pd.DataFrame, test: pd.DataFrame, truth: np.ndarray
) -> list[np.ndarray]:
    (known, unseen), is_code = tree_features(table, [table, test], task.features)
    make: Callable[..., HistGradientBoostingClassifier | HistGradientBoostingRegressor] = (
        HistGradientBoostingClassifier if task.classes else HistGradientBoostingRegressor
    )
    several = []
    for seed in range(BOOSTING_SEEDS):
        model = make(
            learning_rate=0.06,
            max_iter=100,
            max_leaf_nodes=12,
            min_samples_leaf=int(np.clip(len(table) // 60, 4, 20)),
            l2_regularization=1.0,
            max_features=0.7,
            categorical_features=is_code,  # type: ignore[arg-type]  # scikit-learn is untyped
            early_stopping=False,  # type: ignore[arg-type]  # scikit-learn is untyped
            random_state=context.settings.seed + seed,
        ).fit(known, truth)
        several.append(_predict(task, model, unseen))
    return several


def _predict(task: Task, model, features) -> np.ndarray:
    if not task.classes:
        return model.predict(features)[:, None]
    shares = np.zeros((len(features), len(task.classes)))
    shares[:, model.classes_] = model.predict_proba(features)
    return shares
