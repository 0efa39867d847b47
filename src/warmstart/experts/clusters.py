"""Groups of rows that lie close together, none of them small."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from warmstart.errors import ConfigError

KMEANS, HDBSCAN = "kmeans", "hdbscan"
METHODS = (KMEANS, HDBSCAN)
DIM = 48  # directions that are clustered
SAMPLE = 50_000  # rows that find the centres of k-means; the others join the nearest
DENSE = 4  # HDBSCAN counts as a cluster what holds one part in so many of an even share


def cluster(vectors: np.ndarray, k: int, method: str = KMEANS, seed: int = 0) -> np.ndarray:
    """Cluster of each row: int64, shape (n,), -1 = in none.

    Parameters
    ----------
    vectors
        float32, shape (n, d).
    k
        Number of clusters of "kmeans". "hdbscan" finds their number: k says how small one may be, ``n / (4 k)`` rows.
    method
        "kmeans", or "hdbscan", which leaves rows out (Campello, Moulavi and Sander, PAKDD 2013).
    seed
        Of the first centres, and of the rows that find them.

    Raises
    ------
    ConfigError
        If there is no such method.

    Examples
    --------
    >>> cluster(np.array([[0.0], [0.1], [5.0], [5.1]], np.float32), 2).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    True
    """
    from sklearn.cluster import HDBSCAN as Dense
    from sklearn.cluster import KMeans

    if method not in METHODS:
        raise ConfigError(f"method={method!r} is unknown; use {KMEANS} or {HDBSCAN}")
    with threadpool_limits(1):  # sums of several threads come in any order, and equal data would give unequal clusters
        if method == HDBSCAN:
            found = Dense(min_cluster_size=max(2, len(vectors) // (DENSE * k)), copy=True).fit(vectors)
            return np.asarray(found.labels_, np.int64)
        rows = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
        distinct = len(np.unique(vectors[rows], axis=0))
        model = KMeans(max(1, min(k, distinct)), n_init=1, random_state=seed).fit(vectors[np.sort(rows)])
        return np.asarray(model.predict(vectors), np.int64)


def main_directions(vectors: np.ndarray, dim: int = DIM) -> np.ndarray:
    """Rows along their directions of most variance: float32, shape (n, at most dim)."""
    centred = (vectors - vectors.mean(0)).astype(np.float64)
    _, basis = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ basis[:, ::-1][:, :dim], np.float32)


def settled(labels: np.ndarray, least: int) -> np.ndarray:
    """Clusters numbered from the largest on; those of fewer than ``least`` rows, and rows of none, are one together.

    Where that one is small as well, its rows are in none.

    Examples
    --------
    >>> settled(np.array([4, 4, 0, 0, 0, 7, -1]), least=2).tolist()
    [1, 1, 0, 0, 0, 2, 2]
    >>> settled(np.array([0, 0, 0, 1, -1]), least=3).tolist()
    [0, 0, 0, -1, -1]
    """
    number, at, counts = np.unique(labels, return_inverse=True, return_counts=True)
    large = np.flatnonzero((counts >= least) & (number >= 0))
    large = large[np.argsort(-counts[large], kind="stable")]
    rank = np.full(len(number), len(large))
    rank[large] = np.arange(len(large))
    out: np.ndarray = rank[at]
    if (out == len(large)).sum() < least:
        out[out == len(large)] = -1
    return out
