"""Do synthetic texts mention persons, places, dates and amounts as often, and as many at once, as the real ones do?"""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import text_obstacle
from paracosm.eval.measuring.metric import Estimate, Obstacle
from paracosm.eval.representations.features import as_texts
from paracosm.eval.statistics.jackknife import jackknifed
from paracosm.records.pii.detectors import entity_labels, ner_model

MOST_TEXTS = 500
"""Texts of each side that are read: the model reads about fifty thousand letters a second."""
LONGEST_TEXT = 2000
EDGES = np.array([1, 2, 3, 5, 9, 17])
"""Where the number of mentions in a text is cut into bins."""


def entity_obstacle(context: Context) -> Obstacle | None:
    """Return why mentions cannot be read, or None."""
    if (found := text_obstacle(context)) is not None:
        return found
    if find_spec("spacy") is None or ner_model("en") is None:
        return Obstacle(
            'needs a language model that finds names; install it with: pip install "paracosm[pii]"'
        )
    return None


def entity_figures(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `entity_js`: the mean Jensen-Shannon divergence, in bits, of the kinds of what texts mention, and of how

    many mentions a text has. Nothing where real texts mention nothing.
    """
    theirs = context.once("labels", lambda: _labels(context, context.train))
    ours = _labels(context, candidate)
    kinds = sorted({label for side in (ours, theirs) for labels in side for label in labels})
    if not any(theirs):
        return {}
    sides = [_counted(side, kinds) for side in (ours, theirs)]
    bins = [np.eye(len(EDGES) + 1)[np.digitize(side.sum(axis=1), EDGES)] for side in sides]

    def divergences(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
        of_kinds = jensen_shannon(sides[0][a].sum(axis=0), sides[1][b].sum(axis=0))
        return of_kinds, jensen_shannon(bins[0][a].sum(axis=0), bins[1][b].sum(axis=0))

    rows = (len(ours), len(theirs))
    found = jackknifed(
        lambda a, b: float(np.mean(divergences(a, b))), rows, context.settings.seed, (0.0, 1.0)
    )
    each = divergences(np.arange(rows[0]), np.arange(rows[1]))
    facts = {"texts_each_side": min(rows), "model": ner_model("en"), "mentions_in_train": int(sides[1].sum())}
    return {
        "entity_js": replace(found, breakdown={"kinds": each[0], "mentions a text": each[1]}, facts=facts)
    }


def jensen_shannon(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Jensen-Shannon divergence of two counts, in bits: 0 when alike, 1 when they share nothing (Lin 1991)."""
    shares = [each / each.sum() if each.sum() else np.zeros(len(each)) for each in (one, other)]
    if not shares[0].any() or not shares[1].any():
        return 0.0 if not shares[0].any() and not shares[1].any() else 1.0
    middle = (shares[0] + shares[1]) / 2
    told = [share[share > 0] @ np.log2(share[share > 0] / middle[share > 0]) for share in shares]
    return float(np.clip(sum(told) / 2, 0.0, 1.0))


def _labels(context: Context, table: pd.DataFrame) -> list[list[str]]:
    drawn = np.random.default_rng([context.settings.seed, 71]).permutation(len(table))
    rows = table.iloc[drawn[: min(MOST_TEXTS, context.size)]]
    columns = [as_texts(rows[each.name]) for each in context.fields if each.type == "text"]
    return entity_labels(
        ["\n".join(parts)[:LONGEST_TEXT] for parts in zip(*columns, strict=True)], language="en"
    )


def _counted(labels: Sequence[Sequence[str]], kinds: Sequence[str]) -> np.ndarray:
    place = {kind: number for number, kind in enumerate(kinds)}
    counts = np.zeros((len(labels), max(1, len(kinds))))
    for row, each in enumerate(labels):
        for label in each:
            counts[row, place[label]] += 1
    return counts
