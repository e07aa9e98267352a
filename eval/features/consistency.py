"""Self-consistency of derived columns: features are extracted again from the texts, and compared with what was modelled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from paracosm.eval.fidelity.text.columns import hybrid_candidates, hybrid_obstacle
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle
from paracosm.eval.measuring.readings import interpret_distance, interpret_share
from paracosm.foundation.errors import DataError, MissingExtraError
from paracosm.records.features.derive import PHRASES, SENTIMENT, derive_again, derived_kind
from paracosm.records.schema.schema import Field

MOST_ROWS = 500
"""Records of a candidate whose texts are read again: entities cost most."""
LEAST_AGREEMENT = 0.8
"""Agreement in train above which a column counts as derived: a column of the source may have such a name by chance."""
LEAST_CORRELATION = 0.1
NO_FEATURES = Obstacle("no column is derived from a text (data.features)", curable=False)

SELF_CONSISTENCY = Metric(
    name="self_consistency",
    title="Self-consistency of derived columns",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Features extracted again from the candidate's texts; the floor swaps texts between records",
    what="How well the columns of a record that were derived from texts agree with what its own text gives.",
    formula="mean over derived columns of 1 if equal (phrases), 1 - |a - b| / max(a, b, 1) (entities), 1 - |a - b| / 2 (sentiment)",
    read=interpret_share,
    anchors="text_and_columns",
)
FEATURE_CORRELATION = Metric(
    name="feature_correlation",
    title="Correlation of features of text with columns: difference",
    section="fidelity",
    goal="down",
    range=(0.0, 2.0),
    source="Spearman (1904) correlation of features that are extracted from texts, such as sentiment, with numeric columns",
    what="Whether texts still go with the numbers beside them, such as the sentiment of a headline with the return of its day.",
    formula="mean over pairs that correlate in train (at least 0.1) of |Spearman in the candidate - in train|",
    read=interpret_distance,
    unit="plain",
    anchors="text_and_columns",
)


@dataclass(frozen=True)
class DerivedColumn:
    """A column that was derived from a text.

    Attributes:
        field: of the column.
        text: name of the text.
        kind: as `derived_kind` names it.
    """

    field: Field
    text: str
    kind: str

    def agreement(self, cells: pd.Series, again: Sequence) -> np.ndarray:
        """Return how well each modelled cell agrees with what its text gives, from 0 to 1."""
        if self.kind == PHRASES:
            words = [None if pd.isna(cell) else str(cell) for cell in cells]
            return np.array([cell == found for cell, found in zip(words, again, strict=True)], dtype=float)
        modelled = cells.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        found = np.array(again, dtype=float)
        distance = np.abs(modelled - found)
        if self.kind == SENTIMENT:
            agreed = 1 - distance / 2
        else:
            agreed = 1 - distance / np.maximum(np.maximum(modelled, found), 1)
        return np.where(np.isnan(agreed), 0.0, np.clip(agreed, 0.0, 1.0))


def feature_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where no derived column can be checked, or None."""
    if not _named(context):
        return NO_FEATURES
    return hybrid_obstacle(context)


def feature_metrics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `self_consistency` and `feature_correlation` of a candidate; nothing where no column was derived.

    Each needs the package that derived the column, and is left out without it.
    """
    from paracosm.eval.statistics.intervals import around

    columns: list[DerivedColumn] = context.once("derived columns", lambda: _derived(context))
    if not columns:
        return {}
    rows = _sample(context, candidate)
    again = _extract(context, columns, rows)
    agreed = np.array(
        [column.agreement(rows[column.field.name], again[column.field.name]) for column in columns]
    )
    of_rows = agreed.mean(axis=0)
    estimates = {
        "self_consistency": around(
            float(of_rows.mean()),
            float(of_rows.var(ddof=1) / len(of_rows)),
            (0.0, 1.0),
            breakdown={
                column.field.name: float(values.mean())
                for column, values in zip(columns, agreed, strict=True)
            },
            facts={"rows": len(rows), "columns": [column.field.name for column in columns]},
        )
    }
    if (difference := _correlation(context, columns, rows, again)) is not None:
        estimates["feature_correlation"] = difference
    return estimates


def _named(context: Context) -> list[DerivedColumn]:
    """Return the columns that are named as if they had been derived."""
    texts = [field.name for field in context.fields if field.is_text]
    named = ((field, derived_kind(field.name, texts)) for field in context.fields)
    return [DerivedColumn(field, *kind) for field, kind in named if kind is not None]


def _derived(context: Context) -> list[DerivedColumn]:
    """Return the columns that train confirms to be derived from their texts by what is installed here."""
    rows = _sample(context, context.train)
    confirmed = []
    for column in _named(context):
        try:
            again = _extract(context, [column], rows)
        except (DataError, MissingExtraError):
            continue
        agreed = column.agreement(rows[column.field.name], again[column.field.name])
        if agreed.mean() >= LEAST_AGREEMENT:
            confirmed.append(column)
    return confirmed


def _sample(context: Context, table: pd.DataFrame) -> pd.DataFrame:
    """Return random rows whose texts are all present."""
    texts = [field.name for field in context.fields if field.is_text]
    most = min(MOST_ROWS, max(context.size, 2))
    present = table.dropna(subset=texts) if table[texts].notna().all(axis=1).sum() >= 2 else table
    return present.iloc[drawn_rows(len(present), most, context.settings.seed + 9)].reset_index(drop=True)


def _extract(context: Context, columns: Sequence[DerivedColumn], rows: pd.DataFrame) -> dict[str, Sequence]:
    """Return what the texts of some rows give for each column, by its name."""
    model = None if context.attackers is None else context.attackers.recipe.data.sentiment_model
    values: dict[str, Sequence] = {}
    for text in dict.fromkeys(column.text for column in columns):
        of_text = [column for column in columns if column.text == text]
        kinds = {column.kind: column.field.categories or () for column in of_text}
        found = derive_again(
            rows[text].astype("string").fillna("").tolist(), kinds, language=context.language, model=model
        )
        values |= {column.field.name: found[column.kind] for column in of_text}
    return values


def _correlation(
    context: Context, columns: Sequence[DerivedColumn], rows: pd.DataFrame, again: dict[str, Sequence]
) -> Estimate | None:
    """Return how far correlations of extracted features with numeric columns are from those in train; None without such pairs."""
    from paracosm.eval.representations.features import as_floats
    from paracosm.eval.statistics.jackknife import jackknifed

    scores = [column for column in columns if column.kind != PHRASES]
    derived = {column.field.name for column in _named(context)}
    numeric = [field for field in context.fields if field.ordered and field.name not in derived]

    def ranks(table: pd.DataFrame, found: dict[str, Sequence]) -> tuple[np.ndarray, np.ndarray]:
        of_scores = [np.array(found[column.field.name], dtype=float) for column in scores]
        return np.array(of_scores), np.array([as_floats(table[field.name], field) for field in numeric])

    if not scores or not numeric:
        return None
    train = _sample(context, context.train)
    real = context.once("features of train", lambda: _extract(context, columns, train))
    sides = (ranks(rows, again), ranks(train, real))
    in_train = _spearman(*sides[1])
    # Below two standard errors a correlation may be chance.
    least = max(LEAST_CORRELATION, 2 / np.sqrt(len(train)))
    pairs = np.argwhere(np.abs(in_train) >= least)
    if not len(pairs):
        return None
    at = tuple(pairs.T)

    def difference(chosen: np.ndarray, of_train: np.ndarray) -> float:
        one = _spearman(*(side[:, chosen] for side in sides[0]))[at]
        other = _spearman(*(side[:, of_train] for side in sides[1]))[at]
        return float(np.mean(np.abs(one - other)))

    found = _spearman(*sides[0])
    names = {(i, j): f"{scores[i].field.name} and {numeric[j].name}" for i, j in pairs.tolist()}
    estimate = jackknifed(difference, (len(rows), len(train)), context.settings.seed, (0.0, 2.0))
    return replace(
        estimate,
        breakdown={name: float(abs(found[i, j] - in_train[i, j])) for (i, j), name in names.items()},
        facts={
            "rows": len(rows),
            "correlation": {name: round(float(found[i, j]), 4) for (i, j), name in names.items()},
            "correlation_in_train": {name: round(float(in_train[i, j]), 4) for (i, j), name in names.items()},
        },
    )


def _spearman(scores: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the rank correlation of each score with each column (scores x columns) over rows where both are present; 0 for constants."""
    from scipy.stats import rankdata

    found = np.zeros((len(scores), len(columns)))
    for i, score in enumerate(scores):
        for j, column in enumerate(columns):
            both = ~np.isnan(score) & ~np.isnan(column)
            one, other = rankdata(score[both]), rankdata(column[both])
            if len(one) > 2 and one.std() > 0 and other.std() > 0:
                found[i, j] = np.corrcoef(one, other)[0, 1]
    return found


MEASURE = Measure(
    feature_metrics,
    (SELF_CONSISTENCY, FEATURE_CORRELATION),
    hybrid_candidates,
    feature_obstacle,
    Obstacle(
        "no column is derived from a text by what is installed here, or none correlates with a number",
        curable=False,
    ),
)
