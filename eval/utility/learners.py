"""Learners of the utility metrics: a linear model and gradient boosting, fitted to one table and scored on the test split."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, subsample

if TYPE_CHECKING:
    from paracosm.eval.utility.task import Task

SMALL = 5000
"""Rows below which more threads only cost time."""
BOOSTING_SEEDS = 3

Predictions = dict[str, list[np.ndarray]]
"""Per learner, one matrix of predictions (test rows x classes, or x 1) for each seed."""


def learn(context: Context, task: Task, table: pd.DataFrame, test: pd.DataFrame, rows: int) -> Predictions:
    """Return the predictions for the test rows by learners fitted to `rows` random rows of a table.

    Learners are fitted once for the same rows: several metrics ask for those of train and of the synthetic records.

    Args:
        context: of the tables.
        task: what is predicted.
        table: to learn from.
        test: the test split, cut to `settings.max_rows`; the same for every call in a context.
        rows: to learn from, at most.
    """
    from paracosm.eval.representations.features import plain_frame

    table = subsample(table, rows, context.settings.seed)
    cells = pd.util.hash_pandas_object(plain_frame(table, context.fields), index=False).to_numpy()
    key = f"learnt from {len(table)} rows {hashlib.sha256(cells.tobytes()).hexdigest()}"
    return context.once(key, lambda: _learn(context, task, table, test))


def _learn(context: Context, task: Task, table: pd.DataFrame, test: pd.DataFrame) -> Predictions:
    from threadpoolctl import threadpool_limits

    table = table.dropna(subset=[task.field.name]).reset_index(drop=True)
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


def resamples(context: Context, rows: int) -> np.ndarray:
    """Return bootstrap weights of test rows (1 + resamples x rows): first all ones, then draws with replacement."""
    random = np.random.default_rng([context.settings.seed, 29])
    drawn = random.multinomial(rows, np.full(rows, 1 / rows), size=context.settings.bootstrap)
    return np.vstack([np.ones(rows), drawn])


def mean_scores(
    task: Task, predictions: Predictions, truth: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the score of each learner, averaged over its seeds, for each row of weights, and their mean as `mean`."""
    scores = {
        name: np.mean([task.scores(prediction, truth, weights) for prediction in of_seeds], axis=0)
        for name, of_seeds in predictions.items()
    }
    return scores | {"mean": np.mean(list(scores.values()), axis=0)}


def _linear(task: Task, table: pd.DataFrame, test: pd.DataFrame, truth: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline

    from paracosm.eval.representations.features import linear_features, plain_frame

    learner = LogisticRegression(C=0.5, max_iter=1000) if task.classes else Ridge(alpha=1.0)
    encoder = linear_features(task.features, table)
    model = make_pipeline(encoder, learner).fit(plain_frame(table, task.features), truth)
    return _predict(task, model, plain_frame(test, task.features))


def _boosting(
    context: Context, task: Task, table: pd.DataFrame, test: pd.DataFrame, truth: np.ndarray
) -> list[np.ndarray]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    from paracosm.eval.representations.features import tree_features

    (features, test_features), is_code = tree_features(table, [table, test], task.features)
    booster = HistGradientBoostingClassifier if task.classes else HistGradientBoostingRegressor
    predictions = []
    for seed in range(min(BOOSTING_SEEDS, context.settings.repeats)):
        model = booster(
            learning_rate=0.06,
            max_iter=100,
            max_leaf_nodes=12,
            min_samples_leaf=int(np.clip(len(table) // 60, 4, 20)),
            l2_regularization=1.0,
            max_features=0.7,
            categorical_features=is_code,  # type: ignore[arg-type]  # scikit-learn is untyped
            early_stopping=False,  # type: ignore[arg-type]  # scikit-learn is untyped
            random_state=context.settings.seed + seed,
        ).fit(features, truth)
        predictions.append(_predict(task, model, test_features))
    return predictions


def _predict(task: Task, model: Any, features: Any) -> np.ndarray:
    """Return predictions (rows x classes, or x 1); a class that the model never saw gets probability 0."""
    if not task.classes:
        return model.predict(features)[:, None]
    probabilities = np.zeros((len(features), len(task.classes)))
    probabilities[:, model.classes_] = model.predict_proba(features)
    return probabilities
