"""Named entities in texts: do synthetic texts mention persons, places, dates and amounts as often as real ones?"""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import Measure, same_context, text_obstacle
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle
from paracosm.eval.measuring.readings import interpret_distance
from paracosm.records.pii.detectors import MODELS, entity_labels, ner_model

MOST_TEXTS = 500
"""Texts of each side that are read: the model reads about fifty thousand letters a second."""
LONGEST_TEXT = 2000
EDGES = np.array([1, 2, 3, 5, 9, 17])
"""Numbers of entities in a text at which a new bin starts."""

ENTITY_JS = Metric(
    name="entity_js",
    title="Named entities (text): Jensen-Shannon divergence",
    section="fidelity",
    goal="down",
    range=(0.0, 1.0),
    source="Jensen-Shannon divergence (Lin 1991) of named entities, found by a spaCy model (Honnibal et al. 2020)",
    what="Whether persons, places, dates and amounts are mentioned in the same mixture, and as many in a text.",
    formula="mean of the Jensen-Shannon divergences, in bits, of the kinds of named entities and of their number in a text "
    "(0, 1, 2, 3-4, 5-8, 9-16, more)",
    read=interpret_distance,
    unit="plain",
)


def entity_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where named entities cannot be recognised, or None."""
    if (obstacle := text_obstacle(context)) is not None:
        return obstacle
    if context.language not in MODELS:
        return Obstacle(
            f"there is no named entity recogniser for the language {context.language!r}", curable=False
        )
    if find_spec("spacy") is None or ner_model(context.language) is None:
        if context.language == "en":
            return Obstacle(
                'needs a language model that finds names; install it with: pip install "paracosm[pii]"'
            )
        return Obstacle(
            f"needs the spaCy model {MODELS[context.language][0]} for texts in {context.language!r}"
        )
    return None


def entity_metrics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `entity_js`, in bits; nothing where real texts mention no entity.

    It is the mean of two Jensen-Shannon divergences: of the kinds of the entities, and of their number in a text.
    """
    from paracosm.eval.statistics.jackknife import jackknifed

    real = context.once("labels", lambda: _labels(context, context.train))
    synthetic = _labels(context, candidate)
    kinds = sorted({label for side in (synthetic, real) for labels in side for label in labels})
    if not any(real):
        return {}
    sides = [_counted(side, kinds) for side in (synthetic, real)]
    bins = [np.eye(len(EDGES) + 1)[np.digitize(side.sum(axis=1), EDGES)] for side in sides]

    def divergences(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
        of_kinds = jensen_shannon(sides[0][a].sum(axis=0), sides[1][b].sum(axis=0))
        return of_kinds, jensen_shannon(bins[0][a].sum(axis=0), bins[1][b].sum(axis=0))

    rows = (len(synthetic), len(real))
    estimate = jackknifed(
        lambda a, b: float(np.mean(divergences(a, b))), rows, context.settings.seed, (0.0, 1.0)
    )
    of_kinds, of_numbers = divergences(np.arange(rows[0]), np.arange(rows[1]))
    facts = {
        "texts_each_side": min(rows),
        "model": ner_model(context.language),
        "mentions_in_train": int(sides[1].sum()),
    }
    return {
        "entity_js": replace(
            estimate, breakdown={"kinds": of_kinds, "mentions a text": of_numbers}, facts=facts
        )
    }


def jensen_shannon(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Jensen-Shannon divergence of two counts in bits: 0 if equal, 1 if they share nothing (Lin 1991)."""
    shares = [counts / counts.sum() if counts.sum() else np.zeros(len(counts)) for counts in (one, other)]
    if not shares[0].any() or not shares[1].any():
        return 0.0 if not shares[0].any() and not shares[1].any() else 1.0
    middle = (shares[0] + shares[1]) / 2
    divergences = [share[share > 0] @ np.log2(share[share > 0] / middle[share > 0]) for share in shares]
    return float(np.clip(sum(divergences) / 2, 0.0, 1.0))


def _labels(context: Context, table: pd.DataFrame) -> list[list[str]]:
    """Return the labels of the named entities of each text, in random order of the records."""
    from paracosm.eval.representations.features import as_texts

    drawn = np.random.default_rng([context.settings.seed, 71]).permutation(len(table))
    rows = table.iloc[drawn[: min(MOST_TEXTS, context.size)]]
    columns = [as_texts(rows[field.name]) for field in context.fields if field.is_text]
    return entity_labels(
        ["\n".join(parts)[:LONGEST_TEXT] for parts in zip(*columns, strict=True)], language=context.language
    )


def _counted(labels: Sequence[Sequence[str]], kinds: Sequence[str]) -> np.ndarray:
    """Return how often each text mentions each kind (texts x kinds)."""
    column = {kind: number for number, kind in enumerate(kinds)}
    counts = np.zeros((len(labels), max(1, len(kinds))))
    for row, of_text in enumerate(labels):
        for label in of_text:
            counts[row, column[label]] += 1
    return counts


MEASURE = Measure(
    entity_metrics,
    (ENTITY_JS,),
    same_context(fidelity_candidates),
    entity_obstacle,
    Obstacle("the real texts mention no person, place, date or amount", curable=False),
)
