"""Fine-tuning for retrieval: texts of items that people share come to lie together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.data.interactions import Interactions
from warmstart.errors import DataError, require
from warmstart.learn.augment import Augment
from warmstart.learn.backbone import Backbone
from warmstart.learn.cached import cached_backward
from warmstart.learn.held_items import HeldItems
from warmstart.learn.objective import OnBackbone
from warmstart.learn.processes import Draw
from warmstart.learn.settings import at_least, check_dims, choose, share

DRAWS = ("auto", "items", "people")
DENSE = 4.0  # events of a person among the items of a step from which on items may be drawn blindly


@dataclass(frozen=True)
class Retrieval:
    """Settings of the ELSA loss.

    Parameters
    ----------
    users
        Users of a step at most; items are ``Training.batch``.
    draw
        "items": each is as likely as any other. "people": people are drawn, and all items of each, until there are
        enough, so that among thousands of items people still have several. "auto": people where of items drawn
        blindly a person would have fewer than four, on average.
    held_out
        Share of the items with events that is kept for validation: new items ranked among themselves.
    dims
        Shorter lengths at which the vectors must work as well (Kusupati et al. 2022, Matryoshka, arXiv:2205.13147);
        empty = the full length alone.
    """

    users: int = 4096
    held_out: float = 0.1
    dims: tuple[int, ...] = ()
    draw: str = "auto"

    def __post_init__(self) -> None:
        at_least("users", self.users, 2)
        share("held_out", self.held_out, 0.1)
        choose("draw", self.draw, DRAWS)
        for dim in self.dims:
            at_least("dims", dim, 1)


class RetrievalObjective(OnBackbone):
    """ELSA over sampled users and items: ``|| norm(X) - norm(X (A A' - I)) ||^2``, A = unit vectors of item texts.

    A user's row X is explained by the items that lie near his others; the diagonal is left out, so no item explains
    itself. Source: Vancura et al., Scalable Linear Shallow Autoencoder for Collaborative Filtering, RecSys 2022;
    with a text encoder as A: Vancura et al., beeFormer, RecSys 2024, arXiv:2409.10309.

    Parameters
    ----------
    backbone
        The encoder.
    texts
        One a catalogue item.
    x
        Events to learn from; nothing else of the world is looked at.
    settings
        Users a step, what is held out, lengths.
    seed
        Decides which items are held out.
    augment
        Says each step's texts a little differently (see ``learn.augment``); validation reads them as they are.

    Raises
    ------
    ConfigError
        If a shorter length is not shorter.
    DataError
        If too few items have text and events, or nobody has two events on such items.
    """

    watched = "ndcg@10"
    higher_is_better = True

    def __init__(
        self,
        backbone: Backbone,
        texts: Sequence[str],
        x: Interactions,
        settings: Retrieval | None = None,
        seed: int = 0,
        augment: Augment | None = None,
    ) -> None:
        self.backbone, self.texts, self.settings = backbone, list(texts), settings or Retrieval()
        self.augment = augment
        check_dims(self.settings.dims, backbone.dim)
        self.asked = HeldItems.of(texts, x, self.settings.held_out, seed)
        self.items, self.held, self.train_matrix = self.asked.items, self.asked.held, self.asked.train
        self.users = np.flatnonzero(self.train_matrix.getnnz(axis=1) >= 2)
        if not len(self.users):
            raise DataError("no user has two events on items with text; retrieval learns from what one person likes")

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over ``draw.size`` items and at most ``settings.users`` users."""
        rng, count = draw.rng(), draw.processes.count
        size = min(draw.size, len(self.items)) // count * count
        at = self._items(size, rng)
        seen = self.train_matrix[:, at]
        users = rng.permutation(np.flatnonzero(seen.getnnz(axis=1) >= 2))[: self.settings.users]
        if not len(users):
            return 0.0
        torch = require("torch", extra="lm")
        x = torch.from_numpy(seen[users].toarray()).to(self.backbone.device)
        said = [self.texts[i] for i in self.items[at]]
        said = self.augment(said, rng) if self.augment else said
        texts = [said[i] for i in draw.share(np.arange(size))]
        dims = (*self.settings.dims, self.backbone.dim)
        return cached_backward(
            self.backbone.vectors, texts, lambda a: sum(elsa(x, a[:, :d]) for d in dims) / len(dims), draw
        )

    def _items(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """``size`` positions among ``items``: drawn blindly, or as what drawn people have."""
        x, draw = self.train_matrix, self.settings.draw
        usual = x.nnz / len(self.users) * size / len(self.items)  # events of a person among items drawn blindly
        if draw == "items" or (draw == "auto" and usual >= DENSE):
            return rng.permutation(len(self.items))[:size]
        people = rng.permutation(self.users)
        enough = np.searchsorted(np.cumsum(x.getnnz(axis=1)[people]), 4 * size) + 1  # who is past that rarely adds one
        had = x[people[:enough]].indices  # person by person
        first = np.unique(had, return_index=True)[1]
        found = had[np.sort(first)][:size]
        rest = rng.permutation(np.setdiff1d(np.arange(len(self.items)), found))[: size - len(found)]
        return rng.permutation(np.concatenate([found, rest]))

    def validate(self) -> dict[str, float]:
        """NDCG@10 of held-out items ranked among themselves by the cosine to the mean of a user's other items."""
        return {self.watched: self.asked.ndcg(self.backbone, self.texts)}


def elsa(x: Any, vectors: Any) -> Any:
    """The ELSA loss, mean over users.

    Parameters
    ----------
    x
        float32 tensor of zeros and ones, (n_users, n_items).
    vectors
        float32 tensor, (n_items, dim), with gradient; unit rows are made here.
    """
    normalize = require("torch", extra="lm").nn.functional.normalize
    a = normalize(vectors, dim=1)
    predicted = (x @ a) @ a.T - x
    return ((normalize(x, dim=1) - normalize(predicted, dim=1)) ** 2).sum(1).mean()
