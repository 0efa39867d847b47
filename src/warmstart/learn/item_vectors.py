"""One free vector an item, learned from who takes what: the low-rank kin of EASE, for catalogues of any size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from warmstart.errors import DataError, require
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.retrieval import elsa


class ItemVectors:
    """ELSA: ``min_A || norm(X) - norm(X (A A' - I)) ||^2`` over people and items drawn for each step, rows of A unit.

    Source: Vancura et al., Scalable Linear Shallow Autoencoder for Collaborative Filtering, RecSys 2022.

    Parameters
    ----------
    x
        CSR float32, shape (n_users, n_items), zeros and ones.
    first
        float32, shape (n_items, dim): where the vectors begin.
    items
        Items of a step at most: those that its people have, then others.
    judged
        People, at most, of whom one item is held out for validation; a tenth of them at most.
    seed
        Decides what is held out.

    Raises
    ------
    DataError
        If nobody has two items.
    """

    watched = "ndcg@10"
    higher_is_better = True

    def __init__(
        self, x: sp.csr_matrix, first: np.ndarray, items: int = 8192, judged: int = 500, seed: int = 0
    ) -> None:
        torch = require("torch", extra="lm")
        several = np.flatnonzero(np.diff(x.indptr) >= 2)
        if not len(several):
            raise DataError("nobody has two items; vectors are learned from what people take together")
        rng = np.random.default_rng(seed)
        self.asked = rng.permutation(several)[: min(judged, len(several) // 10)]
        self.truth = np.array([rng.choice(x[u].indices) for u in self.asked], np.int64)
        left = sp.csr_matrix((np.ones(len(self.asked), np.float32), (self.asked, self.truth)), shape=x.shape)
        self.x = sp.csr_matrix(x - left)
        self.x.eliminate_zeros()
        self.users, self.items = np.flatnonzero(np.diff(self.x.indptr) >= 2), items
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
        people = draw.share(rng.permutation(self.users)[: draw.size])
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
        """NDCG@10 of the items held out, among all items their people do not have."""
        if not len(self.asked):
            return {self.watched: 0.0}
        a, had = self.units(), self.x[self.asked]
        scores = (had @ a) @ a.T
        scores[had.nonzero()] = -np.inf
        rank = (scores > scores[np.arange(len(scores)), self.truth][:, None]).sum(1)
        return {self.watched: float(np.where(rank < 10, 1.0 / np.log2(rank + 2.0), 0.0).mean())}

    def units(self) -> np.ndarray:
        """The vectors at length 1: float32, shape (n_items, dim)."""
        torch = require("torch", extra="lm")
        found: np.ndarray = torch.nn.functional.normalize(self.vectors.detach(), dim=1).cpu().numpy()
        return found
