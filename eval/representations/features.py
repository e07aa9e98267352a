"""Encode tables as feature matrices for tree and linear models."""

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

from paracosm.records.schema.schema import Field
from paracosm.records.text.words import NO_PATTERN, verbatim_words, words

MISSING = "\x00missing"
MOST_CODES = 250
FEWEST_PRESENT = 10


def as_floats(column: pd.Series, field: Field) -> np.ndarray:
    """Return a numeric, datetime or boolean column as float64; missing cells are NaN, datetimes are in days."""
    return field.kind.floats(column)


def as_words(column: pd.Series) -> np.ndarray:
    """Return a category, boolean or text column as str objects; missing cells are `MISSING`, which equals no value."""
    return column.astype("string").fillna(MISSING).to_numpy(dtype=object)


def as_texts(column: pd.Series) -> list[str]:
    """Return a text column as str; missing cells are empty."""
    return column.astype("string").fillna("").tolist()


def plain_frame(table: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    """Return `table` with numeric columns as float64 and the others as str, ready for scikit-learn."""
    columns: dict[str, Any] = {}
    for field in fields:
        if field.ordered:
            columns[field.name] = as_floats(table[field.name], field)
        elif field.discrete:
            columns[field.name] = as_words(table[field.name])
        else:
            columns[field.name] = as_texts(table[field.name])
    return pd.DataFrame(columns)


def tree_features(
    fit_on: pd.DataFrame, tables: Sequence[pd.DataFrame], fields: Sequence[Field], *, components: int = 24
) -> tuple[list[np.ndarray], np.ndarray]:
    """Encode tables for gradient boosting.

    Numbers are kept, with NaN for missing cells; a column with fewer than 10 present values becomes a missing flag.
    Categories become codes, where all but the 250 most frequent ones share a code. A text becomes its length, its number
    of spaces and the first axes of its TF-IDF vector.

    Args:
        fit_on: table from which category codes and text axes are learned.
        tables: to encode.
        fields: of the tables.
        components: axes of a text, at most.

    Returns:
        One float64 matrix (rows x features) for each table, and a mask of the features that are category codes.
    """
    blocks: list[list[np.ndarray]] = [[] for _ in tables]
    is_code: list[bool] = []
    for field in fields:
        columns = [table[field.name] for table in tables]
        if field.ordered:
            encoded = [as_floats(column, field)[:, None] for column in columns]
            if fit_on[field.name].count() < FEWEST_PRESENT:
                encoded = [np.isnan(values).astype(np.float64) for values in encoded]
        elif field.discrete:
            encoded = _codes(fit_on[field.name], columns)
        else:
            encoded = _text_axes(
                as_texts(fit_on[field.name]), [as_texts(column) for column in columns], components
            )
        is_code += [field.discrete] * encoded[0].shape[1]
        for block, matrix in zip(blocks, encoded, strict=True):
            block.append(matrix)
    return [np.hstack(block) for block in blocks], np.array(is_code)


def _codes(fit_on: pd.Series, columns: Sequence[pd.Series]) -> list[np.ndarray]:
    """Return each column as category codes; values that are rare or absent in `fit_on` share the last code."""
    common = pd.Series(as_words(fit_on)).value_counts().index[:MOST_CODES]
    code = {word: number for number, word in enumerate(sorted(common))}
    return [
        np.array([code.get(word, len(code)) for word in as_words(column)], dtype=np.float64)[:, None]
        for column in columns
    ]


def _text_axes(fit_on: list[str], columns: Sequence[list[str]], components: int) -> list[np.ndarray]:
    """Return length, number of spaces and the first latent axes (truncated SVD of TF-IDF) of every text."""
    lengths = [
        np.array([[len(text), text.count(" ")] for text in texts], dtype=np.float64) for texts in columns
    ]
    vectors = TfidfVectorizer(
        sublinear_tf=True, max_features=20_000, token_pattern=NO_PATTERN, tokenizer=words
    )
    if not any(any(map(str.isalnum, text)) for text in fit_on):
        return lengths
    matrix = vectors.fit_transform(fit_on)
    axes = min(components, matrix.shape[0] - 1, matrix.shape[1] - 1)
    if axes < 1:
        return lengths
    rotation = TruncatedSVD(axes, random_state=0).fit(matrix)
    return [
        np.hstack([length, rotation.transform(vectors.transform(texts))])
        for length, texts in zip(lengths, columns, strict=True)
    ]


def linear_features(fields: Sequence[Field], table: pd.DataFrame) -> ColumnTransformer:
    """Return an unfitted encoder of `plain_frame` tables for logistic and ridge regression.

    Numbers are standardised, with missing cells imputed by the median and flagged. Categories are one-hot. A text is its
    TF-IDF vector over words.

    Args:
        fields: to encode.
        table: decides which text columns are empty and left out.
    """
    parts: list[tuple[str, Any, Any]] = []
    # Numbered, because scikit-learn allows no double underscore in these names.
    for index, field in enumerate(fields):
        if field.ordered:
            scale = make_pipeline(
                SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
                StandardScaler(),
            )
            parts.append((str(index), scale, [field.name]))
        elif field.discrete:
            encoder = OneHotEncoder(handle_unknown="ignore", max_categories=MOST_CODES)
            parts.append((str(index), encoder, [field.name]))
        elif any(text.strip() for text in as_texts(table[field.name])):
            vector = TfidfVectorizer(
                sublinear_tf=True, max_features=20_000, token_pattern=NO_PATTERN, tokenizer=verbatim_words
            )
            parts.append((str(index), vector, field.name))
    return ColumnTransformer(parts)
