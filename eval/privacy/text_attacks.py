"""Membership attacks on texts that see only the synthetic ones (Meeus et al. 2025, The Canary's Echo)."""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from paracosm.eval.representations.texts import BigramModel

NEIGHBOURS = 25
ROWS_A_BLOCK = 512


def text_scores(targets: list[str], candidate: list[str], reference: list[str]) -> dict[str, np.ndarray]:
    """Return the scores of three attacks, a target each.

    `bigrams`: mean log probability of a word under a smoothed 2-gram model of the synthetic texts minus the same under
    one of the reference texts. `similarity`: mean cosine of TF-IDF vectors with the 25 most similar synthetic texts
    minus the mean with the 25 most similar reference texts. `twin`: the cosine with the single most similar one.
    """
    ours, theirs = BigramModel.of(candidate), BigramModel.of(reference)
    vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\S+", max_features=50_000)
    if any(candidate):
        vectors.fit(candidate + reference)
        asked, known, strange = (
            csr_matrix(vectors.transform(each)) for each in (targets, candidate, reference)
        )
        to_known, to_strange = most_similar(asked, known), most_similar(asked, strange)
    else:
        to_known = to_strange = np.zeros((len(targets), 1))
    return {
        "bigrams": ours.mean_log_probability(targets) - theirs.mean_log_probability(targets),
        "similarity": to_known.mean(axis=1) - to_strange.mean(axis=1),
        "twin": to_known[:, 0],
    }


def most_similar(rows: csr_matrix, others: csr_matrix, count: int = NEIGHBOURS) -> np.ndarray:
    """Return the `count` largest products of each row with any other row, largest first (rows x count)."""
    count = min(count, len(others.indptr) - 1)
    turned, found = others.T.tocsr(), []
    for start in range(0, len(rows.indptr) - 1, ROWS_A_BLOCK):
        products = (rows[start : start + ROWS_A_BLOCK] @ turned).toarray()
        largest = -np.partition(-products, count - 1, axis=1)[:, :count]
        found.append(-np.sort(-largest, axis=1))
    return np.concatenate(found)
