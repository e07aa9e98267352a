"""Are the synthetic texts about the same things, as often? Shares of topics on both sides."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer

from paracosm.eval.fidelity.columns import js_distance
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.representations.texts import compared_texts
from paracosm.eval.statistics.jackknife import jackknifed

AXES = 32
MOST_TOPICS = 20
TEXTS_A_TOPIC = 25
WORDS_OF_A_TOPIC = 3
FEWEST_TEXTS_OF_A_WORD = 20


@dataclass(frozen=True)
class _Topics:
    """Topics that were learnt from texts of train, and the topic of each of these texts."""

    encode: Pipeline
    means: KMeans
    names: list[str]
    """The words of each that stand out."""
    known: np.ndarray

    def of(self, texts: list[str]) -> np.ndarray:
        """Return the topic of each text."""
        return np.asarray(self.means.predict(self.encode.transform(texts)))


def topics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `topics`: 1 - the Jensen-Shannon distance (base 2) of the shares of topics among a candidate's texts and

    train's. Topics: k-means clusters of train's TF-IDF vectors on 32 axes, one for 25 texts and at most 20.
    """
    learnt: _Topics | None = context.once("topics", lambda: _learn(context))
    if learnt is None:
        return {}
    theirs = learnt.known
    ours = learnt.of(compared_texts(context, candidate))
    count = len(learnt.names)

    def alike(a: np.ndarray, b: np.ndarray) -> float:
        sides = [np.bincount(side, minlength=count)[None, :].astype(float) for side in (ours[a], theirs[b])]
        return 1 - float(js_distance(*sides)[0])

    shares = [np.bincount(side, minlength=count) / len(side) for side in (ours, theirs)]
    furthest = int(np.abs(shares[0] - shares[1]).argmax())
    facts = {
        "texts": len(ours),
        "texts_of_train": len(theirs),
        "topics": count,
        "furthest_off": learnt.names[furthest],
        "share": float(shares[0][furthest]),
        "share_of_real": float(shares[1][furthest]),
    }
    found = jackknifed(alike, (len(ours), len(theirs)), context.settings.seed, (0.0, 1.0))
    return {"topics": replace(found, facts=facts)}


def _learn(context: Context) -> _Topics | None:
    texts, seed = compared_texts(context, context.train), context.settings.seed
    count = min(MOST_TOPICS, len(texts) // TEXTS_A_TOPIC)
    if count < 2 or not any(letter.isalnum() for text in texts for letter in text):
        return None
    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", max_features=20_000)
    weights = words.fit_transform(texts)
    axes = min(AXES, weights.shape[1] - 1, len(texts) - 1)
    if axes < 2:
        return None
    encode = make_pipeline(words, TruncatedSVD(axes, random_state=seed), Normalizer())
    places = encode.fit_transform(texts)
    different = len(np.unique(places.round(6), axis=0))
    means = KMeans(min(count, different), n_init=3, random_state=seed)  # type: ignore[arg-type]  # scikit-learn is untyped
    known = means.fit_predict(places)
    vocabulary = words.get_feature_names_out()
    overall = np.asarray(weights.mean(axis=0))[0]
    # A name stands in the report: no word of a few records only.
    rare = np.bincount(weights.indices, minlength=weights.shape[1]) < FEWEST_TEXTS_OF_A_WORD
    names = []
    for topic in range(means.n_clusters):
        standing_out = np.asarray(weights[known == topic].mean(axis=0))[0] - overall
        standing_out[rare] = -np.inf
        named = [place for place in np.argsort(-standing_out)[:WORDS_OF_A_TOPIC] if standing_out[place] > 0]
        names.append(", ".join(vocabulary[named]) or "nothing in particular")
    return _Topics(encode, means, names, known) if len(names) > 1 else None
