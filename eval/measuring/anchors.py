"""Anchors: what every metric is also measured on, as if it were synthetic: the ceiling, the floor and the worst case."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Anchor
from paracosm.records.schema.schema import Field


def independent_marginals(table: pd.DataFrame, fields: Sequence[Field], rows: int, seed: int) -> pd.DataFrame:
    """Return `rows` records whose columns are each shuffled alone: right marginals, no relation between columns.

    A text is drawn word by word from all words of its column, at the length of some text: shuffling whole texts would
    copy them. Above `len(table)` rows, whole shuffles follow each other.
    """
    random = np.random.default_rng([seed, 11])
    shuffles = -(-rows // len(table))
    columns = {}
    for each in fields:
        order = np.concatenate([random.permutation(len(table)) for _ in range(shuffles)])[:rows]
        column = table[each.name].iloc[order].reset_index(drop=True)
        columns[each.name] = _shuffled_words(column, random) if each.type == "text" else column
    return pd.DataFrame(columns)


def _shuffled_words(column: pd.Series, random: np.random.Generator) -> pd.Series:
    words = [text.split() for text in column.dropna()]
    pool = np.array([word for text in words for word in text], dtype=object)
    random.shuffle(pool)
    ends = np.cumsum([len(text) for text in words])
    texts = [" ".join(pool[end - len(text) : end]) for text, end in zip(words, ends, strict=True)]
    shuffled = column.copy()
    shuffled[column.notna()] = texts
    return shuffled


def shuffled(context: Context, rows: int) -> pd.DataFrame:
    """Return the floor: `rows` records of train with every column shuffled alone."""
    return context.once(
        f"floor of {rows}",
        lambda: independent_marginals(context.train, context.fields, rows, context.settings.seed),
    )


def fidelity_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return what is handed in as if synthetic: held-out real records, shuffled columns, a copy of train."""
    return {
        "synthetic": synthetic,
        "ceiling": context.held_out,
        "floor": shuffled(context, len(synthetic)),
        "worst": context.train,
    }


def text_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return the same for texts, whose floor can be records that the base model wrote without the adapter."""
    candidates = fidelity_candidates(context, synthetic)
    if context.untrained is not None:
        candidates["floor"] = context.untrained
    return candidates


def unseen_text_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return the same where control serves as a yardstick: the ceiling is the test split, or half of control by the other."""
    candidates = leakage_candidates(context, synthetic)
    if context.untrained is not None:
        candidates["floor"] = (context, context.untrained)
    return candidates


def utility_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return what learners train on: synthetic records, train itself (the ceiling), shuffled columns."""
    return {"synthetic": synthetic, "ceiling": context.train, "floor": shuffled(context, len(context.train))}


def leakage_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return what is attacked; the ceiling is the test split, or without one a half of control against the other."""
    if context.test is not None:
        clean = (context, context.test)
    else:
        known, fresh = control_halves(context)
        clean = (_with_control(context, known), context.control.iloc[fresh].reset_index(drop=True))
    return {
        "synthetic": (context, synthetic),
        "ceiling": clean,
        "floor": (context, shuffled(context, len(synthetic))),
        "worst": (context, context.train),
    }


def attack_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return what membership attacks are tried on; the test split is their reference, or without one half of control.

    The ceiling is one half of the reference handed in as if synthetic, with the other half as its reference.
    """
    context = with_reference(context)
    assert context.test is not None
    order = np.random.default_rng([context.settings.seed, 37]).permutation(len(context.test))
    fresh, reference = np.array_split(order, 2)
    return {
        "synthetic": (context, synthetic),
        "ceiling": (
            replace(context, test=context.test.iloc[reference].reset_index(drop=True)),
            context.test.iloc[fresh].reset_index(drop=True),
        ),
        "floor": (context, shuffled(context, len(synthetic))),
        "worst": (context, context.train),
    }


def with_reference(context: Context) -> Context:
    """Return the context with a test split: its own, or else a half of control."""
    if context.test is not None:
        return context
    reference, kept = control_halves(context)
    return replace(_with_control(context, kept), test=context.control.iloc[reference].reset_index(drop=True))


def control_halves(context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers of two random halves of control; the second may have one more."""
    order = np.random.default_rng([context.settings.seed, 13]).permutation(len(context.control))
    return order[: len(order) // 2], order[len(order) // 2 :]


def _with_control(context: Context, rows: np.ndarray) -> Context:
    """Return the context with some rows of control alone, and what is known of whom they are about."""
    subjects, identifiers = dict(context.subjects), dict(context.identifiers)
    if "control" in subjects:
        subjects["control"] = subjects["control"][rows]
    if "control" in identifiers:
        identifiers["control"] = [identifiers["control"][row] for row in rows]
    return replace(
        context,
        control=context.control.iloc[rows].reset_index(drop=True),
        subjects=subjects,
        identifiers=identifiers,
    )
