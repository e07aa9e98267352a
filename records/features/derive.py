"""Columns of `data.features`, derived from the texts of a raw table, and derived again from any other texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data, FieldOverride
from paracosm.records.features.entities import common_types, entity_counts
from paracosm.records.features.phrases import key_phrases, vocabulary
from paracosm.records.features.sentiment import sentiment
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.schema.origin import origin_of, with_origin
from paracosm.records.text.cut_text import with_bounded_texts

SENTIMENT, ENTITIES, PHRASES = "sentiment", "entities", "phrases"


def with_features(
    raw: pd.DataFrame, part: np.ndarray, data: Data, language: str, progress: Progress = silent
) -> tuple[pd.DataFrame, np.ndarray, Data, tuple[str, ...]]:
    """Return a raw table with the columns of `data.features`, where its rows are from, the section with their types, and warnings.

    The columns stand before their text, so that a model draws them first and writes a text that fits. Those of a missing text are
    missing. Texts above `data.longest_text` are cut first, since features are of what the model sees.

    Args:
        raw: the raw table.
        part: where each row is from; shape (rows,).
        data: `rare.subjects` is the fewest texts of a key phrase.
        language: of the texts, as a code of two letters.
        progress: takes a line for each column of texts.

    Raises:
        DataError: a column does not exist or does not hold texts, or a derived one exists already.
        MissingExtraError: a package is not installed.
    """
    if not data.features:
        return raw, part, data, ()
    origin, names = origin_of(raw), list(data.features)
    for name in names:
        _check(name, raw, data)
    raw, part, warnings = with_bounded_texts(raw, part, names, data)
    fields: dict[str, FieldOverride] = {}
    for name, kinds in data.features.items():
        cells = to_source_strings(raw[name])
        present = cells.notna().to_numpy()
        texts = [str(cell) for cell in cells[present]]
        progress(f"features of {len(texts):,} texts in {name!r}: {', '.join(dict.fromkeys(kinds))}")
        derived = {}
        for column, (values, override) in _derived(name, texts, data, language, progress).items():
            if column in raw.columns:
                raise DataError(
                    f"data.features: there is a column {column!r} already; rename it, or leave out {name!r}"
                )
            derived[column] = pd.Series(pd.NA, index=raw.index, dtype="object")
            derived[column][present] = pd.Series(values, index=raw.index[present], dtype="object")
            fields[column] = override
        at = [str(column) for column in raw.columns].index(name)
        raw = pd.concat([raw.iloc[:, :at], pd.DataFrame(derived, index=raw.index), raw.iloc[:, at:]], axis=1)
    data = data.model_copy(update={"fields": fields | data.fields})
    return with_origin(raw, origin), part, data, warnings


def _derived(
    name: str, texts: Sequence[str], data: Data, language: str, progress: Progress
) -> dict[str, tuple[Sequence[Any], FieldOverride]]:
    """Return the values and the types of the columns of one column of texts, by their names."""
    kinds = data.features[name]
    columns: dict[str, tuple[Sequence[Any], FieldOverride]] = {}
    if SENTIMENT in kinds:
        score = sentiment(texts, data.sentiment_model)
        columns[f"{name}.{SENTIMENT}"] = (score, FieldOverride(type="number", minimum=-1, maximum=1))
    if ENTITIES in kinds:
        counts = entity_counts(texts, language)
        for label in common_types(counts):
            of_label = [of_text[label] for of_text in counts]
            columns[f"{name}.{ENTITIES}.{label}"] = (of_label, FieldOverride(type="integer"))
    if PHRASES in kinds:
        phrases = vocabulary(texts, data.rare.subjects)
        if phrases:
            found = key_phrases(texts, phrases)
            columns[f"{name}.{PHRASES}"] = (found, FieldOverride(type="category"))
        else:
            progress(
                f"features: {name!r} has no phrase that {data.rare.subjects} texts share and others lack"
            )
    return columns


def derived_kind(column: str, texts: Sequence[str]) -> tuple[str, str] | None:
    """Return the text that a column is named after and the kind of feature, such as `("note", "sentiment")`; None for no feature.

    Args:
        column: its name.
        texts: names of the columns of texts.
    """
    for text in texts:
        kind = column.removeprefix(f"{text}.")
        if kind != column and (kind in (SENTIMENT, PHRASES) or kind.startswith(f"{ENTITIES}.")):
            return text, kind
    return None


def derive_again(
    texts: Sequence[str], kinds: Mapping[str, Sequence[str]], *, language: str, model: str | None
) -> dict[str, list]:
    """Return the values of features of some texts, by kind.

    Args:
        texts: the texts.
        kinds: as `derived_kind` names them; of `phrases` the vocabulary, of others anything.
        language: of the texts.
        model: as `data.sentiment_model`.
    """
    found: dict[str, list] = {}
    if SENTIMENT in kinds:
        found[SENTIMENT] = sentiment(texts, model)
    if PHRASES in kinds:
        found[PHRASES] = key_phrases(texts, kinds[PHRASES])
    labels = [kind for kind in kinds if kind.startswith(f"{ENTITIES}.")]
    if labels:
        counts = entity_counts(texts, language)
        for kind in labels:
            found[kind] = [of_text[kind.removeprefix(f"{ENTITIES}.")] for of_text in counts]
    return found


def _check(name: str, raw: pd.DataFrame, data: Data) -> None:
    columns = [str(column) for column in raw.columns]
    if name not in columns:
        raise DataError(
            f"data.features: there is no column {name!r}{did_you_mean(name, columns) or '; there are: ' + ', '.join(columns[:12])}"
        )
    if pd.api.types.is_numeric_dtype(raw[name]) or pd.api.types.is_datetime64_any_dtype(raw[name]):
        raise DataError(f"data.features: the column {name!r} holds {raw[name].dtype} cells, not texts")
    declared = data.fields.get(name, FieldOverride()).type
    if declared not in (None, "text"):
        raise DataError(f"data.features: the column {name!r} is declared {declared}; features are of texts")
