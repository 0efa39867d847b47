"""Bayesian factorisation machines: sampled by the library ``myfm``, kept as tables of items, asked by histories."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.errors import ConfigError, require
from warmstart.experts.panel import Progress
from warmstart.experts.ratings.graph_blocks import graph_blocks
from warmstart.experts.ratings.rated import Rated
from warmstart.experts.ratings.sides import PeopleFacts, described, how_often, item_facts
from warmstart.experts.ratings.tables import Draws, FittedMachine, Part, World

SHY, BOLD = 0.001, 0.1  # rates of the prior: see ``Chain.narrow``
LEVELS = 20  # values of a scale up to which an ordered probit is taken


@dataclass(frozen=True)
class Chain:
    """One run of the sampler.

    Parameters
    ----------
    ordered
        Whether ratings are steps of a ladder (ordered probit) or numbers (Gaussian).
    text
        Directions of the item features that describe an item; 0 = none.
    facts
        Whether items are described by the columns of the catalogue.
    heard
        Whether a person is described by what was rated, whatever the rating: it helps from about eight ratings on.
    graph
        Whether items are described by their relations in a graph, where the data has one.
    narrow
        Rate of the gamma prior of each group's ``lambda``; the library's own is 1. It keeps the variance of a group
        above about ``narrow / width``, whether or not the ratings speak of it: with 0.001 RMSE falls by 0.4 % on 64,000
        ratings of MovieLens 100K and by 1 % on 3,180. But a few hundred ratings may then never leave 0.
    """

    ordered: bool = True
    text: int = 0
    facts: bool = True
    heard: bool = True
    graph: bool = False
    narrow: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.narrow < np.inf:
            raise ConfigError(f"narrow={self.narrow:g} of a chain is not above 0; {SHY:g} to 1 are usual")


@dataclass(frozen=True)
class FactorisationMachine:
    """``f = w0 + sum_a w_a x_a + sum_{a<b} <v_a, v_b> x_a x_b``, averaged over draws from the posterior of ``w, v``.

    x holds who rates (one-hot), what this person has rated (``1 / sqrt(n)`` each), attributes of the person, the item
    (one-hot), who has rated it (``1 / sqrt(n)``), and what it is. Each group g of them has its own
    ``w, v ~ N(mu_g, 1 / lambda_g)``. Ratings are ``N(f, 1 / alpha)``, or steps of a ladder:
    ``P(r <= l) = Phi(c_l - f)``.

    Parameters
    ----------
    chains
        Runs whose draws are joined.
    rank
        Length of v at most; less where there are fewer than ``per`` ratings for each of them.
    per
        Ratings for each person and item.
    steps, dropped, kept
        Draws of a run, those left out at its beginning, and those that are kept of the others, evenly spaced.
    seed
        Of the first run; each next one takes the next number.

    References
    ----------
    S. Rendle, Factorization Machines with libFM, ACM TIST 2012, eq. 1 and section 4.3;
    S. Rendle, L. Zhang, Y. Koren, On the Difficulty of Evaluating Baselines, arXiv:1905.01395 (who has rated an item);
    Y. Koren, Factorization Meets the Neighborhood, KDD 2008 (what a person has rated).
    """

    chains: tuple[Chain, ...] = field(
        default=(
            Chain(narrow=SHY),
            Chain(ordered=False, heard=False, narrow=BOLD),
            Chain(text=8, narrow=SHY),
            Chain(heard=False, text=8, narrow=BOLD),
            Chain(facts=False, narrow=SHY),
            Chain(ordered=False, text=16, narrow=SHY),
            Chain(ordered=False, graph=True, narrow=SHY),
            Chain(text=8, graph=True, narrow=SHY),
        )
    )
    rank: int = 10
    per: float = 3.0
    steps: int = 120
    dropped: int = 30
    kept: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        drawn = min(self.rank, self.kept) >= 1 and 0 <= self.dropped <= self.steps - self.kept
        if not (self.chains and drawn and self.per > 0):
            raise ConfigError(
                f"{len(self.chains)} chains, rank={self.rank}, per={self.per:g}, steps={self.steps}, "
                f"dropped={self.dropped}, kept={self.kept}: take a chain, a rank and a draw at least, "
                "per above 0, and steps >= dropped + kept"
            )

    def fit(self, data: Dataset, rated: Rated, levels: np.ndarray, progress: Progress | None = None) -> FittedMachine:
        """Sample.

        Parameters
        ----------
        data
            For the catalogue, the table of users and, where attached, the item features.
        rated
            The ratings.
        levels
            All values of the scale, ascending; empty where it is continuous.

        Raises
        ------
        MissingExtra
            If myfm is not installed.
        """
        people, facts, told = PeopleFacts.fit(data.user_table), item_facts(data), list[sp.csr_matrix]()
        if any(chain.graph for chain in self.chains):
            told = graph_blocks(data)
        steps = met(levels, rated.value) if 2 <= len(levels) <= LEVELS else np.empty(0)
        world, draws = World.of(data, rated, people), list[Draws]()
        for at, chain in enumerate(self.chains):
            tell = partial(self._tell, progress, at)
            chain = replace(chain, ordered=chain.ordered and len(steps) > 0)
            shown = [*(facts if chain.facts else []), *described(data, chain.text), how_often(rated)]
            shown += told if chain.graph else []
            seen = world.shown(*shown, heard=chain.heard)
            draws.append(self._run(seen, rated, chain, steps, self.seed + at, tell))
        return FittedMachine(tuple(draws), people, steps, np.array([chain.heard for chain in self.chains]))

    def rank_of(self, rated: Rated) -> int:
        """The rank that so many ratings bear.

        Examples
        --------
        >>> from warmstart.data.interactions import Interactions
        >>> few = Interactions.of(np.arange(6) % 2, np.arange(6) // 2, 2, 3, rating=np.arange(6.0))
        >>> FactorisationMachine().rank_of(Rated.of(few))
        1
        """
        met = len(np.unique(rated.user)) + len(np.unique(rated.item))
        return max(1, min(self.rank, int(len(rated) / (self.per * max(met, 1)))))

    def _tell(self, progress: Progress | None, run: int, step: int) -> None:
        if progress:
            progress("drawing factors of ratings", run * self.steps + step, len(self.chains) * self.steps)

    def _run(
        self, world: World, rated: Rated, chain: Chain, levels: np.ndarray, seed: int, tell: Callable[[int], None]
    ) -> Draws:
        """Draws of one run, as tables."""
        myfm = sampler()

        def drawn(step: int, *_: Any) -> tuple[bool, None]:
            tell(step)
            return False, None

        blocks = [
            myfm.RelationBlock(rated.user.tolist(), sp.csr_matrix(sp.hstack(world.person))),
            myfm.RelationBlock(rated.item.tolist(), sp.csr_matrix(sp.hstack(world.item))),
        ]
        kind = myfm.MyFMOrderedProbit if chain.ordered else myfm.MyFMGibbsRegressor
        model = kind(rank=self.rank_of(rated), random_seed=seed, beta_0=chain.narrow)
        given = nearest(levels, rated.value) if chain.ordered else rated.value
        with quiet(myfm):
            model.fit(
                sp.csr_matrix((len(rated.value), 0)),
                given,
                X_rel=blocks,
                n_iter=self.steps,
                n_kept_samples=self.steps - self.dropped,
                group_shapes=world.groups,
                callback=drawn,
            )
        at = np.linspace(0, self.steps - self.dropped - 1, self.kept).round().astype(int)
        return Draws.of([read(model, int(one), chain.ordered) for one in at], world)


def nearest(levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Position of the level nearest to each value: int64, shape (n,); ``levels`` ascend.

    Examples
    --------
    >>> nearest(np.array([0.2, 0.3, 0.4]), np.array([0.3, 0.4], np.float32).astype(np.float64)).tolist()
    [1, 2]
    """
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, values)


def met(levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The levels that some value is nearest to: a step that nobody takes has no place on a ladder; none if it is one.

    Examples
    --------
    >>> met(np.arange(1.0, 6.0), np.array([1.0, 4.0, 2.0, 4.0])).tolist(), met(np.arange(3.0), np.ones(4)).tolist()
    ([1.0, 2.0, 4.0], [])
    """
    found: np.ndarray = levels[np.unique(nearest(levels, values))]
    return found if len(found) > 1 else np.empty(0)


def sampler() -> Any:
    """The library, without its warning of how it looks up its version."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
        return require("myfm", extra="ratings")


@contextmanager
def quiet(library: Any) -> Iterator[None]:
    """The library without its progress bar, which has no switch."""
    bar = library.base.tqdm
    library.base.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        library.base.tqdm = bar


def read(model: Any, at: int, ordered: bool) -> Part:
    """A kept draw of a fitted model of myfm, and the hyper-parameters it was drawn with."""
    fm = model.predictor_.samples[at]
    hyper = model.history_.hypers[len(model.history_.hypers) - len(model.predictor_.samples) + at]
    cuts = np.asarray(fm.cutpoints[0]) if ordered else np.empty(0)
    return Part(
        float(fm.w0), np.asarray(fm.w), np.asarray(fm.V), np.asarray(hyper.mu_w), np.asarray(hyper.lambda_w),
        np.asarray(hyper.mu_V), np.asarray(hyper.lambda_V), 1.0 if ordered else float(hyper.alpha), cuts,
    )  # fmt: skip
