"""A tree of concepts over the items: a few coarse ones, parted into finer ones, parted again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.cluster.hierarchy import fcluster, linkage

from warmstart.errors import ConfigError
from warmstart.interests.members import Membership, of_paths

EXACT = 10_000  # items beyond which groups of items are joined: single ones take 8 n^2 bytes, 0.8 GB here
WIDE = 512  # directions beyond which the first 256 principal ones stand for all: distances cost as much as they count
GROUPS = 2_000


@dataclass(frozen=True)
class TreeSettings:
    """How many concepts a level has.

    Parameters
    ----------
    sizes
        Concepts of each level at most, coarse to fine, ascending; empty = by the number of items n:
        ``1.5 n^(1/4)``, ``n^(1/2)`` and ``n / 8``, the last at most 512.
    seed
        Of the groups in a catalogue of more than 10,000 items; of no account in a smaller one.
    """

    sizes: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if any(type(size) is not int or size < 1 for size in self.sizes) or list(self.sizes) != sorted(self.sizes):
            raise ConfigError(f"sizes={self.sizes} must be whole, 1 or more and ascending, e.g. (10, 40, 200)")

    def of(self, n: int) -> tuple[int, ...]:
        """Concepts of each level for so many items.

        Examples
        --------
        >>> TreeSettings().of(1682), TreeSettings().of(10), TreeSettings(sizes=(5, 50)).of(20)
        ((10, 41, 210), (3, 3, 3), (5, 20))
        """
        usual = (round(1.5 * n**0.25), round(n**0.5), min(n // 8, 512))
        out, least = [], 1
        for size in self.sizes or usual:
            least = max(least, min(size, max(n, 1)))
            out.append(least)
        return tuple(out)


@dataclass(frozen=True, eq=False)
class Centres:
    """Where the finest concepts of a tree lie, for items that come later.

    Parameters
    ----------
    centres
        float32, shape (n_finest, d): mean of the items' vectors.
    paths
        int32, shape (n_finest, levels): each of them with those that hold it, coarse to fine.
    """

    centres: np.ndarray
    paths: np.ndarray

    def place(self, vectors: np.ndarray) -> sp.csr_matrix:
        """Weights, as ``Membership`` has them, of further items: theirs is the concept whose centre lies nearest."""
        nearest = (vectors @ self.centres.T - (self.centres**2).sum(1) / 2).argmax(1)
        return of_paths(self.paths[nearest], int(self.paths.max()) + 1)


def build_tree(vectors: np.ndarray, settings: TreeSettings | None = None) -> tuple[Membership, Centres]:
    """Join items bottom up so that the variance within concepts grows least, and cut the tree at every level's size.

    Source: Ward, Hierarchical grouping to optimize an objective function, JASA 1963. One tree is cut at all levels, so
    levels are nested. Beyond 10,000 items, 2,000 groups found by k-means are joined in place of items;
    vectors wider than 512 are told apart by their first 256 principal directions.

    Parameters
    ----------
    vectors
        float32, shape (n_items, d), e.g. of ``FusedSpace.fit``.
    settings
        Sizes of the levels.
    """
    asked = settings or TreeSettings()
    n, sizes = len(vectors), asked.of(len(vectors))
    told = _narrow(vectors, asked.seed)
    if n < 2:
        labels = np.zeros((n, len(sizes)), np.int64)
    elif n <= EXACT:
        labels = _cut(told, sizes)
    else:
        groups, centres = _groups(told, asked.seed)
        labels = _cut(centres, sizes)[groups]
    return _tree(labels, vectors)


def _narrow(vectors: np.ndarray, seed: int) -> np.ndarray:
    if vectors.shape[1] <= WIDE or len(vectors) <= WIDE:
        return vectors
    from sklearn.decomposition import PCA

    narrow: np.ndarray = PCA(WIDE // 2, svd_solver="randomized", random_state=seed).fit_transform(vectors)
    return narrow


def _cut(vectors: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Labels at every level: int64, shape (n, levels)."""
    joined = linkage(vectors.astype(np.float64), method="ward")
    return np.stack([fcluster(joined, size, criterion="maxclust") for size in sizes], axis=1).astype(np.int64)


def _groups(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.cluster import MiniBatchKMeans

    found = MiniBatchKMeans(GROUPS, random_state=seed, n_init=1, batch_size=4096).fit(vectors)
    used, groups = np.unique(found.labels_, return_inverse=True)
    return groups, found.cluster_centers_[used]


def _tree(labels: np.ndarray, vectors: np.ndarray) -> tuple[Membership, Centres]:
    """Number the concepts, find parents and centres."""
    paths = np.empty(labels.shape, np.int32)
    parent, level, first = list[int](), list[int](), 0
    for at in range(labels.shape[1]):
        _, one, where, counts = np.unique(labels[:, at], return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        paths[:, at] = first + np.argsort(order)[where]
        parent += [-1] * len(order) if at == 0 else paths[one[order], at - 1].tolist()
        level += [at] * len(order)
        first += len(order)
    finest, one, size = np.unique(paths[:, -1], return_index=True, return_counts=True)
    inside = of_paths(paths[:, -1:], first)[:, finest]
    centres = np.asarray(inside.T @ vectors / size[:, None], np.float32)
    found = Membership(of_paths(paths, first), np.array(parent, np.int32), np.array(level, np.int8))
    return found, Centres(centres, paths[one])
