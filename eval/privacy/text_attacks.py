"""Membership inference attacks on texts that see only the synthetic ones (Meeus et al. 2025, The Canary's Echo)."""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from paracosm.eval.representations.texts import BigramModel

NEIGHBOURS = 25
ROWS_A_BLOCK = 512


def text_scores(targets: list[str], candidate: list[str], reference: list[str]) -> dict[str, np.ndarray]:
    """Return the scores of three attacks for each target.

    `bigrams`: mean log probability of a word under a smoothed 2-gram model of the synthetic texts minus that under a model
    of the reference texts. `similarity`: mean cosine of TF-IDF vectors with the 25 most similar synthetic texts
    minus the mean with the 25 most similar reference texts. `twin`: the cosine with the single most
    similar synthetic text.
    """
    synthetic_model, reference_model = BigramModel.of(candidate), BigramModel.of(reference)
    vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\S+", max_features=50_000)
    if any(candidate):
        vectors.fit(candidate + reference)
        rows, synthetic, other = (
            csr_matrix(vectors.transform(side)) for side in (targets, candidate, reference)
        )
        to_synthetic, to_reference = most_similar(rows, synthetic), most_similar(rows, other)
    else:
        to_synthetic = to_reference = np.zeros((len(targets), 1))
    return {
        "bigrams": synthetic_model.mean_log_probability(targets)
        - reference_model.mean_log_probability(targets),
        "similarity": to_synthetic.mean(axis=1) - to_reference.mean(axis=1),
        "twin": to_synthetic[:, 0],
    }


def most_similar(rows: csr_matrix, others: csr_matrix, count: int = NEIGHBOURS) -> np.ndarray:
    """Return the `count` largest products of each row with any other row, largest first (rows x count)."""
    count = min(count, len(others.indptr) - 1)
    transposed, similarities = others.T.tocsr(), []
    for start in range(0, len(rows.indptr) - 1, ROWS_A_BLOCK):
        products = (rows[start : start + ROWS_A_BLOCK] @ transposed).toarray()
        largest = -np.partition(-products, count - 1, axis=1)[:, :count]
        similarities.append(-np.sort(-largest, axis=1))
    return np.concatenate(similarities)
