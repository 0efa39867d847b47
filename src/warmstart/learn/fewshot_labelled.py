"""k labelled pairs in all: a person known by some events, an item, and whether he likes it; other pairs are scored.

What a person did first (unlabelled, at most ``history`` events) describes him; pairs come from what he did later, so no
pair is described by its own event. Where there are ratings, a pair is liked if its rating reaches the median of all;
where there are none, events are liked and as many items that the person never met are drawn as weak negatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import DataError
from warmstart.learn.fewshot import FewShot, part_of
from warmstart.learn.people import item_titles, person_texts
from warmstart.text.whiten import Whitening, unit_rows

HISTORY = 10
HELD = 1000


@dataclass(frozen=True)
class PairWorld:
    """What one draw knows and asks.

    Parameters
    ----------
    user, item
        int64, shape (n,): whom and what each pair is about; users count from 0, items are codes.
    label
        bool, shape (n,): liked or not.
    known
        int64, shape (k,): positions of the labelled pairs; half of them liked, one more where k is odd.
    asked
        int64: positions of the pairs to score, of other users.
    people, items
        float32, unit rows: the frozen vectors of each user's history mean, shape (n_users, dim), and of each item.
    texts
        One a pair: the person in words, then the item's text.
    seed
        Of this draw.
    """

    user: np.ndarray
    item: np.ndarray
    label: np.ndarray
    known: np.ndarray
    asked: np.ndarray
    people: np.ndarray
    items: np.ndarray
    texts: Sequence[str]
    seed: int

    def features(self, at: np.ndarray) -> np.ndarray:
        """``[z, h * z, h'z]`` of whitened vectors: float64, shape (len(at), 2 dim + 1)."""
        whitening = Whitening.fit(self.items, 64)
        h, z = (whitening.apply(v).astype(np.float64) for v in (self.people, self.items))
        product = h[self.user[at]] * z[self.item[at]]
        return np.hstack([z[self.item[at]], product, product.sum(axis=1, keepdims=True)])

    def positives(self) -> sp.csr_matrix:
        """The labelled pairs that are liked, as a CSR of ones, shape (n_users, n_items)."""
        at = self.known[self.label[self.known]]
        where = (self.user[at], self.item[at])
        return sp.csr_matrix((np.ones(len(at), np.float32), where), (len(self.people), len(self.items)))


def draw_pairs(
    data: Dataset, texts: Sequence[str], vectors: np.ndarray, settings: FewShot, k: int, seed: int
) -> PairWorld:
    """One draw of ``k`` labelled pairs and at most 1,000 others, of other users.

    Of one seed the pairs asked about are the same for all k, and the labelled ones for a smaller k are among those for
    a larger one.

    Raises
    ------
    DataError
        If no item has a text, or there are not enough liked or unliked pairs for the largest k.
    """
    if not any(t.strip() for t in texts):
        raise DataError("no item has a text; few-shot methods read texts: give an items table with a title")
    rng, x = np.random.default_rng([seed, 83]), data.interactions
    pool = part_of(data, settings.part)
    users = rng.permutation(pool)[: max(2, round(settings.share * len(pool)))]
    user, item, label = _labelled(x, users, rng)
    told = np.array([bool(t.strip()) for t in texts])[item]
    user, item, label = user[told], item[told], label[told]
    teaches = user < len(users) // 2
    known = _balanced(np.flatnonzero(teaches), label, k, max(settings.shots), rng)
    asked = np.sort(rng.permutation(np.flatnonzero(~teaches))[:HELD])
    if len(np.unique(label[asked])) < 2:
        raise DataError(f"the {len(asked)} pairs to judge by have one label only; give more users or events")
    histories = _histories(x, users)
    means = np.asarray(histories.matrix() @ vectors, np.float32)
    said = person_texts(histories, item_titles(data.catalog, texts))
    both = [f"{said[u]} {texts[i]}" for u, i in zip(user.tolist(), item.tolist(), strict=True)]
    return PairWorld(user, item, label, known, asked, unit_rows(means), vectors, both, seed)


def _histories(x: Interactions, users: np.ndarray) -> Histories:
    """The first events of each user, without what he thought of them."""
    first = x.select(x.position() < HISTORY)
    return replace(Histories.of_users(first, users), rating=None)  # a rating would be one more label


def _labelled(
    x: Interactions, users: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Later events of the users as pairs: user (from 0), item, liked."""
    row = np.full(x.n_users, -1, np.int64)
    row[users] = np.arange(len(users))
    at = np.flatnonzero((row[x.user] >= 0) & (x.position() >= HISTORY) & (~np.isnan(x.rating) | ~x.has_rating))
    user, item = row[x.user[at]], x.item[at].astype(np.int64)
    if x.has_rating:
        return user, item, x.rating[at] >= np.nanmedian(x.rating)
    drawn = rng.integers(0, x.n_items, len(at))
    fresh = np.asarray(x.matrix()[users[user], drawn]).ravel() == 0
    both = np.concatenate([user, user[fresh]]), np.concatenate([item, drawn[fresh]])
    return *both, np.arange(len(both[0])) < len(user)


def _balanced(pool: np.ndarray, label: np.ndarray, k: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """``k`` of the pool, liked and unliked in turn; the order does not depend on k."""
    liked, others = (rng.permutation(pool[label[pool] == side]) for side in (True, False))
    if len(liked) < (most + 1) // 2 or len(others) < most // 2:
        raise DataError(
            f"k={most} labelled pairs need {(most + 1) // 2} liked and {most // 2} others; "
            f"there are {len(liked)} and {len(others)}; give a smaller --shots"
        )
    return np.sort(np.concatenate([liked[: (k + 1) // 2], others[: k // 2]]))
