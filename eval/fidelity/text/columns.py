"""Agreement of texts and columns: does a record's text fit its cells as it does in real records?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from paracosm.eval.fidelity.text.columns_from_text import (
    FOLDS,
    MOST_ROWS,
    TextColumn,
    fit_columns,
    make_learner,
)
from paracosm.eval.fidelity.text.spelled_cells import cell_mentions
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import FEWEST_ROWS, NORMAL_95, Anchor, Estimate, Metric, Obstacle
from paracosm.eval.measuring.readings import interpret_ratio, interpret_share
from paracosm.eval.statistics.intervals import around

FITTING = 1.9
"""Factor on the variance of the bits over that of the rows, because other rows would have made other classifiers;
measured by bench/evaluation/coverage.py."""

COLUMN_FROM_TEXT = Metric(
    name="column_from_text",
    title="Prediction of columns from text: accuracy",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Classifiers trained on real records; the floor swaps texts between records",
    what="How often a column's cell is the one that a classifier trained on real records predicts from the record's text.",
    formula="accuracy of TF-IDF + logistic regression, trained on train, on the candidate's texts and cells",
    read=interpret_share,
    gates=(
        Gate(
            "at least",
            0.8,
            0.8,
            0.8,
            settled_by=HELD_OUT,
            quantity="normalised",
            why="A text that contradicts the columns of its record misleads every reader.",
        ),
    ),
    anchors="text_and_columns",
)
TEXT_INFORMATION = Metric(
    name="text_information",
    title="Mutual information of text and columns: ratio",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="H(Y) - CE(Y | text), a lower bound on mutual information (Barber & Agakov 2003), over that of train",
    what="How much information a text holds about its record's columns, over the same of a real text.",
    formula="mean of log2 p(y given text) / p(y), out of fold on the candidate, over that of train",
    read=interpret_ratio,
    unit="plain",
    gates=(
        Gate(
            "at least",
            0.8,
            0.8,
            0.8,
            settled_by=HELD_OUT,
            why="A text that does not speak of its own record is of little use to anybody.",
        ),
    ),
    anchors="text_and_columns",
)
MENTIONS = Metric(
    name="mentions",
    title="Cell mentions in text",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Share of texts that spell a cell of their record, against train",
    what="Whether ages, dates and codes of a record appear in its text as often as they do in real records.",
    formula="1 - mean |share of texts that spell their cell - share in train|",
    read=interpret_share,
    anchors="text_and_columns",
)


def hybrid_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where texts cannot be compared with columns, or None."""
    texts = sum(field.is_text for field in context.fields)
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
    """Return the candidates of fidelity; the floor is train with its texts swapped between records."""
    swapped = context.train.copy()
    order = np.random.default_rng([context.settings.seed, 61]).permutation(len(swapped))
    for field in context.fields:
        if field.is_text:
            swapped[field.name] = swapped[field.name].iloc[order].reset_index(drop=True)
    tables: dict[Anchor, pd.DataFrame] = {
        "synthetic": synthetic,
        "ceiling": context.held_out,
        "floor": swapped,
        "worst": context.train,
    }
    return {name: (context, table) for name, table in tables.items()}


def text_column_metrics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `column_from_text`, `text_information` and `mentions` of a candidate.

    `column_from_text`: the share of cells that classifiers trained on real records predict from the candidate's texts; mean
    over the columns that a text of train predicts at all. `text_information`: the bits of information of texts about those
    columns, H(Y) - CE(Y | text) with classifiers trained on the candidate itself, over the same of train. `mentions`: the
    similarity to train in the share of texts that spell a cell of their record; mean over columns that are ever spelled.
    """
    from paracosm.eval.representations.texts import documents

    columns: list[TextColumn] = context.once(
        "columns from text", lambda: fit_columns(context, *_real(context, min(MOST_ROWS, len(context.train))))
    )
    rows = _sample(context, candidate)
    texts = documents(rows, context.fields)
    real = context.once("mentions", lambda: _real(context, min(MOST_ROWS, len(context.train))))
    estimates = cell_mentions(context.fields, (rows, texts), real)
    if not columns:
        return estimates
    hits = np.array([column.learner.predict(texts) == column.labels(rows) for column in columns])
    names = [column.field.name for column in columns]
    facts = {"columns": names, "rows": len(rows)}
    estimates["column_from_text"] = around(
        float(hits.mean()),
        float(hits.mean(axis=0).var(ddof=1) / len(rows)),
        (0.0, 1.0),
        breakdown={name: float(of_column.mean()) for name, of_column in zip(names, hits, strict=True)},
        facts=facts,
    )
    size = min(len(rows), len(context.train))
    real_bits = context.once(f"text information {size}", lambda: _information(columns, *_real(context, size)))
    bits = _information(columns, rows.iloc[:size], texts[:size])
    if real_bits.mean() - NORMAL_95 * real_bits.std() / np.sqrt(len(real_bits)) > 0:
        ratio = float(bits.mean() / real_bits.mean())
        variance = (
            bits.var() / len(bits) + ratio**2 * real_bits.var() / len(real_bits)
        ) / real_bits.mean() ** 2
        estimates["text_information"] = around(
            max(0.0, ratio),
            FITTING * float(variance),
            (0.0, np.inf),
            facts=facts | {"bits_in_train": float(real_bits.mean())},
        )
    return estimates


def _sample(context: Context, table: pd.DataFrame) -> pd.DataFrame:
    most = min(MOST_ROWS, context.size)
    return table.iloc[drawn_rows(len(table), most, context.settings.seed + 5)].reset_index(drop=True)


def _real(context: Context, size: int) -> tuple[pd.DataFrame, list[str]]:
    """Return `size` random rows of train and their texts."""
    from paracosm.eval.representations.texts import documents

    rows = context.train.iloc[drawn_rows(len(context.train), size, context.settings.seed + 5)]
    return rows, documents(rows, context.fields)


def _information(columns: Sequence[TextColumn], rows: pd.DataFrame, texts: list[str]) -> np.ndarray:
    """Return the bits of information of each row's text about its columns, mean over columns; out of fold."""
    from sklearn.model_selection import KFold

    bits = []
    for column in columns:
        labels = column.labels(rows)
        names, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        surprise = -np.log2(counts[codes] / len(labels))
        if counts.min() < FOLDS or len(names) < 2:
            bits.append(np.zeros(len(rows)))
            continue
        probabilities = np.full(len(rows), 1.0)
        for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(rows):
            learner = make_learner(len(np.unique(labels[train])))
            fitted = learner.fit([texts[row] for row in train], labels[train])
            predicted = fitted.predict_proba([texts[row] for row in test])
            index = {name: number for number, name in enumerate(fitted.classes_)}
            label = np.array([index.get(name, -1) for name in labels[test]])
            probabilities[test] = np.where(label >= 0, predicted[np.arange(len(test)), label], 1e-3)
        bits.append(surprise + np.log2(np.maximum(probabilities, 1e-3)))
    return np.mean(bits, axis=0)


MEASURE = Measure(
    text_column_metrics,
    (COLUMN_FROM_TEXT, TEXT_INFORMATION, MENTIONS),
    hybrid_candidates,
    hybrid_obstacle,
    Obstacle("the texts say too little about the columns", curable=False),
)
