"""Classifiers that predict a record's columns from its text, fitted to real records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import FEWEST_ROWS
from paracosm.records.schema.schema import Field

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MOST_ROWS = 2000
MOST_CLASSES = 8
MOST_COLUMNS = 8
LEAST_SKILL = 0.03
"""Accuracy above that of the most common class from which a column counts as predictable."""
FOLDS = 3
OTHER = "\x00other"


@dataclass(frozen=True)
class TextColumn:
    """A column that texts predict: its classes, and a classifier fitted to train."""

    field: Field
    classes: tuple[str, ...]
    edges: np.ndarray
    learner: Pipeline

    def labels(self, table: pd.DataFrame) -> np.ndarray:
        """Return the class of each row; values outside the classes of train are one class together."""
        words = self.words(table)
        return np.where(np.isin(words, self.classes), words, OTHER)

    def words(self, table: pd.DataFrame) -> np.ndarray:
        """Return the column as words; numbers become the third of train that they lie in."""
        from paracosm.eval.representations.features import as_floats, as_words

        if not self.field.ordered:
            return as_words(table[self.field.name]).astype(str)
        values = as_floats(table[self.field.name], self.field)
        return np.where(np.isnan(values), OTHER, np.searchsorted(self.edges, values).astype(str))


def make_learner(classes: int) -> Pipeline:
    """Return an unfitted classifier of texts; a constant one for a single class."""
    from sklearn.dummy import DummyClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\S+", max_features=10_000)
    return make_pipeline(words, LogisticRegression(C=3.0, max_iter=200) if classes > 1 else DummyClassifier())


def fit_columns(context: Context, rows: pd.DataFrame, texts: Sequence[str]) -> list[TextColumn]:
    """Return the columns that texts predict at least 3 points better than the most common class does.

    Args:
        context: names the fields.
        rows: real records.
        texts: their texts.

    Returns:
        At most eight columns, the most predictable first.
    """
    if not any(texts):
        return []
    columns = []
    for field in context.fields:
        if field.is_text:
            continue
        column = _with_classes(field, rows)
        labels = column.labels(rows)
        if len(np.unique(labels)) < 2:
            continue
        skill = _skill(texts, labels)
        if skill >= LEAST_SKILL:
            columns.append((skill, replace(column, learner=column.learner.fit(texts, labels))))
    return [column for _, column in sorted(columns, key=lambda pair: -pair[0])[:MOST_COLUMNS]]


def _with_classes(field: Field, rows: pd.DataFrame) -> TextColumn:
    """Return a column with the classes of real rows, and a classifier that is not fitted yet."""
    from paracosm.eval.representations.features import as_floats

    edges = np.empty(0)
    if field.ordered:
        values = as_floats(rows[field.name], field)
        values = values[~np.isnan(values)]
        edges = np.unique(np.quantile(values, [1 / 3, 2 / 3])) if len(values) else edges
    column = TextColumn(field, (), edges, make_learner(2))
    counts = pd.Series(column.words(rows)).value_counts()
    classes = tuple(str(name) for name in counts.index[:MOST_CLASSES] if counts[name] >= FEWEST_ROWS)
    return replace(column, classes=classes, learner=make_learner(len(classes)))


def _skill(texts: Sequence[str], labels: np.ndarray) -> float:
    """Return the out-of-fold accuracy above that of the most common class."""
    from sklearn.model_selection import KFold, cross_val_predict

    folds = KFold(FOLDS, shuffle=True, random_state=0)
    predicted = cross_val_predict(make_learner(2), np.array(texts, dtype=object), labels, cv=folds)
    accuracy = np.mean(np.asarray(predicted) == labels)
    return float(accuracy - pd.Series(labels).value_counts(normalize=True).iloc[0])
