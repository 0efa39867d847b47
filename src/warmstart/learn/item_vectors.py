"""One free vector an item, learned from who takes what: the low-rank kin of EASE, for catalogues of any size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from warmstart.data.interactions import Interactions
from warmstart.errors import DataError, require
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.retrieval import elsa

JUDGED = 64  # people whose scores of all items are held at once


class ItemVectors:
    """ELSA: ``min_A || norm(X) - norm(X (A A' - I)) ||^2`` over people and items drawn for each step, rows of A unit.

    Source: Vancura et al., Scalable Linear Shallow Autoencoder for Collaborative Filtering, RecSys 2022.

    Parameters
    ----------
    x
        CSR float32, shape (n_users, n_items), zeros and ones: what is learned from.
    first
        float32, shape (n_items, dim): where the vectors begin.
    held
        Users and, of each, an item that ``x`` does not hold, by which the vectors are judged; see ``hold_one``.
    items
        Items of a step at most: those that its people have, then others.

    Raises
    ------
    DataError
        If nobody has two items.
    """

    watched = "ndcg@10"
    higher_is_better = True

    def __init__(
        self, x: sp.csr_matrix, first: np.ndarray, held: tuple[np.ndarray, np.ndarray], items: int = 8192
    ) -> None:
        torch = require("torch", extra="lm")
        self.x, (self.asked, self.truth), self.items = x, held, items
        self.users = np.flatnonzero(np.diff(x.indptr) >= 2)
        if not len(self.users):
            raise DataError("nobody has two items; vectors are learned from what people take together")
        self.vectors = torch.nn.Parameter(torch.from_numpy(np.array(first, np.float32)))

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The vectors."""
        yield "vectors", self.vectors

    def place(self, processes: Processes) -> None:
        """Move the vectors to the device."""
        self.vectors.data = self.vectors.data.to(processes.device)

    def train(self, mode: bool) -> None:
        """Nothing is switched."""

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over ``draw.size`` people."""
        torch, rng = require("torch", extra="lm"), draw.rng()
        people = self.users[draw.indices(len(self.users))]
        taken = self.x[people]
        had, n = np.unique(taken.indices), self.x.shape[1]
        had = rng.permutation(had)[: self.items]
        others = np.setdiff1d(rng.choice(n, min(n, self.items), replace=False), had)[: self.items - len(had)]
        at = np.concatenate([had, others])
        x = torch.from_numpy(taken[:, at].toarray()).to(self.vectors.device)
        loss = elsa(x, self.vectors[torch.from_numpy(at).to(self.vectors.device)])
        loss.backward()
        return float(loss.detach())

    def validate(self) -> dict[str, float]:
        """NDCG@10 of the items held out, among all items their people do not have; NaN where nothing is."""
        a, gains = self.units(), []
        for start in range(0, len(self.asked), JUDGED):
            had, truth = self.x[self.asked[start : start + JUDGED]], self.truth[start : start + JUDGED]
            scores = (had @ a) @ a.T
            scores[had.nonzero()] = -np.inf
            rank = (scores > scores[np.arange(len(scores)), truth][:, None]).sum(1)
            gains.append(np.where(rank < 10, 1.0 / np.log2(rank + 2.0), 0.0))
        return {self.watched: float(np.concatenate(gains).mean()) if gains else math.nan}

    def units(self) -> np.ndarray:
        """The vectors at length 1: float32, shape (n_items, dim)."""
        torch = require("torch", extra="lm")
        found: np.ndarray = torch.nn.functional.normalize(self.vectors.detach(), dim=1).cpu().numpy()
        return found


def hold_one(x: Interactions, most: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One item of some people is kept for validation: of at most ``most``, and of a tenth of those with three events.

    Returns
    -------
    tuple
        which events are learned from, bool (n_events,); the people, and the item of each, int64.

    Examples
    --------
    >>> x = Interactions.of(np.repeat(np.arange(20), 3), np.tile(np.arange(3), 20), 20, 3)
    >>> keep, people, items = hold_one(x, most=5)
    >>> int(keep.sum()), len(people), len(items)
    (58, 2, 2)
    """
    rng = np.random.default_rng(seed)
    several = np.flatnonzero(x.user_counts() >= 3)
    people = rng.permutation(several)[: min(most, len(several) // 10)]
    items = x.item[rng.integers(x.starts[people], x.starts[people + 1])].astype(np.int64)
    held = np.isin(x.user.astype(np.int64) * x.n_items + x.item, people * x.n_items + items)
    return ~held, people, items
