"""Contrastive pairs: a handful of labels makes many pairs, and an encoder learns from each which belong together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from warmstart.errors import DataError, require
from warmstart.learn.augment import Augmentation, mixed
from warmstart.learn.backbone import Backbone
from warmstart.learn.objective import OnBackbone
from warmstart.learn.processes import Draw

HELD = 0.2  # share of the pairs by which the best weights are chosen


def pairs_by_label(labels: np.ndarray, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """As many pairs of the same label as of different ones.

    Parameters
    ----------
    labels
        int, shape (n_texts,): the class of each text.
    n
        Pairs in all.

    Returns
    -------
    Pairs, int64, shape (n, 2), positions of texts; and targets, float32, shape (n,): 1 = the same label, 0 = not.

    Raises
    ------
    DataError
        If a class has one example, or there is one class.

    Examples
    --------
    >>> pairs, targets = pairs_by_label(np.array([0, 0, 1, 1]), 6)
    >>> targets.tolist(), all((p[0] // 2 == p[1] // 2) == bool(t) for p, t in zip(pairs.tolist(), targets))
    ([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], True)
    """
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise DataError(f"all {len(labels)} labels are {classes.tolist()}; contrastive pairs need two classes or more")
    if counts.min() < 2:
        lone = classes[counts.argmin()]
        raise DataError(f"class {lone} has one example; give it a second one, or leave the class out")
    rng = np.random.default_rng([seed, 59])
    first = rng.integers(0, len(labels), n)
    second = np.empty(n, np.int64)
    for i, a in enumerate(first.tolist()):
        same = i < (n + 1) // 2
        pool = np.flatnonzero((labels == labels[a]) == same)
        second[i] = rng.choice(pool[pool != a])
    return np.stack([first, second], axis=1), (np.arange(n) < (n + 1) // 2).astype(np.float32)


def pairs_by_user(shown: sp.csr_matrix, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of items that one user labelled (target 1), and of labelled items that nobody labelled both (target 0).

    A pair that nobody labelled together is a weak negative: nobody has refused it.

    Raises
    ------
    DataError
        If no user has two labels, or all labelled items were labelled together.

    Examples
    --------
    >>> pairs, targets = pairs_by_user(sp.csr_matrix([[1, 1, 0, 0], [0, 0, 1, 1]]), 4)
    >>> targets.tolist(), all((p[0] // 2 == p[1] // 2) == bool(t) for p, t in zip(pairs.tolist(), targets))
    ([1.0, 1.0, 0.0, 0.0], True)
    """
    rng, length = np.random.default_rng([seed, 61]), np.diff(shown.indptr)
    able = np.flatnonzero(length >= 2)
    if not len(able):
        raise DataError("no user has two labelled events; contrastive pairs need k >= 2 events of some user")
    users = rng.choice(able, (n + 1) // 2, p=length[able] / length[able].sum())
    same = np.stack([rng.choice(shown.indices[shown.indptr[u] : shown.indptr[u + 1]], 2, replace=False) for u in users])
    together = (shown.T @ shown).tocsr()
    drawn = rng.choice(shown.indices, (20 * n, 2))
    apart = drawn[np.asarray(together[drawn[:, 0], drawn[:, 1]]).ravel() == 0][: n // 2]
    if not len(apart):
        raise DataError("all labelled items were labelled together by somebody; there is no pair to tell apart")
    targets = np.repeat([1.0, 0.0], [len(same), len(apart)]).astype(np.float32)
    return np.vstack([same, apart]).astype(np.int64), targets


class ContrastObjective(OnBackbone):
    """``mean (cos(f(a), f(b)) - y)^2`` over pairs of texts, y = 1 where the labels are the same and 0 where not.

    The first half of SetFit (Tunstall et al. 2022, arXiv:2209.11055, section 3; its loss is that of Reimers & Gurevych
    2019, arXiv:1908.10084); the second half is a linear head on the vectors. A fifth of the pairs is held out and
    decides when the encoder is best. With mix-up, vectors of two pairs are mixed end by end, and y with them.

    Parameters
    ----------
    backbone
        The encoder.
    texts, pairs, targets
        Texts; positions, int64 (n, 2); float32 (n,).
    seed
        Decides what is held out.
    augmentation
        Says texts differently at every step, and mixes; None = as they are.

    Raises
    ------
    DataError
        If there are fewer than five pairs, or a text is empty.
    """

    watched = "pair_error"
    higher_is_better = False

    def __init__(
        self,
        backbone: Backbone,
        texts: Sequence[str],
        pairs: np.ndarray,
        targets: np.ndarray,
        seed: int = 0,
        augmentation: Augmentation | None = None,
    ) -> None:
        if len(pairs) < 1 / HELD:
            raise DataError(f"{len(pairs)} pairs are too few to learn from and to judge by; give 5 or more")
        if any(not texts[i].strip() for i in np.unique(pairs).tolist()):
            raise DataError("a labelled item has no text; give it one, or leave it out")
        self.backbone, self.texts, self.augmentation = backbone, list(texts), augmentation
        order = np.random.default_rng([seed, 67]).permutation(len(pairs))
        n = max(1, round(HELD * len(pairs)))
        self._held, self._train = order[:n], order[n:]
        self._pairs, self._targets = pairs, targets

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over this process's share of ``draw.size`` pairs."""
        torch = require("torch", extra="lm")
        mine = self._train[draw.indices(len(self._train))]
        rng = np.random.default_rng([draw.seed, draw.step, draw.micro, draw.processes.rank, 71])
        texts = [self.texts[i] for i in self._pairs[mine].T.ravel()]
        if self.augmentation is not None:
            texts = self.augmentation(texts, rng)
        a, b = self.backbone.vectors(texts).chunk(2)
        y = torch.from_numpy(self._targets[mine]).to(a.device)
        partner, share = mixed(self.augmentation.mixup if self.augmentation else 0.0, len(mine), rng)
        kept = torch.from_numpy(share).to(a)
        a, b = (kept[:, None] * v + (1 - kept[:, None]) * v[partner] for v in (a, b))
        y = kept * y + (1 - kept) * y[partner]
        loss = ((torch.nn.functional.cosine_similarity(a, b) - y) ** 2).mean()
        loss.backward()
        return float(loss.detach())

    def validate(self) -> dict[str, float]:
        """Mean squared error of the cosines of the held-out pairs."""
        vectors = self.backbone.encode([self.texts[i] for i in self._pairs[self._held].T.ravel()])
        a, b = np.split(vectors, 2)
        return {self.watched: float((((a * b).sum(axis=1) - self._targets[self._held]) ** 2).mean())}
