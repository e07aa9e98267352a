"""Label drift and novelty: do texts still fit the target of their record, and how much of them is new?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.fidelity.text.columns import hybrid_candidates, hybrid_obstacle
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.measuring.readings import beside_anchor

MOST_ROWS = 1000
ORDER = 3
"""Words of the sequences whose novelty is measured."""


def _interpret_drift(result: Result) -> str:
    return (
        f"A classifier of real records reads another target from {percentage(result.synthetic.value, 1)} of the texts than their records"
        f" have{beside_anchor(result.ceiling, 'from {} of fresh real ones')}."
    )


def _interpret_novelty(result: Result) -> str:
    return (
        f"{percentage(result.synthetic.value, 1)} of the sequences of three words are in no training text"
        f"{beside_anchor(result.ceiling, 'of fresh real texts {}')}."
    )


LABEL_DRIFT = Metric(
    name="label_drift",
    title="Label drift (text)",
    section="fidelity",
    goal="down",
    range=(0.0, 1.0),
    source="Error of TF-IDF + logistic regression trained on real records, on texts against their own targets",
    what="How often a classifier trained on real records reads another target from a text than its record has.",
    formula="share of texts whose predicted target is not that of the record; train is predicted out of fold",
    read=_interpret_drift,
    anchors="text_and_columns",
)
NOVELTY = Metric(
    name="text_novelty",
    title="Novel trigrams (text)",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Share of word trigrams that no training text holds",
    what="How much of the wording is not that of a training text; augmented texts are low by construction.",
    formula="mean over texts of the share of their word trigrams that are in no training text",
    read=_interpret_novelty,
    anchors="text_and_columns",
    zero="worst",
)


def label_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where texts have no target to drift from, or None."""
    field = next((field for field in context.fields if field.name == context.target), None)
    if field is None or not field.discrete:
        return Obstacle("no category or boolean is the target (data.target)", curable=False)
    if (obstacle := hybrid_obstacle(context)) is not None:
        return obstacle
    from paracosm.eval.representations.texts import documents

    texts = documents(context.train.dropna(subset=[context.target]), context.fields)
    return None if any(text.split() for text in texts) else Obstacle("all texts are empty", curable=False)


def drift_metrics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `label_drift` and `text_novelty` of a candidate; nothing where no record of it has a target."""
    from paracosm.eval.representations.features import as_words
    from paracosm.eval.representations.texts import documents
    from paracosm.eval.statistics.intervals import around

    assert context.target is not None
    rows = candidate.iloc[
        drawn_rows(len(candidate), min(MOST_ROWS, context.size), context.settings.seed + 15)
    ]
    rows = rows.dropna(subset=[context.target])
    if rows.empty:
        return {}
    texts, labels = documents(rows, context.fields), as_words(rows[context.target])
    if candidate is context.train:
        # A classifier knows the texts that it was fitted to.
        wrong = context.once("drift of train", lambda: _out_of_fold(context, texts, labels))
        grams = None
    else:
        learner = context.once("label learner", lambda: _fitted(context))
        wrong = np.asarray(learner.predict(texts)) != labels
        grams = context.once(
            "trigrams of train", lambda: _trigrams_of(documents(context.train, context.fields))
        )
    known = np.zeros(len(texts)) if grams is None else np.array([_new_share(text, grams) for text in texts])
    facts = {"rows": len(rows)}
    return {
        "label_drift": around(float(wrong.mean()), float(wrong.var() / len(wrong)), (0.0, 1.0), facts=facts),
        "text_novelty": around(float(known.mean()), float(known.var() / len(known)), (0.0, 1.0), facts=facts),
    }


def _fitted(context: Context):
    from paracosm.eval.representations.features import as_words
    from paracosm.eval.representations.texts import documents

    rows = context.train.dropna(subset=[context.target])
    return _learner(documents(rows, context.fields), as_words(rows[context.target]))


def _learner(texts: Sequence[str], labels: np.ndarray) -> Any:
    """Return a fitted classifier; a fold can hold one label alone, which it then always predicts."""
    from paracosm.eval.fidelity.text.columns_from_text import make_learner

    return make_learner(len(np.unique(labels))).fit(list(texts), labels)


def _out_of_fold(context: Context, texts: list[str], labels: np.ndarray) -> np.ndarray:
    from sklearn.model_selection import KFold

    wrong = np.zeros(len(texts), dtype=bool)
    for fitted, held in KFold(5, shuffle=True, random_state=context.settings.seed).split(labels):
        learner = _learner([texts[index] for index in fitted], labels[fitted])
        wrong[held] = learner.predict([texts[index] for index in held]) != labels[held]
    return wrong


def _trigrams_of(texts: list[str]) -> set[tuple[str, ...]]:
    return {gram for text in texts for gram in _trigrams(text)}


def _trigrams(text: str) -> list[tuple[str, ...]]:
    words = text.split()
    return [tuple(words[begin : begin + ORDER]) for begin in range(len(words) - ORDER + 1)]


def _new_share(text: str, known: set[tuple[str, ...]]) -> float:
    grams = _trigrams(text)
    return sum(gram not in known for gram in grams) / len(grams) if grams else 0.0


MEASURE = Measure(drift_metrics, (LABEL_DRIFT, NOVELTY), hybrid_candidates, label_obstacle)
