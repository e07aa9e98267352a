"""Membership inference attacks on tables that see only the synthetic records: is a record suspiciously close to them?

Every attack gives each target a score, higher for members, from the synthetic records and from reference records that are known
not to have trained. The reference shows how close a record of this kind is to records that it has nothing to do with.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extractOne
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from threadpoolctl import threadpool_limits

from paracosm.eval.representations.features import MISSING, as_words, tree_features
from paracosm.eval.representations.row_distance import RowVectors, nearest
from paracosm.records.schema.schema import Field

PAIRS_AT_MOST = 1_000_000
"""Pairs of strings up to which all edit distances are computed; above, those of the likeliest candidates."""
EDIT_CANDIDATES = 32
EDIT_AXES = 512
COMPONENTS = 10
KERNELS_AT_ONCE = 20_000_000
SMALL = 5000


def distance_scores(
    vectors: RowVectors, targets: pd.DataFrame, candidate: pd.DataFrame, reference: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Return the scores of two attacks by the distance to the nearest record.

    `nearest`: minus the distance to the nearest synthetic record (Chen et al. 2020, GAN-Leaks). `nearest_calibrated`: the
    distance to the nearest reference record minus that to the nearest synthetic one.
    """
    rows = vectors(targets)
    to_synthetic = nearest(rows, vectors(candidate), 1).distance[:, 0]
    to_reference = nearest(rows, vectors(reference), 1).distance[:, 0]
    return {"nearest": -to_synthetic, "nearest_calibrated": to_reference - to_synthetic}


def density_scores(
    vectors: RowVectors, targets: pd.DataFrame, candidate: pd.DataFrame, reference: pd.DataFrame
) -> np.ndarray:
    """Return log p_synthetic(x) - log p_reference(x) (van Breugel et al. 2023, DOMIAS).

    Densities: Gaussian kernels with Scott's bandwidth on at most 10 whitened principal components.
    """
    synthetic, other = vectors(candidate), vectors(reference)
    components = min(COMPONENTS, other.shape[1], len(other) - 1, len(synthetic) - 1)
    # A draw, not the first rows: a file may be sorted.
    drawn = np.random.default_rng(0).permutation(len(synthetic))[: 20 * len(other)]
    shared = np.vstack([synthetic[drawn], other])
    axes = PCA(max(1, components), whiten=True, random_state=0).fit(shared)
    points = axes.transform(vectors(targets)).astype(np.float32)
    densities = [_log_density(points, axes.transform(side).astype(np.float32)) for side in (synthetic, other)]
    return densities[0] - densities[1]


def _log_density(points: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Return the log density of each point under Gaussian kernels at `kernels` (rows x axes)."""
    count, axes = kernels.shape
    width = count ** (-1 / (axes + 4))
    kernels, points = kernels / width, points / width
    lengths = np.einsum("ij,ij->i", kernels, kernels)
    step, densities = max(1, KERNELS_AT_ONCE // count), []
    for start in range(0, len(points), step):
        block = points[start : start + step]
        squared = np.einsum("ij,ij->i", block, block)[:, None] + lengths - 2 * (block @ kernels.T)
        closest = np.maximum(squared.min(axis=1, keepdims=True), 0)
        sums = np.exp(-(np.maximum(squared, 0) - closest) / 2).sum(axis=1)
        densities.append(np.log(sums) - closest[:, 0] / 2)
    return np.concatenate(densities).astype(np.float64) - np.log(count) - axes * np.log(width)


def ratio_scores(
    fields: Sequence[Field],
    targets: pd.DataFrame,
    candidate: pd.DataFrame,
    reference: pd.DataFrame,
    seed: int,
) -> np.ndarray:
    """Return the log odds of gradient boosting that a target is a synthetic record rather than a reference record."""
    both = pd.concat([candidate, reference], ignore_index=True)
    (features, target_features), is_code = tree_features(both, [both, targets], fields)
    labels = np.repeat([1, 0], [len(candidate), len(reference)])
    with threadpool_limits(1 if len(both) < SMALL else None):
        booster = HistGradientBoostingClassifier(
            learning_rate=0.1,
            max_iter=80,
            max_leaf_nodes=12,
            min_samples_leaf=int(np.clip(len(both) // 60, 4, 20)),
            categorical_features=is_code,  # type: ignore[arg-type]  # scikit-learn is untyped
            class_weight="balanced",
            early_stopping=False,  # type: ignore[arg-type]  # scikit-learn is untyped
            random_state=seed,
        ).fit(features, labels)
        return np.asarray(booster.decision_function(target_features), dtype=np.float64)


def edit_scores(
    fields: Sequence[Field], targets: pd.DataFrame, candidate: pd.DataFrame, reference: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Return the scores of two attacks by the edit distance between records written as text (LevAtt).

    `edit`: minus the smallest distance to a synthetic record; it finds digits that a language model memorised, which
    distances between ranks do not see. `edit_calibrated`: the smallest distance to a reference record minus that one.
    """
    texts = spelled(targets, fields)
    to_synthetic, to_reference = (
        smallest_edits(texts, spelled(side, fields)) for side in (candidate, reference)
    )
    return {"edit": -to_synthetic, "edit_calibrated": to_reference - to_synthetic}


def spelled(table: pd.DataFrame, fields: Sequence[Field]) -> list[str]:
    """Return each record as one string: its cells, joined by bars."""
    columns = [as_words(table[field.name]) for field in fields]
    return [
        "|".join("" if cell == MISSING else str(cell) for cell in row) for row in zip(*columns, strict=True)
    ]


def smallest_edits(texts: list[str], others: list[str]) -> np.ndarray:
    """Return the smallest Levenshtein distance of each text to any other.

    Exact up to a million pairs; above, among the 32 others that share most character 4-grams.
    """
    if len(texts) * len(others) <= PAIRS_AT_MOST:
        # The search stops reading a string where it cannot be nearer than the nearest so far.
        found = (extractOne(text, others, scorer=Levenshtein.distance) for text in texts)
        return np.array([one[1] for one in found], dtype=np.float64)
    hasher = HashingVectorizer(analyzer="char", ngram_range=(4, 4), n_features=EDIT_AXES, norm="l2")
    rows, other_rows = (
        csr_matrix(hasher.transform(side)).toarray().astype(np.float32) for side in (texts, others)
    )
    candidates = nearest(rows, other_rows, EDIT_CANDIDATES).index
    return np.array(
        [
            min(Levenshtein.distance(text, others[number]) for number in numbers)
            for text, numbers in zip(texts, candidates, strict=True)
        ],
        dtype=np.float64,
    )
