"""A linear head for all users at once: logistic regression on what a user's labels and an item have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.learn.augment import mixed
from warmstart.learn.fewshot import World
from warmstart.text.whiten import Whitening


@dataclass(frozen=True)
class Linear:
    """``P(label) = sigmoid(w' [h_u * z_j, h_u'z_j, log(n_j + 1)] + b)``, h_u the mean vector of a user's other labels.

    Positives are the labels, each left out of its own history and count; for each ``negatives`` unlabelled items are
    drawn, weak negatives of weight ``1 / negatives``. One w for everybody: k labels are too few for one each.

    Parameters
    ----------
    dim
        Directions of the whitened vectors.
    negatives
        Unlabelled items a label.
    c
        Inverse strength of the ridge on w.
    mixup
        Alpha of mix-up over features and labels; a mixed label counts as both, in its shares. 0 = none.
    """

    dim: int = 64
    negatives: int = 8
    c: float = 0.01
    mixup: float = 0.0

    def __call__(self, world: World) -> np.ndarray:
        """Log-odds: float32, shape (n_users, n_items)."""
        return self.score(world, world.vectors)

    def score(self, world: World, vectors: np.ndarray) -> np.ndarray:
        """Log-odds with other vectors than the frozen ones."""
        from sklearn.linear_model import LogisticRegression

        z = Whitening.fit(vectors, self.dim).apply(vectors).astype(np.float64)
        features, labels, weights = self._mixed(*self._examples(world, z), world.seed)
        scale = features.std(axis=0) + 1e-9
        head = LogisticRegression(C=self.c, max_iter=500).fit(features / scale, labels, sample_weight=weights)
        w = head.coef_[0] / scale
        history = _means(world.shown @ z, np.diff(world.shown.indptr))
        popular = w[-1] * np.log1p(world.counts)
        return np.asarray((history * w[:-2] + history * w[-2]) @ z.T + popular + head.intercept_[0], np.float32)

    def _mixed(
        self, features: np.ndarray, labels: np.ndarray, weights: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features mixed in pairs; each stands twice, with its own label and with its partner's."""
        if not self.mixup:
            return features, labels, weights
        partner, share = mixed(self.mixup, len(labels), np.random.default_rng([seed, 79]))
        blend = share[:, None] * features + (1 - share[:, None]) * features[partner]
        both = np.concatenate([labels, labels[partner]])
        return np.vstack([blend, blend]), both, np.concatenate([share * weights, (1 - share) * weights[partner]])

    def _examples(self, world: World, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features, labels in {0, 1} and weights of the labels and of drawn unlabelled items."""
        rng, counts = np.random.default_rng([world.seed, 47]), world.counts
        user, item = world.shown.nonzero()
        length, total = np.diff(world.shown.indptr), world.shown @ z
        other = _means(total[user] - z[item], length[user] - 1)
        drawn = rng.integers(0, len(z), (self.negatives, len(user)))
        fresh = np.asarray(world.shown[np.tile(user, self.negatives), drawn.ravel()]).ravel() == 0
        drawn_user, drawn_item = np.tile(np.arange(len(user)), self.negatives)[fresh], drawn.ravel()[fresh]
        positive = pair_features(other, z[item], counts[item] - 1)
        negative = pair_features(other[drawn_user], z[drawn_item], counts[drawn_item])
        labels = np.repeat([1, 0], [len(positive), len(negative)])
        weights = np.repeat([1.0, 1.0 / self.negatives], [len(positive), len(negative)])
        return np.vstack([positive, negative]), labels, weights


def pair_features(history: np.ndarray, item: np.ndarray, count: np.ndarray) -> np.ndarray:
    """``[h * z, h'z, log(n + 1)]``, shape (n, dim + 2).

    Examples
    --------
    >>> pair_features(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.0])).tolist()
    [[3.0, 8.0, 11.0, 0.0]]
    """
    product = history * item
    return np.hstack([product, product.sum(axis=1, keepdims=True), np.log1p(count)[:, None]])


def _means(totals: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Totals over n, zero for n = 0."""
    return np.asarray(totals / np.maximum(n, 1)[:, None])
