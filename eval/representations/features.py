"""Records as numbers: the matrices that classifiers read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from paracosm.eval.measuring.context import DISCRETE, NUMERIC
from paracosm.records.schema.schema import Field

MISSING = "\x00missing"
MOST_CODES = 250
FEWEST_PRESENT = 10
SECONDS_A_DAY = 86_400.0


def as_floats(column: pd.Series, field: Field) -> np.ndarray:
    """Return a numeric, datetime or boolean column as float64; missing is NaN, a datetime counts in days."""
    if field.type == "datetime":
        days = (column - pd.Timestamp("2000-01-01")).dt.total_seconds() / SECONDS_A_DAY
        return days.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)


def as_words(column: pd.Series) -> np.ndarray:
    """Return a category, boolean or text column as str objects; missing is a mark that no value equals."""
    return column.astype("string").fillna(MISSING).to_numpy(dtype=object)


def as_texts(column: pd.Series) -> list[str]:
    """Return a text column as str; missing is empty."""
    return column.astype("string").fillna("").tolist()


def plain_frame(table: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    """Return `table` with numeric columns as float64 and the others as str, ready for scikit-learn."""
    columns: dict[str, Any] = {}
    for each in fields:
        if each.type in NUMERIC:
            columns[each.name] = as_floats(table[each.name], each)
        elif each.type in DISCRETE:
            columns[each.name] = as_words(table[each.name])
        else:
            columns[each.name] = as_texts(table[each.name])
    return pd.DataFrame(columns)


def tree_features(
    fit_on: pd.DataFrame, tables: Sequence[pd.DataFrame], fields: Sequence[Field], *, components: int = 24
) -> tuple[list[np.ndarray], np.ndarray]:
    """Encode tables for gradient boosting.

    Numbers stay as they are (missing is NaN; with fewer than 10 present only whether one is); categories become codes by frequency in `fit_on`, rare ones beyond
    250 sharing one; a text becomes its length and the first `components` axes of its TF-IDF vectors.

    Returns:
        One float64 matrix (rows x features) a table, and a mask of the features that are category codes.
    """
    blocks: list[list[np.ndarray]] = [[] for _ in tables]
    is_code: list[bool] = []
    for each in fields:
        if each.type in NUMERIC:
            encoded = [as_floats(table[each.name], each)[:, None] for table in tables]
            if fit_on[each.name].count() < FEWEST_PRESENT:
                encoded = [np.isnan(values).astype(np.float64) for values in encoded]
        elif each.type in DISCRETE:
            encoded = _codes(fit_on[each.name], [table[each.name] for table in tables])
        else:
            encoded = _text_axes(
                as_texts(fit_on[each.name]), [as_texts(table[each.name]) for table in tables], components
            )
        is_code += [each.type in DISCRETE] * encoded[0].shape[1]
        for block, matrix in zip(blocks, encoded, strict=True):
            block.append(matrix)
    return [np.hstack(block) for block in blocks], np.array(is_code)


def _codes(fit_on: pd.Series, columns: Sequence[pd.Series]) -> list[np.ndarray]:
    common = pd.Series(as_words(fit_on)).value_counts().index[:MOST_CODES]
    code = {word: number for number, word in enumerate(sorted(common))}
    return [
        np.array([code.get(word, len(code)) for word in as_words(column)], dtype=np.float64)[:, None]
        for column in columns
    ]


def _text_axes(fit_on: list[str], columns: Sequence[list[str]], components: int) -> list[np.ndarray]:
    lengths = [
        np.array([[len(text), text.count(" ")] for text in texts], dtype=np.float64) for texts in columns
    ]
    words = TfidfVectorizer(sublinear_tf=True, max_features=20_000, token_pattern=r"(?u)\b\w+\b")
    if not any(any(map(str.isalnum, text)) for text in fit_on):
        return lengths
    weights = words.fit_transform(fit_on)
    axes = min(components, weights.shape[0] - 1, weights.shape[1] - 1)
    if axes < 1:
        return lengths
    rotation = TruncatedSVD(axes, random_state=0).fit(weights)
    return [
        np.hstack([length, rotation.transform(words.transform(texts))])
        for length, texts in zip(lengths, columns, strict=True)
    ]


def linear_features(fields: Sequence[Field], table: pd.DataFrame) -> ColumnTransformer:
    """Return an unfitted encoder of `plain_frame` tables for logistic and ridge regression on `table`.

    Numbers are standardised, their missing cells filled with the median and marked; categories are one-hot; a text
    is its TF-IDF vector over words.
    """
    parts: list[tuple[str, Any, Any]] = []
    for each in fields:
        if each.type in NUMERIC:
            scale = make_pipeline(
                SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
                StandardScaler(),
            )
            parts.append((each.name, scale, [each.name]))
        elif each.type in DISCRETE:
            encoder = OneHotEncoder(handle_unknown="ignore", max_categories=MOST_CODES)
            parts.append((each.name, encoder, [each.name]))
        elif any(text.strip() for text in as_texts(table[each.name])):
            vector = TfidfVectorizer(sublinear_tf=True, max_features=20_000, token_pattern=r"(?u)\S+")
            parts.append((each.name, vector, each.name))
    return ColumnTransformer(parts)
