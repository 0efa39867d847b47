"""Fine-tuning for retrieval: texts of items that people share come to lie together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, DataError, require
from warmstart.learn.augment import Augment
from warmstart.learn.backbone import Backbone
from warmstart.learn.cached import cached_backward
from warmstart.learn.held_items import HeldItems
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.settings import at_least


@dataclass(frozen=True)
class Retrieval:
    """Settings of the ELSA loss.

    Parameters
    ----------
    users
        Users sampled a step; items are ``Training.batch``.
    held_out
        Share of the items with events that is kept for validation: new items ranked among themselves.
    dims
        Shorter lengths at which the vectors must work as well (Kusupati et al. 2022, Matryoshka, arXiv:2205.13147);
        empty = the full length alone.
    """

    users: int = 4096
    held_out: float = 0.1
    dims: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        at_least("users", self.users, 2)
        if not 0 <= self.held_out < 1:
            raise ConfigError(f"held_out={self.held_out} is not in [0, 1); 0.1 is usual")
        for dim in self.dims:
            at_least("dims", dim, 1)


class RetrievalObjective:
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
        self.asked = HeldItems.of(texts, x, self.settings.held_out, seed)
        self.items, self.held, self.train_matrix = self.asked.items, self.asked.held, self.asked.train
        self.users = np.flatnonzero(self.train_matrix.getnnz(axis=1) >= 2)
        if not len(self.users):
            raise DataError("no user has two events on items with text; retrieval learns from what one person likes")

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The backbone's weights that learn."""
        return self.backbone.parameters()

    def place(self, processes: Processes) -> None:
        """Move the backbone to the device."""
        self.backbone.model.to(processes.device)

    def train(self, mode: bool) -> None:
        """Switch dropout."""
        self.backbone.model.train(mode)

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over ``draw.size`` items and ``settings.users`` users."""
        rng, count = draw.rng(), draw.processes.count
        size = min(draw.size, len(self.items)) // count * count
        at = rng.permutation(len(self.items))[:size]
        users = rng.permutation(self.users)[: self.settings.users]
        rows = self.train_matrix[users][:, at].toarray()
        rows = rows[(rows > 0).sum(1) >= 2]
        if not len(rows):
            return 0.0
        torch = require("torch", extra="lm")
        x = torch.from_numpy(rows).to(self.backbone.device)
        said = [self.texts[i] for i in self.items[at]]
        said = self.augment(said, rng) if self.augment else said
        texts = [said[i] for i in draw.share(np.arange(size))]
        dims = (*self.settings.dims, self.backbone.dim)
        return cached_backward(
            self.backbone.vectors, texts, lambda a: sum(elsa(x, a[:, :d]) for d in dims) / len(dims), draw
        )

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
