"""Items that nobody has met: how many were just added, and how many nobody wants."""

from __future__ import annotations

import numpy as np

from warmstart.data.dataset import Dataset
from warmstart.experts.popularity import content_rates
from warmstart.experts.products import read_off


def random_unmet_share(data: Dataset, tail: float = 0.2) -> float:
    """Share of the catalogue that is unmet for no reason of its own (just added), in [0, 1).

    Items are unmet either because few want them or because nobody could meet them yet. Two estimates, the
    smaller counts: unmet items beyond those that hiding the newest ``tail`` of the events makes unmet;
    and how near content puts unmet items to all met items rather than to those unmet by nature (``like_all``).
    """
    counts = data.interactions.item_counts()
    unmet, met = counts == 0, counts > 0
    if unmet.sum() < 10 or met.sum() < 50:
        return 0.0
    x = data.interactions
    left = x.select(x.position() < np.ceil((1 - tail) * x.user_counts()[x.user])).item_counts()
    vanished = met & (left == 0)
    natural = vanished.sum() / met.sum()
    beyond = max(unmet.sum() - natural / max(1 - natural, 1e-9) * met.sum(), 0.0)
    return float(min(beyond, like_all(data, counts, vanished) * unmet.sum()) / len(counts))


def like_all(data: Dataset, counts: np.ndarray, vanished: np.ndarray, folds: int = 5) -> float:
    """Whether unmet items look, by their content, like all met items (1) or like those unmet by nature (0).

    Those unmet by nature are known by two likenesses, of which the lower counts: the rarest met items, and those
    that hiding the newest events makes unmet (``vanished``: bool, shape (n_items,)).
    0 where content does not tell; 1 without features.
    """
    if data.features is None:
        return 1.0
    met, unmet = np.flatnonzero(counts > 0), np.flatnonzero(counts == 0)
    z, rate = data.features, np.zeros(len(counts))
    for f in range(folds):
        part = counts.astype(np.float64)
        part[met[f::folds]] = 0.0
        b, _ = content_rates(z, part, ridge=10.0)
        told = read_off(z, b[:-1])
        rate[met[f::folds]] = told[met[f::folds]]
        rate[unmet] += told[unmet] / folds
    rare = met[counts[met] <= np.quantile(counts[met], 0.25)]
    likenesses = [g for g in (rare, np.flatnonzero(vanished)) if len(g) >= 10]
    natural = min(likenesses, key=lambda g: float(rate[g].mean() + 2 * rate[g].std() / np.sqrt(len(g))))
    error = np.sqrt(rate[natural].var() / len(natural) + rate[unmet].var() / len(unmet))
    gap, found = rate[met].mean() - rate[natural].mean(), rate[unmet].mean() - rate[natural].mean()
    return float(np.clip(found / gap, 0, 1)) if min(gap, found) > 2 * error else 0.0


def exposed(data: Dataset, unmet_share: float, seed: int = 0) -> np.ndarray:
    """Items that could have been met: all but as many unmet ones, drawn at random, as were just added."""
    unmet = np.flatnonzero(data.interactions.item_counts() == 0)
    out = np.ones(data.n_items, bool)
    out[np.random.default_rng(seed).permutation(unmet)[: round(unmet_share * data.n_items)]] = False
    return out
