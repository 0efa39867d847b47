"""A linear head over closed-form scores: what each of them is worth is learned from labels hidden on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from warmstart.learn.fewshot import World
from warmstart.learn.fewshot_choice import hide_one
from warmstart.learn.fewshot_spectral import Spectral, akin
from warmstart.text.whiten import Whitening


@dataclass(frozen=True)
class Stacked:
    """Logistic regression on the scores of semantic filters, of content and of counts (stacking; Wolpert 1992).

    ``score_uj = w' phi_uj`` with phi: the filters of ``Spectral`` for every cut and strength and the cosine to the mean
    whitened vector of the user's labels, each standardised within the user; and ``log(n_j + 1)``,
    ``log(n_j + (n C)_j + 1)``, counts bare and smoothed by words. w is learned on ``folds`` worlds from each of which a
    label of half of the users is hidden: phi knows the rest, the hidden labels are positives, and for each
    ``negatives`` unlabelled items are drawn, weak negatives of weight ``1 / negatives``. Where nobody has two labels
    there is nothing to hide, and the smoothed counts decide alone.

    Parameters
    ----------
    filters
        Cuts, strengths, damping, whitening.
    folds, negatives
        How much is hidden and drawn.
    c
        Inverse strength of the ridge on w.
    """

    filters: Spectral = field(default_factory=lambda: Spectral(cuts=(2, 4, 8)))
    folds: int = 6
    negatives: int = 16
    c: float = 1.0

    def __call__(self, world: World) -> np.ndarray:
        """Scores: float32, shape (n_users, n_items)."""
        return self.score(world, world.vectors)

    def score(self, world: World, vectors: np.ndarray) -> np.ndarray:
        """Scores with other vectors than the frozen ones."""
        z = Whitening.fit(vectors, self.filters.dim).apply(vectors)
        features, labels, weights = self._examples(world, z)
        phi = self.features(world.shown, z)
        if not labels.any():
            return np.array(phi[-1], np.float32)
        head = _weights(features, labels, weights, self.c)
        scores = np.zeros(world.shown.shape, np.float32)
        for w, feature in zip(head, phi, strict=True):
            scores += np.float32(w) * feature
        return scores

    def features(self, shown: sp.csr_matrix, z: np.ndarray) -> list[np.ndarray]:
        """phi, one float32 array of shape (n_users, n_items) an entry."""
        family = self.filters.family(shown, z)
        counts = np.asarray(shown.sum(axis=0), np.float32).ravel()
        met = np.flatnonzero(counts)
        found = [standardised(family(i)) for i in range(len(self.filters.cuts) * len(self.filters.strengths))]
        length = np.maximum(np.diff(shown.indptr), 1).astype(np.float32)[:, None]
        found.append(standardised(((shown @ z) / length) @ z.T))
        for popular in (counts, counts + counts[met] @ akin(z, met)):
            found.append(np.broadcast_to(np.log1p(popular), shown.shape))
        return found

    def _examples(self, world: World, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """phi, labels in {0, 1} and weights of hidden labels and drawn items, over all folds."""
        rng, parts = np.random.default_rng([world.seed, 53]), []
        for fold in range(self.folds):
            kept, hidden = hide_one(world.shown, world.seed * self.folds + fold)
            user, item = hidden.T
            others, drawn = np.tile(user, self.negatives), rng.integers(0, len(z), len(user) * self.negatives)
            fresh = np.asarray(world.shown[others, drawn]).ravel() == 0 if len(others) else np.zeros(0, bool)
            rows, columns = np.concatenate([user, others[fresh]]), np.concatenate([item, drawn[fresh]])
            phi = np.stack([feature[rows, columns] for feature in self.features(kept, z)], axis=1)
            parts.append((phi, np.arange(len(rows)) < len(user)))
        features, labels = np.vstack([p for p, _ in parts]), np.concatenate([y for _, y in parts])
        return features, labels, np.where(labels, 1.0, 1.0 / self.negatives)


def standardised(scores: np.ndarray) -> np.ndarray:
    """Each row at mean 0 and deviation 1; a constant row becomes 0.

    Examples
    --------
    >>> standardised(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    centred = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-9), np.float32)


def _weights(features: np.ndarray, labels: np.ndarray, weights: np.ndarray, c: float) -> np.ndarray:
    """Of a logistic regression on columns scaled to deviation 1, in the columns' own units."""
    from sklearn.linear_model import LogisticRegression

    scale = features.std(axis=0) + 1e-9
    fitted = LogisticRegression(C=c, max_iter=2000).fit(features / scale, labels, sample_weight=weights)
    return np.asarray(fitted.coef_[0] / scale)
