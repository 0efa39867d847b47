"""A catalogue in two dimensions: items that are alike lie near each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from warmstart.errors import ConfigError

FEW = 30  # items below which neighbourhoods say nothing and two principal directions are drawn
STEPS = 500  # of gradient descent; twice as many lower the divergence by 3 %
DIRECTIONS = 50  # principal directions between which neighbours are looked for


@dataclass(frozen=True)
class MapSettings:
    """How a map is drawn.

    Parameters
    ----------
    most
        Items at most. Of a larger catalogue so many are drawn at random, the more people took one the likelier.
    perplexity
        Neighbours to which an item is held, about.
    seed
        Of the sample and the layout.
    """

    most: int = 2_000
    perplexity: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.most < 1 or not self.perplexity >= 1:
            raise ConfigError(
                f"most={self.most}, perplexity={self.perplexity:g}: both must be 1 or more, e.g. 2000, 30"
            )


@dataclass(frozen=True, eq=False)
class Map:
    """Where items lie.

    Parameters
    ----------
    items
        int64, shape (n,): codes, ascending.
    xy
        float32, shape (n, 2), in [0, 1]: across and down.
    """

    items: np.ndarray
    xy: np.ndarray


def sampled(counts: np.ndarray, keep: np.ndarray, settings: MapSettings) -> np.ndarray:
    """Codes of the items that are drawn, ascending: those to keep, and others at random by ``counts + 1``.

    Parameters
    ----------
    counts
        int, shape (n_items,): how many people took each.
    keep
        Codes of items that must be on the map, e.g. those of a history, beyond ``most`` if need be.
    settings
        Size and seed.

    Examples
    --------
    >>> sampled(np.array([99, 0, 0, 0]), np.array([2]), MapSettings(most=2)).tolist()
    [0, 2]
    """
    kept = np.unique(keep).astype(np.int64)
    others = np.setdiff1d(np.arange(len(counts)), kept)
    room = max(settings.most - len(kept), 0)
    if len(others) > room:
        chance = counts[others] + 1.0
        rng = np.random.default_rng(settings.seed)
        others = rng.choice(others, room, replace=False, p=chance / chance.sum())
    return np.sort(np.concatenate([kept, others]))


def layout(vectors: np.ndarray, settings: MapSettings) -> np.ndarray:
    """Places in [0, 1] x [0, 1]: float32, shape (n, 2).

    t-SNE by cosine over 50 principal directions, begun from the first two of them (van der Maaten and Hinton, JMLR 9,
    2008; the beginning: Kobak and Berens, Nature Communications 10, 2019); of fewer than 30 items, or of items that are
    all alike, the first two principal directions themselves.

    Parameters
    ----------
    vectors
        float32, shape (n, d).
    settings
        Neighbours and seed.
    """
    n = len(vectors)
    centred = vectors.astype(np.float64) - (vectors.mean(0, dtype=np.float64) if n else 0.0)
    with threadpool_limits(1):  # sums over several threads would depend on which comes first
        u, s, _ = np.linalg.svd(centred, full_matrices=False)
        main = u[:, :DIRECTIONS] * s[:DIRECTIONS]
        main *= np.where(main[np.abs(main).argmax(0), np.arange(main.shape[1])] < 0, -1, 1) if n else 1
        if n >= FEW and s[0] > 1e-6:
            main = _neighbours(main, settings)
    return _framed(main)


def _neighbours(main: np.ndarray, settings: MapSettings) -> np.ndarray:
    from sklearn.manifold import TSNE

    near = min(settings.perplexity, (len(main) - 1) / 3)
    tsne = TSNE(perplexity=near, metric="cosine", init="pca", max_iter=STEPS, random_state=settings.seed, n_jobs=1)
    found: np.ndarray = tsne.fit_transform(main)
    return found


def _framed(places: np.ndarray) -> np.ndarray:
    """Each direction stretched to [0, 1]; one without extent lies in the middle."""
    xy = np.zeros((len(places), 2))
    xy[:, : min(2, places.shape[1])] = places[:, :2]
    if not len(xy):
        return xy.astype(np.float32)
    low, high = xy.min(0), xy.max(0)
    extent = np.where(high - low > 1e-9, high - low, np.inf)
    return np.where(np.isinf(extent), 0.5, (xy - low) / extent).astype(np.float32)
