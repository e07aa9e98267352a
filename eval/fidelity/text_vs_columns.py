"""Do a record's text and its columns belong together? What the text says of a column, on both sides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline

from paracosm.eval.measuring.context import NUMERIC, Context, drawn_rows
from paracosm.eval.measuring.metric import FEWEST_ROWS, NORMAL_95, Anchor, Estimate, Obstacle
from paracosm.eval.representations.features import as_floats, as_words
from paracosm.eval.representations.texts import documents
from paracosm.eval.statistics.intervals import around
from paracosm.records.schema.schema import Field

MOST_ROWS = 2000
MOST_CLASSES = 8
MOST_COLUMNS = 8
LEAST_SKILL = 0.03
LEAST_MENTIONED = 0.05
FOLDS = 3
FITTING = 1.9
"""By how much the variance of the bits grows over that of the rows, because other rows would have made other
classifiers; measured by bench/evaluation/coverage.py."""
OTHER = "\x00other"


def hybrid_obstacle(context: Context) -> Obstacle | None:
    """Return why texts cannot be held against columns, or None."""
    texts = sum(each.type == "text" for each in context.fields)
    if texts == 0 or texts == len(context.fields):
        return Obstacle("records hold no text beside other columns", curable=False)
    if context.size < 3 * FEWEST_ROWS:
        return Obstacle(
            f"only {context.size} records on the smallest side; at least {3 * FEWEST_ROWS} are needed"
        )
    return None


def hybrid_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return what is handed in as if synthetic; the floor is train with its texts dealt out anew."""
    shuffled = context.train.copy()
    order = np.random.default_rng([context.settings.seed, 61]).permutation(len(shuffled))
    for each in context.fields:
        if each.type == "text":
            shuffled[each.name] = shuffled[each.name].iloc[order].reset_index(drop=True)
    tables: dict[Anchor, pd.DataFrame] = {
        "synthetic": synthetic,
        "ceiling": context.held_out,
        "floor": shuffled,
        "worst": context.train,
    }
    return {name: (context, table) for name, table in tables.items()}


@dataclass(frozen=True)
class _Column:
    """A column that texts can tell something of: its classes, and a classifier that learnt them from train."""

    field: Field
    classes: tuple[str, ...]
    edges: np.ndarray
    learner: Pipeline

    def labels(self, table: pd.DataFrame) -> np.ndarray:
        """Return the class of each row; a class that train lacks is the joint rest."""
        words = self.words(table)
        return np.where(np.isin(words, self.classes), words, OTHER)

    def words(self, table: pd.DataFrame) -> np.ndarray:
        """Return the column as words; numbers by thirds."""
        if self.field.type not in NUMERIC:
            return as_words(table[self.field.name]).astype(str)
        values = as_floats(table[self.field.name], self.field)
        return np.where(np.isnan(values), OTHER, np.searchsorted(self.edges, values).astype(str))


def text_column_figures(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `column_from_text`, `text_information` and `mentions` of a candidate.

    `column_from_text`: the share of cells that classifiers, trained on real records, tell from the candidate's texts;
    mean over the columns of which a text tells something at all. `text_information`: the bits that texts tell of those
    columns, H(Y) - CE(Y | text) with classifiers trained on the candidate itself, over the same of train. `mentions`: how
    near the shares of texts that spell a cell of their record are to train's, mean over columns that are ever spelled.
    """
    learnt: list[_Column] = context.once("columns from text", lambda: _learn(context))
    rows = _sample(context, candidate)
    texts = documents(rows, context.fields)
    found = _mentions(context, rows, texts)
    if not learnt:
        return found
    right = np.array([each.learner.predict(texts) == each.labels(rows) for each in learnt])
    share = float(right.mean())
    facts = {"columns": [each.field.name for each in learnt], "rows": len(rows)}
    found["column_from_text"] = around(
        share,
        float(right.mean(axis=0).var(ddof=1) / len(rows)),
        (0.0, 1.0),
        breakdown={each.field.name: float(hit.mean()) for each, hit in zip(learnt, right, strict=True)},
        facts=facts,
    )
    size = min(len(rows), len(context.train))
    known = context.once(f"text information {size}", lambda: _information(learnt, *_real(context, size)))
    ours = _information(learnt, rows.iloc[:size], texts[:size])
    if known.mean() - NORMAL_95 * known.std() / np.sqrt(len(known)) > 0:
        ratio = float(ours.mean() / known.mean())
        spread = (ours.var() / len(ours) + ratio**2 * known.var() / len(known)) / known.mean() ** 2
        found["text_information"] = around(
            max(0.0, ratio),
            FITTING * float(spread),
            (0.0, np.inf),
            facts=facts | {"bits_in_train": float(known.mean())},
        )
    return found


def _sample(context: Context, table: pd.DataFrame) -> pd.DataFrame:
    most = min(MOST_ROWS, context.size)
    return table.iloc[drawn_rows(len(table), most, context.settings.seed + 5)].reset_index(drop=True)


def _real(context: Context, size: int) -> tuple[pd.DataFrame, list[str]]:
    rows = context.train.iloc[drawn_rows(len(context.train), size, context.settings.seed + 5)]
    return rows, documents(rows, context.fields)


def _learner(classes: int) -> Pipeline:
    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\S+", max_features=10_000)
    return make_pipeline(words, LogisticRegression(C=3.0, max_iter=200) if classes > 1 else DummyClassifier())


def _learn(context: Context) -> list[_Column]:
    """Return the columns that texts of train tell at least 3 points better than their commonest class does."""
    rows, texts = _real(context, min(MOST_ROWS, len(context.train)))
    if not any(texts):
        return []
    found = []
    for each in context.fields:
        if each.type == "text":
            continue
        edges = np.empty(0)
        if each.type in NUMERIC:
            values = as_floats(rows[each.name], each)
            values = values[~np.isnan(values)]
            edges = np.unique(np.quantile(values, [1 / 3, 2 / 3])) if len(values) else edges
        column = _Column(each, (), edges, _learner(2))
        counts = pd.Series(column.words(rows)).value_counts()
        classes = tuple(str(name) for name in counts.index[:MOST_CLASSES] if counts[name] >= FEWEST_ROWS)
        column = replace(column, classes=classes, learner=_learner(len(classes)))
        labels = column.labels(rows)
        if len(np.unique(labels)) < 2:
            continue
        guesses = cross_val_predict(
            _learner(2), np.array(texts, dtype=object), labels, cv=KFold(FOLDS, shuffle=True, random_state=0)
        )
        skill = float(
            np.mean(np.asarray(guesses) == labels) - pd.Series(labels).value_counts(normalize=True).iloc[0]
        )
        if skill >= LEAST_SKILL:
            found.append((skill, replace(column, learner=column.learner.fit(texts, labels))))
    return [column for _, column in sorted(found, key=lambda pair: -pair[0])[:MOST_COLUMNS]]


def _information(columns: Sequence[_Column], rows: pd.DataFrame, texts: list[str]) -> np.ndarray:
    """Return the bits that each row's text tells of its columns, mean over columns; out of fold."""
    bits = []
    for column in columns:
        labels = column.labels(rows)
        names, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        own = -np.log2(counts[codes] / len(labels))
        if counts.min() < FOLDS or len(names) < 2:
            bits.append(np.zeros(len(rows)))
            continue
        shares = np.full(len(rows), 1.0)
        for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(rows):
            fitted = _learner(len(np.unique(labels[train]))).fit([texts[row] for row in train], labels[train])
            guessed = fitted.predict_proba([texts[row] for row in test])
            place = {name: number for number, name in enumerate(fitted.classes_)}
            known = np.array([place.get(name, -1) for name in labels[test]])
            shares[test] = np.where(known >= 0, guessed[np.arange(len(test)), known], 1e-3)
        bits.append(own + np.log2(np.maximum(shares, 1e-3)))
    return np.mean(bits, axis=0)


def _mentions(context: Context, rows: pd.DataFrame, texts: list[str]) -> dict[str, Estimate]:
    real, real_texts = context.once("mentions", lambda: _real(context, min(MOST_ROWS, len(context.train))))
    gaps, variances = {}, []
    for each in context.fields:
        if each.type in ("text", "boolean"):
            continue
        ours, theirs = (_spelled(each, *side) for side in ((rows, texts), (real, real_texts)))
        if not len(ours) or not len(theirs) or theirs.mean() < LEAST_MENTIONED:
            continue
        gaps[each.name] = 1 - abs(float(ours.mean() - theirs.mean()))
        variances.append(ours.var() / len(ours) + theirs.var() / len(theirs))
    if not gaps:
        return {}
    variance = float(np.sum(variances)) / len(gaps) ** 2
    return {"mentions": around(float(np.mean(list(gaps.values()))), variance, (0.0, 1.0), breakdown=gaps)}


def _spelled(field: Field, rows: pd.DataFrame, texts: list[str]) -> np.ndarray:
    """Return, for each row with a cell, whether its text spells the cell as a word of its own."""
    found = []
    for cell, text in zip(rows[field.name], texts, strict=True):
        if pd.isna(cell):
            continue
        value = (
            cell.to_pydatetime()
            if field.type == "datetime"
            else float(cell)
            if field.type == "number"
            else cell
        )
        word = str(field.write(int(value) if field.type == "integer" else value)).casefold()
        found.append(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None)
    return np.array(found, dtype=float)
