"""Anchors: the tables that every metric is also measured on in place of the synthetic records.

The ceiling is real records that never trained, the floor is columns shuffled independently, the worst case a copy of train.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Anchor
from paracosm.records.schema.schema import Field
from paracosm.records.text.words import joined, pieces


def independent_marginals(table: pd.DataFrame, fields: Sequence[Field], rows: int, seed: int) -> pd.DataFrame:
    """Return `rows` records with each column shuffled independently: right marginals, no relation between columns.

    Texts are shuffled word by word within their column and keep their lengths, since shuffled whole texts would be copies.
    Above `len(table)` rows, whole shuffles are concatenated.
    """
    random = np.random.default_rng([seed, 11])
    shuffles = -(-rows // len(table))
    columns = {}
    for field in fields:
        order = np.concatenate([random.permutation(len(table)) for _ in range(shuffles)])[:rows]
        column = table[field.name].iloc[order].reset_index(drop=True)
        columns[field.name] = _shuffled_words(column, random) if field.is_text else column
    return pd.DataFrame(columns)


def _shuffled_words(column: pd.Series, random: np.random.Generator) -> pd.Series:
    words = [pieces(text) for text in column.dropna()]
    pool = np.array([word for text in words for word in text], dtype=object)
    random.shuffle(pool)
    ends = np.cumsum([len(text) for text in words])
    texts = [joined(list(pool[end - len(text) : end])) for text, end in zip(words, ends, strict=True)]
    shuffled = column.copy()
    shuffled[column.notna()] = texts
    return shuffled


def shuffled(context: Context, rows: int) -> pd.DataFrame:
    """Return the floor: `rows` records of train with each column shuffled independently."""
    return context.once(
        f"floor of {rows}",
        lambda: independent_marginals(context.train, context.fields, rows, context.settings.seed),
    )


def fidelity_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return the candidates of fidelity: synthetic records, held-out real ones, shuffled columns, a copy of train."""
    return {
        "synthetic": synthetic,
        "ceiling": context.held_out,
        "floor": shuffled(context, len(synthetic)),
        "worst": context.train,
    }


def text_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return the candidates of fidelity for texts, whose floor is records of the base model where `eval.floor` is `base`."""
    candidates = fidelity_candidates(context, synthetic)
    if context.untrained is not None:
        candidates["floor"] = context.untrained
    return candidates


def unseen_text_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return the candidates for texts that are scored by a model of control, so that the ceiling may not hold control.

    The ceiling is the test split, or one half of control in a context with the other half.
    """
    candidates = leakage_candidates(context, synthetic)
    if context.untrained is not None:
        candidates["floor"] = (context, context.untrained)
    return candidates


def utility_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return the tables that learners train on: synthetic records, train itself (the ceiling), shuffled columns."""
    return {"synthetic": synthetic, "ceiling": context.train, "floor": shuffled(context, len(context.train))}


def leakage_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return the candidates of privacy metrics; without a test split the ceiling is one half of control against the other."""
    if context.test is not None:
        clean = (context, context.test)
    else:
        reference, fresh = control_halves(context)
        clean = (
            _with_rows(context, "control", context.control, reference, "control"),
            context.control.iloc[fresh].reset_index(drop=True),
        )
    return {
        "synthetic": (context, synthetic),
        "ceiling": clean,
        "floor": (context, shuffled(context, len(synthetic))),
        "worst": (context, context.train),
    }


def attack_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return the candidates of membership inference attacks, calibrated on the test split or without one on half of control.

    The ceiling is one half of these reference records as the candidate, calibrated on the other half.
    """
    context = with_reference(context)
    assert context.test is not None
    order = np.random.default_rng([context.settings.seed, 37]).permutation(len(context.test))
    fresh, reference = np.array_split(order, 2)
    return {
        "synthetic": (context, synthetic),
        "ceiling": (
            _with_rows(context, "test", context.test, reference, "test"),
            context.test.iloc[fresh].reset_index(drop=True),
        ),
        "floor": (context, shuffled(context, len(synthetic))),
        "worst": (context, context.train),
    }


def with_reference(context: Context) -> Context:
    """Return the context with a test split: its own one, or else one half of control."""
    if context.test is not None:
        return context
    reference, rest = control_halves(context)
    with_test = _with_rows(context, "test", context.control, reference, "control")
    return _with_rows(with_test, "control", context.control, rest, "control")


def control_halves(context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers of two random halves of control; the second may have one more."""
    order = np.random.default_rng([context.settings.seed, 13]).permutation(len(context.control))
    return order[: len(order) // 2], order[len(order) // 2 :]


def _with_rows(
    context: Context, split: Literal["control", "test"], table: pd.DataFrame, rows: np.ndarray, source: str
) -> Context:
    """Return the context with the given rows of a table as control or test, and their subjects and identifiers.

    Args:
        context: to change.
        split: the split that is replaced.
        table: where the rows come from.
        rows: their numbers.
        source: the split that the table is, which knows the subjects and identifiers.
    """
    subjects, identifiers = dict(context.subjects), dict(context.identifiers)
    if source in subjects:
        subjects[split] = subjects[source][rows]
    if source in identifiers:
        identifiers[split] = [identifiers[source][row] for row in rows]
    part = table.iloc[rows].reset_index(drop=True)
    changed = replace(context, control=part) if split == "control" else replace(context, test=part)
    return replace(changed, subjects=subjects, identifiers=identifiers)
