"""A tree of concepts over the items: a few coarse ones, parted into finer ones, parted again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from warmstart.errors import ConfigError
from warmstart.text.whiten import unit_rows

EXACT = 6_000  # items beyond which groups of items are joined in place of single ones
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
        Of the groups in a catalogue of more than 6,000 items; of no account in a smaller one.
    """

    sizes: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.sizes) or list(self.sizes) != sorted(self.sizes):
            raise ConfigError(f"sizes={self.sizes} must be 1 or more and ascending, e.g. (10, 40, 200)")

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
class ConceptTree:
    """Every item has a concept at every level; that of a finer level lies within that of the coarser one.

    Concepts are numbered over all levels, coarse ones first; within a level by their number of items, largest first.

    Parameters
    ----------
    paths
        int32, shape (n_items, levels): concepts of each item, coarse to fine.
    parent
        int32, shape (n_concepts,): the coarser concept that holds it; -1 on the first level.
    level
        int8, shape (n_concepts,): 0 = coarse.
    centres
        float32, shape (n_concepts, d): mean of the items' vectors.
    """

    paths: np.ndarray
    parent: np.ndarray
    level: np.ndarray
    centres: np.ndarray

    def __len__(self) -> int:
        return len(self.parent)

    def at(self, level: int) -> np.ndarray:
        """Concepts of a level."""
        return np.flatnonzero(self.level == level)

    def items(self, concept: int) -> np.ndarray:
        """Codes of the items of a concept."""
        return np.flatnonzero(self.paths[:, self.level[concept]] == concept)

    def place(self, vectors: np.ndarray) -> np.ndarray:
        """Concepts of further items, those whose finest centre lies nearest: int32, shape (n, levels)."""
        finest = self.at(int(self.level.max()))
        nearest = finest[(vectors @ self.centres[finest].T - (self.centres[finest] ** 2).sum(1) / 2).argmax(1)]
        path = [nearest]
        for _ in range(self.paths.shape[1] - 1):
            path.append(self.parent[path[-1]])
        return np.stack(path[::-1], axis=1).astype(np.int32)

    def grow(self, vectors: np.ndarray) -> ConceptTree:
        """With new items placed; the concepts stay as they are."""
        return ConceptTree(np.vstack([self.paths, self.place(vectors)]), self.parent, self.level, self.centres)


def build_tree(vectors: np.ndarray, settings: TreeSettings | None = None) -> ConceptTree:
    """Join items bottom up so that the variance within concepts grows least, and cut the tree at every level's size.

    Source: Ward, Hierarchical grouping to optimize an objective function, JASA 1963. One tree is cut at all levels, so
    levels are nested. Beyond 6,000 items, 2,000 groups found by k-means are joined in place of items.

    Parameters
    ----------
    vectors
        float32, shape (n_items, d), e.g. of ``FusedSpace.fit``.
    settings
        Sizes of the levels.
    """
    asked = settings or TreeSettings()
    n, sizes = len(vectors), asked.of(len(vectors))
    if n < 2:
        labels = np.zeros((n, len(sizes)), np.int64)
    elif n <= EXACT:
        labels = _cut(vectors, sizes)
    else:
        groups, centres = _groups(vectors, asked.seed)
        labels = _cut(centres, sizes)[groups]
    return _tree(labels, vectors)


def _cut(vectors: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Labels at every level: int64, shape (n, levels)."""
    joined = linkage(vectors.astype(np.float64), method="ward")
    return np.stack([fcluster(joined, size, criterion="maxclust") for size in sizes], axis=1).astype(np.int64)


def _groups(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.cluster import MiniBatchKMeans

    found = MiniBatchKMeans(GROUPS, random_state=seed, n_init=1, batch_size=4096).fit(vectors)
    used, groups = np.unique(found.labels_, return_inverse=True)
    return groups, found.cluster_centers_[used]


def _tree(labels: np.ndarray, vectors: np.ndarray) -> ConceptTree:
    """Number the concepts, find parents and centres."""
    paths = np.empty(labels.shape, np.int32)
    parent, level, centres, first = [], [], [], 0
    for at in range(labels.shape[1]):
        _, where, counts = np.unique(labels[:, at], return_inverse=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        paths[:, at] = first + rank[where]
        for number in range(len(order)):
            mine = paths[:, at] == first + number
            parent.append(-1 if at == 0 else int(paths[np.flatnonzero(mine)[0], at - 1]))
            level.append(at)
            centres.append(vectors[mine].mean(0))
        first += len(order)
    middle = np.array(centres, np.float32).reshape(len(parent), vectors.shape[1])
    return ConceptTree(paths, np.array(parent, np.int32), np.array(level, np.int8), middle)


def typical(tree: ConceptTree, vectors: np.ndarray, concept: int, k: int = 5) -> np.ndarray:
    """Items nearest to the middle of a concept by cosine, nearest first: int64 codes, at most k."""
    items = tree.items(concept)
    near = unit_rows(vectors[items]) @ tree.centres[concept]
    return items[np.argsort(-near, kind="stable")[:k]]
