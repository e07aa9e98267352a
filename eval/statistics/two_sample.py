"""How far two samples of vectors are apart: MAUVE, Fréchet distance, maximum mean discrepancy; and how varied one is."""

import numpy as np
from scipy.linalg import eigvalsh
from scipy.spatial.distance import cdist, pdist
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

EXPLAINED = 0.9
FRONTIER = 25
SCALING = 5.0
FRECHET_AXES = 50


def mauve(ours: np.ndarray, theirs: np.ndarray, *, clusters: int | None = None, seed: int = 0) -> float:
    """Return MAUVE of two samples (rows x axes), in (0, 1] (Pillutla et al. 2021, section 3 and appendix).

    The vectors are reduced to the principal axes that explain 90%, quantised together by k-means into a tenth as many
    clusters as a sample has rows, and the two histograms compared along 25 mixtures with scaling 5.
    """
    return mauve_of_clusters(*quantised(ours, theirs, clusters=clusters, seed=seed))


def quantised(
    ours: np.ndarray, theirs: np.ndarray, *, clusters: int | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cluster of every row of both samples, clustered together."""
    both = np.vstack([ours, theirs])
    reduced = PCA(EXPLAINED, svd_solver="full").fit_transform(both)
    count = clusters or max(2, round(min(len(ours), len(theirs)) / 10))
    means = KMeans(count, n_init=3, max_iter=100, random_state=seed)  # type: ignore[arg-type]  # scikit-learn is untyped
    labels = means.fit_predict(reduced)
    return labels[: len(ours)], labels[len(ours) :]


def mauve_of_clusters(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the area under the divergence frontier of two samples of cluster numbers."""
    count = int(max(ours.max(), theirs.max())) + 1
    p, q = (np.bincount(each, minlength=count) / len(each) for each in (ours, theirs))
    shares = np.linspace(0, 1, FRONTIER + 2)[1:-1]
    across, up = [0.0], [1.0]
    for share in shares:
        middle = share * p + (1 - share) * q
        across.append(np.exp(-SCALING * _kl(q, middle)))
        up.append(np.exp(-SCALING * _kl(p, middle)))
    points = np.array([*zip(across, up, strict=True), (1.0, 0.0)])
    points = points[np.lexsort((-points[:, 1], points[:, 0]))]
    return float(np.trapezoid(points[:, 1], points[:, 0]))


def _kl(one: np.ndarray, other: np.ndarray) -> float:
    there = one > 0
    return float((one[there] * np.log(one[there] / other[there])).sum())


def frechet(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the squared Fréchet distance of normal distributions fitted to two samples (Heusel et al. 2017)."""
    one, other = np.atleast_2d(np.cov(ours, rowvar=False)), np.atleast_2d(np.cov(theirs, rowvar=False))
    # The trace of the root of a product of two covariances is the sum of the roots of its eigenvalues.
    roots = np.sqrt(np.maximum(np.real(np.linalg.eigvals(one @ other)), 0.0))
    return float(((ours.mean(0) - theirs.mean(0)) ** 2).sum() + np.trace(one + other) - 2 * roots.sum())


def kernel(rows: np.ndarray, others: np.ndarray, width: float) -> np.ndarray:
    """Return the Gaussian kernel of every pair (rows x others)."""
    return np.exp(-cdist(rows, others, "sqeuclidean") / (2 * width**2))


def median_distance(rows: np.ndarray) -> float:
    """Return the median distance of two rows: the usual width of the kernel."""
    return float(np.median(pdist(rows[:500]))) or 1.0


def unbiased_mmd(inside: np.ndarray, inside_other: np.ndarray, across: np.ndarray) -> float:
    """Return the unbiased squared maximum mean discrepancy (Gretton et al. 2012, lemma 6) from three kernel matrices."""
    n, m = len(inside), len(inside_other)
    return float(
        (inside.sum() - np.trace(inside)) / (n * (n - 1))
        + (inside_other.sum() - np.trace(inside_other)) / (m * (m - 1))
        - 2 * across.mean()
    )


def vendi(similarity: np.ndarray) -> float:
    """Return the effective number of different rows: exp of the entropy of K / n (Friedman & Dieng 2023)."""
    values = eigvalsh(similarity / len(similarity))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
