"""Prediction task of the utility metrics: target, features, classes and score."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.records.schema.schema import Field

FEW_CLASSES = 10
RARE_IN_TRAIN = 5
"""A class with fewer records in train is joined with the other rare ones: a learner cannot be judged on it."""
OTHER = "\x00other"


@dataclass(frozen=True)
class Task:
    """A prediction task, and the score of a prediction on the test split."""

    field: Field
    features: tuple[Field, ...]
    classes: tuple[str, ...]
    """Empty for regression."""

    @property
    def chance(self) -> float:
        """The score of a constant prediction."""
        return 0.5 if self.classes else 0.0

    @property
    def score_name(self) -> str:
        """The name of the score, for people."""
        if not self.classes:
            return "R²"
        return "AUC" if len(self.classes) == 2 else f"macro AUC over {len(self.classes)} classes"

    def truth(self, table: pd.DataFrame) -> np.ndarray:
        """Return the target of each row: the number of its class, or a float."""
        from paracosm.eval.representations.features import as_floats

        if not self.classes:
            return as_floats(table[self.field.name], self.field)
        number = {name: code for code, name in enumerate(self.classes)}
        rest = number.get(OTHER, -1)
        return np.array([number.get(word, rest) for word in _class_words(table[self.field.name], self.field)])

    def scores(self, predictions: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the score for each row of weights.

        Args:
            predictions: test rows x classes, or x 1 for regression.
            truth: as `truth` returns it.
            weights: resamples x test rows.
        """
        from paracosm.eval.statistics.weighted_scores import weighted_auc, weighted_r2

        if not self.classes:
            return np.maximum(0.0, weighted_r2(predictions[:, 0], truth, weights))
        used = range(len(self.classes)) if len(self.classes) > 2 else (1,)
        aucs = [weighted_auc(predictions[:, code], truth == code, weights) for code in used]
        present = ~np.isnan(aucs)
        total = np.where(present, aucs, 0.0).sum(axis=0)
        return np.where(present.any(axis=0), total / np.maximum(present.sum(axis=0), 1), 0.5)


def make_task(context: Context) -> Task:
    """Return the prediction task; classes come from train, at most ten, with rare ones joined into one."""
    assert context.target is not None
    field = context.schema[context.target]
    features = tuple(other for other in context.fields if other.name != field.name)
    present = context.train[field.name].dropna()
    if field.ordered and (not field.is_whole or present.nunique() > FEW_CLASSES):
        return Task(field, features, ())
    counts = pd.Series(_class_words(present, field)).value_counts()
    most = FEW_CLASSES if len(counts) <= FEW_CLASSES else FEW_CLASSES - 1
    common = [str(word) for word in counts.index[:most]]
    classes = [word for word in common if counts[word] >= RARE_IN_TRAIN] or common
    return Task(field, features, tuple(sorted(classes)) + ((OTHER,) if len(classes) < len(counts) else ()))


def _class_words(column: pd.Series, field: Field) -> np.ndarray:
    from paracosm.eval.representations.features import MISSING, as_words

    if field.is_whole:
        return column.astype("Int64").astype("string").fillna(MISSING).to_numpy(dtype=object)
    return as_words(column)
