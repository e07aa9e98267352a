"""Two-sample statistics of vectors: MAUVE, Fréchet distance, maximum mean discrepancy; and the Vendi score of one."""

import numpy as np
from scipy.linalg import eigvalsh
from scipy.spatial.distance import cdist, pdist
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

EXPLAINED = 0.9
FRONTIER = 25
SCALING = 5.0
FRECHET_AXES = 50


def mauve(first: np.ndarray, second: np.ndarray, *, clusters: int | None = None, seed: int = 0) -> float:
    """Return MAUVE of two samples (rows x axes), in (0, 1] (Pillutla et al. 2021, section 3 and appendix).

    The vectors are reduced to the principal axes that explain 90% of the variance, cluster_labels together by k-means into
    one cluster for ten rows of the smaller sample, and the two histograms compared along 25 mixtures with scaling 5.

    Args:
        first: vectors of the first sample.
        second: vectors of the second sample.
        clusters: number of clusters, instead of a tenth of the rows.
        seed: of k-means.
    """
    return mauve_of_clusters(*cluster_labels(first, second, clusters=clusters, seed=seed))


def cluster_labels(
    first: np.ndarray, second: np.ndarray, *, clusters: int | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cluster number of every row of both samples, clustered together by k-means."""
    both = np.vstack([first, second])
    reduced = PCA(EXPLAINED, svd_solver="full").fit_transform(both)
    count = clusters or max(2, round(min(len(first), len(second)) / 10))
    means = KMeans(count, n_init=3, max_iter=100, random_state=seed)  # type: ignore[arg-type]  # scikit-learn is untyped
    labels = means.fit_predict(reduced)
    return labels[: len(first)], labels[len(first) :]


def mauve_of_clusters(first: np.ndarray, second: np.ndarray) -> float:
    """Return the area under the divergence frontier of two samples of cluster numbers."""
    count = int(max(first.max(), second.max())) + 1
    p, q = (np.bincount(labels, minlength=count) / len(labels) for labels in (first, second))
    x, y = [0.0], [1.0]
    for weight in np.linspace(0, 1, FRONTIER + 2)[1:-1]:
        mixture = weight * p + (1 - weight) * q
        x.append(np.exp(-SCALING * _kl(q, mixture)))
        y.append(np.exp(-SCALING * _kl(p, mixture)))
    points = np.array([*zip(x, y, strict=True), (1.0, 0.0)])
    points = points[np.lexsort((-points[:, 1], points[:, 0]))]
    return float(np.trapezoid(points[:, 1], points[:, 0]))


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    """Return the Kullback-Leibler divergence in nats; q is positive wherever p is."""
    positive = p > 0
    return float((p[positive] * np.log(p[positive] / q[positive])).sum())


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Return the squared Fréchet distance of normal distributions fitted to two samples (Heusel et al. 2017)."""
    p, q = np.atleast_2d(np.cov(first, rowvar=False)), np.atleast_2d(np.cov(second, rowvar=False))
    # The trace of the square root of a matrix is the sum of the square roots of its eigenvalues.
    roots = np.sqrt(np.maximum(np.real(np.linalg.eigvals(p @ q)), 0.0))
    return float(((first.mean(0) - second.mean(0)) ** 2).sum() + np.trace(p + q) - 2 * roots.sum())


def kernel(rows: np.ndarray, others: np.ndarray, width: float) -> np.ndarray:
    """Return the Gaussian kernel of every pair (rows x others)."""
    return np.exp(-cdist(rows, others, "sqeuclidean") / (2 * width**2))


def median_distance(rows: np.ndarray) -> float:
    """Return the median distance between rows, the usual bandwidth of a Gaussian kernel (from the first 500 rows)."""
    return float(np.median(pdist(rows[:500]))) or 1.0


def unbiased_mmd(first: np.ndarray, second: np.ndarray, between: np.ndarray) -> float:
    """Return the unbiased squared maximum mean discrepancy (Gretton et al. 2012, lemma 6) from three kernel matrices.

    Args:
        first: kernel within the first sample.
        second: kernel within the second sample.
        between: kernel of every row of the first with every row of the second.
    """
    n, m = len(first), len(second)
    return float(
        (first.sum() - np.trace(first)) / (n * (n - 1))
        + (second.sum() - np.trace(second)) / (m * (m - 1))
        - 2 * between.mean()
    )


def vendi(similarity: np.ndarray) -> float:
    """Return the Vendi score, the effective number of different rows: exp of the entropy of K / n (Friedman & Dieng 2023)."""
    values = eigvalsh(similarity / len(similarity))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
