"""Topics of texts: are the synthetic texts about the same things, as often?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import text_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import Measure, same_context, text_obstacle
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.measuring.readings import beside_anchor
from paracosm.records.text.words import NO_PATTERN, words

if TYPE_CHECKING:
    from sklearn.cluster import KMeans
    from sklearn.pipeline import Pipeline

AXES = 32
MOST_TOPICS = 20
TEXTS_A_TOPIC = 25
WORDS_OF_A_TOPIC = 3
FEWEST_TEXTS_OF_A_WORD = 20


def _interpret(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"{percentage(result.synthetic.value, 1)} of the mix of topics is right"
        f"{beside_anchor(result.ceiling, 'fresh real texts reach {}')}. "
        f"Furthest off among {facts['topics']}: texts about {facts['furthest_off']} "
        f"({percentage(facts['share'], 1)} of the synthetic ones, {percentage(facts['share_of_real'], 1)} of the real ones)."
    )


TOPICS = Metric(
    name="topics",
    title="Topic distribution (text)",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Jensen-Shannon distance (Lin 1991) of shares of topics: k-means on 32 axes of TF-IDF vectors of train",
    what="How much of the mix of topics the synthetic texts share with real texts; a topic is a group of texts with similar words.",
    formula="1 - Jensen-Shannon distance of the shares of at most 20 topics",
    read=_interpret,
    anchors="text",
)


@dataclass(frozen=True)
class _Topics:
    """Topics that were fitted to texts of train, and the topic of each of these texts."""

    encode: Pipeline
    means: KMeans
    names: list[str]
    """The words of each topic that stand out."""
    real: np.ndarray

    def of(self, texts: list[str]) -> np.ndarray:
        """Return the topic of each text."""
        return np.asarray(self.means.predict(self.encode.transform(texts)))


def topics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `topics`: 1 - the Jensen-Shannon distance (base 2) between the topic shares of a candidate and of train.

    Topics are k-means clusters of the TF-IDF vectors of train on 32 axes, one per 25 texts and at most 20.
    """
    from paracosm.eval.fidelity.distances import js_distance
    from paracosm.eval.representations.texts import compared_texts
    from paracosm.eval.statistics.jackknife import jackknifed

    fitted: _Topics | None = context.once("topics", lambda: _fit(context))
    if fitted is None:
        return {}
    real, synthetic = fitted.real, fitted.of(compared_texts(context, candidate))
    count = len(fitted.names)

    def similarity(a: np.ndarray, b: np.ndarray) -> float:
        sides = [
            np.bincount(side, minlength=count)[None, :].astype(float) for side in (synthetic[a], real[b])
        ]
        return 1 - float(js_distance(*sides)[0])

    shares = [np.bincount(side, minlength=count) / len(side) for side in (synthetic, real)]
    furthest = int(np.abs(shares[0] - shares[1]).argmax())
    facts = {
        "texts": len(synthetic),
        "texts_of_train": len(real),
        "topics": count,
        "furthest_off": fitted.names[furthest],
        "share": float(shares[0][furthest]),
        "share_of_real": float(shares[1][furthest]),
    }
    estimate = jackknifed(similarity, (len(synthetic), len(real)), context.settings.seed, (0.0, 1.0))
    return {"topics": replace(estimate, facts=facts)}


def _fit(context: Context) -> _Topics | None:
    """Return the topics of train; None where its texts are too few or too similar."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    from paracosm.eval.representations.texts import compared_texts

    texts, seed = compared_texts(context, context.train), context.settings.seed
    count = min(MOST_TOPICS, len(texts) // TEXTS_A_TOPIC)
    if count < 2 or not any(letter.isalnum() for text in texts for letter in text):
        return None
    vectors = TfidfVectorizer(
        sublinear_tf=True, token_pattern=NO_PATTERN, tokenizer=words, max_features=20_000
    )
    weights = vectors.fit_transform(texts)
    axes = min(AXES, weights.shape[1] - 1, len(texts) - 1)
    if axes < 2:
        return None
    encode = make_pipeline(vectors, TruncatedSVD(axes, random_state=seed), Normalizer())
    points = encode.fit_transform(texts)
    different = len(np.unique(points.round(6), axis=0))
    means = KMeans(min(count, different), n_init=3, random_state=seed)  # type: ignore[arg-type]  # scikit-learn is untyped
    real = means.fit_predict(points)
    vocabulary = vectors.get_feature_names_out()
    overall = np.asarray(weights.mean(axis=0))[0]
    # The name of a topic appears in the report, so a word of a few records only must not be part of it.
    rare = np.bincount(weights.indices, minlength=weights.shape[1]) < FEWEST_TEXTS_OF_A_WORD
    names = []
    for topic in range(means.n_clusters):
        excess = np.asarray(weights[real == topic].mean(axis=0))[0] - overall
        excess[rare] = -np.inf
        named = [word for word in np.argsort(-excess)[:WORDS_OF_A_TOPIC] if excess[word] > 0]
        names.append(", ".join(vocabulary[named]) or "nothing in particular")
    return _Topics(encode, means, names, real) if len(names) > 1 else None


MEASURE = Measure(
    topics,
    (TOPICS,),
    same_context(text_candidates),
    text_obstacle,
    Obstacle("the texts of train are too few or too much alike to make topics", curable=False),
)
