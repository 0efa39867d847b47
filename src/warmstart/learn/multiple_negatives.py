"""Fine-tuning on mined pairs: an item's partner is told from the partners of all other items in the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, DataError, require
from warmstart.learn.backbone import Backbone
from warmstart.learn.cached import cached_backward
from warmstart.learn.held_items import HeldItems
from warmstart.learn.mining import hard_negatives, positives
from warmstart.learn.objective import OnBackbone
from warmstart.learn.processes import Draw
from warmstart.learn.settings import at_least, check_dims, share


@dataclass(frozen=True)
class MultipleNegatives:
    """Settings of the multiple-negatives loss.

    Parameters
    ----------
    temperature
        Divides the cosines, above 0.
    positives
        Partners mined for an item; one of them is drawn at a time, the better ones more often.
    hard
        Hard negatives mined for an item; one of them is drawn at a time. 0 = those of the batch alone.
    held_out
        Share of the items with events that is kept for validation: new items ranked among themselves.
    dims
        Shorter lengths at which the vectors must work as well (Matryoshka, arXiv:2205.13147).
    """

    temperature: float = 0.05
    positives: int = 10
    hard: int = 8
    held_out: float = 0.1
    dims: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        at_least("positives", self.positives, 1)
        at_least("hard", self.hard, 0)
        if not self.temperature > 0:
            raise ConfigError(f"temperature={self.temperature} is not above 0; 0.05 is usual")
        share("held_out", self.held_out, 0.1)
        for dim in self.dims:
            at_least("dims", dim, 1)


class MultipleNegativesObjective(OnBackbone):
    """Cross-entropy of telling an item's partner among all partners and hard negatives of the batch, both ways.

    ``-log softmax_c(cos(a, c) / t)`` at the partner, where the candidates c leave out the item itself and its other
    known partners: they are no negatives. From the partner back to the item likewise. Source: Henderson et al.,
    Efficient natural language response suggestion for Smart Reply, 2017, arXiv:1705.00652, section 4.4.

    Parameters
    ----------
    backbone
        The encoder.
    texts
        One a catalogue item.
    x
        Events to mine and to learn from; nothing else of the world is looked at.
    settings
        Temperature, what is mined, what is held out.
    seed
        Decides which items are held out.
    categories
        CSR of ones, shape (n_items, n_categories), see ``categories_of``: among like items hard negatives are
        found. None = negatives of the batch alone.

    Raises
    ------
    ConfigError
        If a shorter length is not shorter.
    DataError
        If too few items have text and events, or no two items go together.
    """

    watched = "ndcg@10"
    higher_is_better = True

    def __init__(
        self,
        backbone: Backbone,
        texts: Sequence[str],
        x: Interactions,
        settings: MultipleNegatives | None = None,
        seed: int = 0,
        categories: sp.csr_matrix | None = None,
    ) -> None:
        self.backbone, self.texts, self.settings = backbone, list(texts), settings or MultipleNegatives()
        check_dims(self.settings.dims, backbone.dim)
        self.asked = HeldItems.of(texts, x, self.settings.held_out, seed)
        self.items, self.held, train = self.asked.items, self.asked.held, self.asked.train
        self.pairs = positives(train, self.settings.positives)
        self.anchors = np.flatnonzero(self.pairs.getnnz(axis=1) > 0)
        if not len(self.anchors):
            raise DataError("no two items with text have people in common; mined pairs need people with two events")
        kinds = sp.csr_matrix((len(texts), 0), dtype=np.float32) if categories is None else categories
        self.negatives = hard_negatives(train, sp.csr_matrix(kinds[self.items]), self.settings.hard)

    def backward(self, draw: Draw) -> float:
        """Gradients of the loss over ``draw.size`` items, a partner and a hard negative of each."""
        torch = require("torch", extra="lm")
        rng, count = draw.rng(), draw.processes.count
        anchor = rng.permutation(self.anchors)[: draw.size]
        partner = _one_of(self.pairs, anchor, rng)
        candidate = np.concatenate([partner, _one_of(self.negatives, anchor, rng)])
        candidate = candidate[candidate >= 0]
        shown = np.unique(np.concatenate([anchor, candidate]))
        spare = -len(shown) % count  # every process has as many texts
        wanted = np.concatenate([shown, shown[:1].repeat(spare)])
        rows, columns = np.searchsorted(shown, anchor), np.searchsorted(shown, candidate)
        ruled_out = torch.from_numpy(_ruled_out(self.pairs, anchor, candidate))
        dims, t = (*self.settings.dims, self.backbone.dim), self.settings.temperature

        def loss(v: Any) -> Any:
            out = ruled_out.to(v.device)
            return sum(multiple_negatives(v[rows, :d], v[columns, :d], out, t) for d in dims) / len(dims)

        texts = [self.texts[i] for i in self.items[draw.share(wanted)]]
        return cached_backward(self.backbone.vectors, texts, loss, draw)

    def validate(self) -> dict[str, float]:
        """NDCG@10 of held-out items ranked among themselves by the cosine to the mean of a user's other items."""
        return {self.watched: self.asked.ndcg(self.backbone, self.texts)}


def multiple_negatives(anchors: Any, candidates: Any, ruled_out: Any, temperature: float) -> Any:
    """The loss, mean over anchors and both directions.

    Parameters
    ----------
    anchors
        float32 tensor (n, dim); unit rows are made here.
    candidates
        float32 tensor (n + m, dim): the partners of the anchors in their order, then hard negatives.
    ruled_out
        bool tensor (n, n + m): what is no negative; never true on the diagonal.
    temperature
        Divides the cosines.
    """
    functional = require("torch", extra="lm").nn.functional
    a, c = functional.normalize(anchors, dim=1), functional.normalize(candidates, dim=1)
    logits = (a @ c.T / temperature).masked_fill(ruled_out, float("-inf"))
    n = len(anchors)
    own = logits.diagonal()
    there, back = logits.logsumexp(1), logits[:, :n].logsumexp(0)
    return (0.5 * (there + back) - own).mean()


def _one_of(choices: sp.csr_matrix, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A column of each row, drawn in proportion to its weight; -1 where the row is empty."""
    out, draws = np.full(len(rows), -1, np.int64), rng.random(len(rows))
    for i, row in enumerate(rows):
        at = slice(choices.indptr[row], choices.indptr[row + 1])
        if at.start < at.stop:
            total = np.cumsum(choices.data[at], dtype=np.float64)
            out[i] = choices.indices[at][np.searchsorted(total, draws[i] * total[-1], side="right")]
    return out


def _ruled_out(pairs: sp.csr_matrix, anchor: np.ndarray, candidate: np.ndarray) -> np.ndarray:
    """Candidates that are an anchor itself or one of its partners, all but its own one."""
    out: np.ndarray = (pairs[anchor][:, candidate] > 0).toarray()
    out |= anchor[:, None] == candidate[None, :]
    out[np.arange(len(anchor)), np.arange(len(anchor))] = False
    return out
