"""What mined interests hold beside foresight: coverage, steadiness, enough to rank by, and obedience when removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.evaluate.baselines import best
from warmstart.evaluate.foreseen import PEOPLE, Window
from warmstart.evaluate.metrics import find_hits, ndcg
from warmstart.experts.content import ContentCosine, ContentMap
from warmstart.interests.concepts import Concepts, ConceptSettings
from warmstart.interests.predict import NextShares, PredictSettings
from warmstart.interests.profile import ProfileSettings
from warmstart.interests.vectors import FusedSpace

EIGHT, EVERY = 8, 10_000  # interests that are told of a person usually, and where all are wanted
PLACES = 20

Scores = Callable[[Histories], np.ndarray]


@dataclass(frozen=True)
class Agreement:
    """Adjusted mutual information of the concepts of two fits, mean over pairs, by level, coarse first; at most 1.

    Parameters
    ----------
    same
        Whether a second fit with the same seed found the same concepts.
    seeds
        The same events, other seeds. Of a tree nothing is drawn while single items are joined (``tree.EXACT``).
    events
        Another seed draws nine tenths of the events.
    """

    same: bool
    seeds: tuple[float, ...]
    events: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Coverage:
    """How much of the future belongs to interests, and how much of everybody's events would.

    Parameters
    ----------
    shares
        By set of interests: float64, shape (2, n_people), in [0, 1]: the share of a person's future events that belong
        to one of them at least, and for comparison that of everybody's earlier events. The sets: the first eight that
        are told of the history; all of these; those that are foreseen (concepts of whatever level that a person is
        expected to take more often than everybody does); both.
    """

    SETS: ClassVar[tuple[str, ...]] = (
        "the first eight told",
        "all that are told",
        "those foreseen",
        "told or foreseen",
    )

    shares: Mapping[str, np.ndarray]


def coverage(concepts: Concepts, belongs: sp.csr_matrix, window: Window, settings: PredictSettings) -> Coverage:
    """Share of each person's future events that belong to one of their interests; see ``Coverage``."""
    members = concepts.members
    weights, everybody = members.weights, np.maximum(window.train.interactions.item_counts(), 0.5)
    foresees = NextShares.fit(window.train.interactions, belongs, settings)
    out = np.zeros((len(Coverage.SETS), 2, len(window.users)))
    for q in range(len(window.users)):
        h = window.queries.take(np.array([q]))
        told = [i.concept for i in concepts.of(h.row(0), ProfileSettings(most=EVERY))]
        likely = foresees.likely(h)[0]
        foreseen = np.flatnonzero(weights.T @ likely > concepts.common).tolist()
        for at, mine in enumerate((told[:EIGHT], told, foreseen, [*told, *foreseen])):
            inside = np.asarray(weights[:, mine].sum(1)).ravel() > 0
            out[at, :, q] = inside[window.future[q].indices].mean(), everybody[inside].sum() / everybody.sum()
    return Coverage(dict(zip(Coverage.SETS, out, strict=True)))


def agreement(data: Dataset, settings: ConceptSettings, seeds: int = 3, seed: int = 0) -> Agreement:
    """How much the concepts depend on what is drawn; see ``Agreement``."""
    vectors = FusedSpace.fit(data)[1]
    first = _paths(vectors, settings, seed)
    others = [_paths(vectors, settings, seed + i) for i in range(1, seeds)]
    drawn = [_paths(FusedSpace.fit(_nine_tenths(data, seed + i))[1], settings, seed) for i in range(seeds)]
    same = bool(np.array_equal(first, _paths(vectors, settings, seed)))
    return Agreement(same, _agree([first, *others]), _agree(drawn))


def _paths(vectors: np.ndarray, settings: ConceptSettings, seed: int) -> np.ndarray:
    tree, sparse = replace(settings.tree, seed=seed), replace(settings.sparse, seed=seed)
    paths: np.ndarray = replace(settings, tree=tree, sparse=sparse).build(vectors)[0].paths
    return paths


def _nine_tenths(data: Dataset, seed: int) -> Dataset:
    x = data.interactions
    return data.with_interactions(x.select(np.random.default_rng(seed).random(len(x)) < 0.9))


def _agree(found: list[np.ndarray]) -> tuple[float, ...]:
    from sklearn.metrics import adjusted_mutual_info_score

    pairs = [(a, b) for i, a in enumerate(found) for b in found[i + 1 :]]
    levels = range(found[0].shape[1])
    return tuple(
        float(np.mean([adjusted_mutual_info_score(a[:, at], b[:, at]) for a, b in pairs])) if pairs else float("nan")
        for at in levels
    )


def rankings(belongs: sp.csr_matrix, window: Window, settings: PredictSettings) -> dict[str, np.ndarray]:
    """NDCG@10 of the future events, by who ranks the catalogue without the items taken: float64, shape (n_people,).

    ``interests``: P(item) by the foreseen shares of the concepts and nothing else. ``content map`` and ``content
    cosine``: the engine's two content experts, on the same features. ``popularity``.
    """
    train, foresees = window.train, NextShares.fit(window.train.interactions, belongs, settings)
    taken = train.interactions.item_counts().astype(np.float64)
    rankers: dict[str, Scores] = {
        "interests": foresees.likely,
        "content map": ContentMap().fit(train).score,
        "content cosine": ContentCosine().fit(train).score,
        "popularity": lambda h: np.tile(taken, (len(h), 1)),
    }
    return {name: ranked_well(score, window) for name, score in rankers.items()}


def ranked_well(score: Scores, window: Window, k: int = 10) -> np.ndarray:
    """NDCG@k of each person's future: float64, shape (n_people,)."""
    lists = [top(score, window.queries.take(rows), k) for rows in _blocks(len(window.users))]
    hits = find_hits(np.vstack(lists), window.future)
    return ndcg(hits, window.future.getnnz(axis=1))


def top(score: Scores, h: Histories, k: int) -> np.ndarray:
    """The k best items that are not in the history: int32 codes, shape (n_queries, k), -1 = none left."""
    scores = np.array(score(h), np.float64)
    scores[h.matrix().nonzero()] = -np.inf
    return best(scores, k)


@dataclass(frozen=True)
class Removal:
    """What removing everybody's first interest does to the first twenty items ranked by interests alone.

    Parameters
    ----------
    before, after
        Share of the twenty that belong to it, mean over people, with its events heard and with them not heard. Where
        the items are barred as well, as ``Steering.without`` does, none is left.
    halved
        Share of people for whom it is at most half of what it was, among those who had any.
    people
        Their number.
    """

    before: float
    after: float
    halved: float
    people: int

    @property
    def cut(self) -> float:
        """Share of its places that it loses; NaN if it had none."""
        return 1 - self.after / self.before if self.before else float("nan")


def removal(concepts: Concepts, belongs: sp.csr_matrix, window: Window, settings: PredictSettings) -> Removal:
    """Take the events of the interest that tells most out of every history, and rank again; see ``Removal``."""
    foresees = NextShares.fit(window.train.interactions, belongs, settings)
    weights = sp.csc_matrix(concepts.members.weights)
    before, after = np.empty(len(window.users)), np.empty(len(window.users))
    for q in range(len(window.users)):
        h = window.queries.take(np.array([q]))
        told = concepts.of(h.row(0), ProfileSettings(most=1))
        if not told:
            before[q] = after[q] = 0.0
            continue
        inside = np.asarray(weights[:, [told[0].concept]].todense()).ravel() > 0
        seen = h.matrix().nonzero()
        for where, heard in ((before, h), (after, h.keep(~inside[h.item]))):
            likely = foresees.likely(heard)
            likely[seen] = -np.inf
            found = best(likely, PLACES)[0]
            where[q] = inside[found[found >= 0]].sum() / PLACES
    had = before > 0
    halved = float((after[had] <= before[had] / 2).mean()) if had.any() else float("nan")
    return Removal(float(before.mean()), float(after.mean()), halved, int(had.sum()))


def _blocks(n: int) -> list[np.ndarray]:
    return [np.arange(start, min(start + PEOPLE, n)) for start in range(0, n, PEOPLE)]
