"""Items kept from learning, and what is asked of them: new items ranked among themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from warmstart.data.interactions import Interactions
from warmstart.errors import DataError
from warmstart.learn.scores import ndcg, ndcg_rows

MIN_HELD = 5  # items a validation needs to mean anything


def strangers(texts: Sequence[str], x: Interactions) -> str:
    """For a message: that no item with events is one of those with a text; empty where some are, or either are none.

    Examples
    --------
    >>> met = Interactions.of(np.array([0]), np.array([1]), n_users=1, n_items=2)
    >>> strangers(["Alien", ""], met)
    'none of 1 items with events is among the 1 that have a text (do events and items table write ids alike?)'
    """
    told, seen = np.array([bool(t.strip()) for t in texts], bool), np.bincount(x.item, minlength=len(texts)) > 0
    if not told.any() or not seen.any() or (told & seen).any():
        return ""
    few = f"none of {int(seen.sum()):,} items with events is among the {int(told.sum()):,} that have a text"
    return f"{few} (do events and items table write ids alike?)"


class Encodes(Protocol):
    """Texts -> float32 (n, dim), unit rows: a backbone, or any text encoder."""

    def encode(self, texts: Sequence[str], /) -> np.ndarray:
        """Vectors of texts."""
        ...


@dataclass(frozen=True, eq=False)
class HeldItems:
    """Items with text and events, parted into those that teach and those that are held out.

    Parameters
    ----------
    items, held
        int64 item codes, ascending: of which is learned, and which are asked for.
    train
        float32 CSR of ones, shape (n_users, len(items)): all that may be learned from.
    users
        int64 user codes, shape (n_questions,): people with events on both sides.
    history, targets
        float32 CSR of ones, shapes (n_questions, len(items)) and (n_questions, len(held)).
    """

    items: np.ndarray
    held: np.ndarray
    train: sp.csr_matrix
    users: np.ndarray
    history: sp.csr_matrix
    targets: sp.csr_matrix

    @classmethod
    def of(cls, texts: Sequence[str], x: Interactions, share: float, seed: int) -> HeldItems:
        """Hold out a random share of the items; 0 holds out none. Other parts of learning with the same seed agree.

        Raises
        ------
        DataError
            If too few items have both a text and an event.
        """
        seen = x.matrix()
        seen.data[:] = 1.0
        met = np.flatnonzero((seen.getnnz(axis=0) > 0) & np.array([bool(t.strip()) for t in texts], bool))
        if len(met) < 2 * MIN_HELD:
            why = strangers(texts, x) or f"{len(met)} items have both a text and an event"
            raise DataError(f"{why}; retrieval needs {2 * MIN_HELD} or more")
        n = max(MIN_HELD, round(share * len(met))) if share else 0
        held = np.sort(np.random.default_rng([seed, 1]).permutation(met)[:n])
        items = np.setdiff1d(met, held)
        train, asked = sp.csr_matrix(seen[:, items]), sp.csr_matrix(seen[:, held])
        users = np.flatnonzero((train.getnnz(axis=1) > 0) & (asked.getnnz(axis=1) > 0))
        return cls(items, held, train, users, train[users], asked[users])

    def ndcg(self, encoder: Encodes, texts: Sequence[str], k: int = 10) -> float:
        """NDCG@k of the held-out items ranked among themselves; NaN where none are held out."""
        return ndcg(self.scores(*self.encode(encoder, texts)), self.targets, k) if len(self.held) else float("nan")

    def ndcg_rows(self, scores: np.ndarray, k: int = 10) -> np.ndarray:
        """NDCG@k of every question: float64, shape (n_questions,)."""
        return ndcg_rows(scores, self.targets, k)

    def encode(self, encoder: Encodes, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of ``items`` and of ``held``, unit rows, from one text a catalogue item."""
        vectors = encoder.encode([texts[i] for i in (*self.items, *self.held)])
        return vectors[: len(self.items)], vectors[len(self.items) :]

    def scores(self, known: np.ndarray, held: np.ndarray) -> np.ndarray:
        """Cosine, up to a factor a person, of a held-out item to the mean of the person's other items.

        Parameters
        ----------
        known, held
            float32, shapes (len(items), dim) and (len(held), dim), unit rows.

        Returns
        -------
        float32, shape (n_questions, len(held)).
        """
        scores: np.ndarray = (self.history @ known) @ held.T
        return scores
