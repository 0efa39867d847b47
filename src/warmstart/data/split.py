"""Tasks with a known answer: what a system may learn from, what it is asked, and what it should have found.

Codes never change: what is held out simply has no event in ``train``, so an item or a user nobody
has met is still in the catalogue, with its text and attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.holdout import check_share, draw, last
from warmstart.data.interactions import NO_TIME, Interactions
from warmstart.errors import ConfigError, DataError


@dataclass(frozen=True, eq=False)
class Split:
    """One task: fit on ``train``, rank for ``queries``, compare with ``targets``.

    Parameters
    ----------
    name
        What was done, e.g. ``"few_shot(k=3)"``.
    train
        All a system may learn from.
    queries
        What each asker is known to have done, with attributes where there are any.
    targets
        float32 CSR of ones, shape (n_queries, n_items): what should be found; no row is empty, and
        nothing in it is in the query's history.
    users
        int32 user codes, shape (n_queries,), ascending.
    candidates
        int32 item codes, ascending: the only items that may be listed; None = the whole catalogue.
    hidden
        float32 CSR of ones, shape (n_queries, n_items): items to leave out of the lists afterwards, without
        the system knowing (they were liked, but are neither shown nor asked for); None = none.
    carve
        How the same kind of task is made from other data.
    """

    name: str
    train: Dataset
    queries: Histories
    targets: sp.csr_matrix
    users: np.ndarray
    candidates: np.ndarray | None = None
    hidden: sp.csr_matrix | None = None
    carve: Callable[[Dataset], Split] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.users)

    def validation(self) -> Split:
        """The same kind of task, carved from this one's training data alone; for choosing settings.

        Raises
        ------
        DataError
            If the training data is too small to carve anything from, or the split was made by hand without ``carve``.
        """
        if self.carve is None:
            raise DataError(f"split {self.name!r} has no 'carve'; make it with one of the functions of warmstart.split")
        return replace(self.carve(self.train), name=f"{self.name}+validation")

    def take(self, queries: np.ndarray) -> Split:
        """The same task for the queries at the given positions only; the training data stays."""
        return replace(
            self,
            queries=self.queries.take(queries),
            targets=self.targets[queries],
            users=self.users[queries],
            hidden=None if self.hidden is None else self.hidden[queries],
        )


def temporal(data: Dataset, share: float = 0.2) -> Split:
    """Cut the clock once for everybody: the last ``share`` of the events is the future.

    New users and new items arise as they do in life. Events without a time count as past.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> s = temporal(example(), share=0.25)
    >>> len(s.train.interactions), len(s), int(s.targets.nnz)
    (9, 3, 3)
    """
    check_share(share)
    time = data.interactions.time
    known = np.sort(time[time != NO_TIME])
    if not data.interactions.has_time:
        raise DataError("the events carry no times; use the split last_n, or map a time column when reading")
    future = time >= known[int((1 - share) * len(known))]
    return _assemble("temporal", data, train=~future, test=future, carve=partial(temporal, share=share))


def last_n(data: Dataset, n: int = 1, *, share: float | None = None) -> Split:
    """Hold out each user's last ``n`` events, or the last ``share`` of them; one event at least stays.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> s = last_n(example(), n=1)
    >>> s.queries.row(0).tolist(), s.targets[0].indices.tolist()
    ([0, 1, 2], [3])
    """
    held = last(data.interactions, n, share)
    name = f"last_n(n={n})" if share is None else f"last_n(share={share:g})"
    return _assemble(name, data, train=~held, test=held, carve=partial(last_n, n=n, share=share))


def cold_items(
    data: Dataset,
    share: float = 0.2,
    seed: int = 0,
    *,
    candidates: Literal["cold", "all"] = "all",
    warm_share: float = 0.2,
) -> Split:
    """Take a random ``share`` of the items that have events out of training, with all their events.

    Each user's last ``warm_share`` of the other events is held out as well, so that ``candidates="all"``
    asks for old and new items in one list; ``"cold"`` ranks the new ones among themselves. Both train alike.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> s = cold_items(example(), share=0.25, candidates="cold")
    >>> s.candidates.tolist(), s.train.interactions.item_counts()[s.candidates].tolist()
    ([2], [0])
    """
    if candidates not in ("cold", "all"):
        raise ConfigError(f"candidates={candidates!r} is neither 'cold' nor 'all'; choose one")
    x = data.interactions
    items = draw(np.unique(x.item), share, seed)
    cold = np.isin(x.item, items)
    warm = np.flatnonzero(~cold)
    late = np.zeros(len(x), bool)
    late[warm[last(x.select(warm), 1, warm_share)]] = True
    return _assemble(
        f"cold_items({candidates})",
        data,
        train=~cold & ~late,
        test=cold if candidates == "cold" else cold | late,
        candidates=items if candidates == "cold" else None,
        carve=partial(cold_items, share=share, seed=seed, candidates=candidates, warm_share=warm_share),
    )


def cold_users(data: Dataset, share: float = 0.2, seed: int = 0, *, reveal: float = 0.5) -> Split:
    """Take a random ``share`` of the users out of training; show the first ``reveal`` of their events.

    ``reveal=0`` asks about people of whom nothing but attributes is known.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> s = cold_users(example(), share=0.34, seed=1)
    >>> s.users.tolist(), s.queries.lengths.tolist(), s.train.interactions.user_counts().tolist()
    ([0], [2], [0, 4, 4])
    """
    if not 0 <= reveal < 1:
        raise ConfigError(
            f"reveal={reveal} is not in [0, 1); it is the share of a held-out user's events that is shown"
        )
    x = data.interactions
    out = np.isin(x.user, draw(np.unique(x.user), share, seed))
    shown = out & (x.position() < np.floor(reveal * x.user_counts()[x.user]))
    carve = partial(cold_users, share=share, seed=seed, reveal=reveal)
    return _assemble(f"cold_users(reveal={reveal:g})", data, train=~out, shown=shown, test=out & ~shown, carve=carve)


def few_shot(data: Dataset, k: int = 3, *, after: int = 10, share: float = 0.2, seed: int = 0) -> Split:
    """Take users out of training and show their first ``k`` events only.

    Relevant is what came after event number ``after``, so the users and their targets are the same for every
    ``k``; the events between are hidden from the lists. Users with too few events are not asked about.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> one, two = (few_shot(example(), k, after=2, share=0.34, seed=1) for k in (1, 2))
    >>> one.queries.row(0).tolist(), one.hidden.indices.tolist(), (one.targets != two.targets).nnz
    ([0], [1], 0)
    """
    if not 0 <= k <= after:
        raise ConfigError(f"k={k} is not between 0 and after={after}; events past 'after' are what is asked for")
    x = data.interactions
    out, position = np.isin(x.user, draw(np.unique(x.user), share, seed)), x.position()
    return _assemble(
        f"few_shot(k={k})",
        data,
        train=~out,
        shown=out & (position < k),
        hidden=out & (position >= k) & (position < after),
        test=out & (position >= after),
        carve=partial(few_shot, k=k, after=after, share=share, seed=seed),
    )


def sparse(data: Dataset, percent: float, seed: int = 0, *, share: float = 0.2) -> Split:
    """Keep a random ``percent`` of the training events; the question is that of ``last_n(share=share)``.

    Thinnings of one seed are nested: what 2 % keeps, 5 % keeps too. What was thinned out is hidden from the
    lists. Validation holds out the last ``share`` of what is left, without thinning again.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> s = sparse(example(), percent=50, share=0.25)
    >>> len(s.train.interactions), len(s), int(s.hidden.nnz)
    (4, 3, 5)
    """
    if not 0 < percent <= 100:
        raise ConfigError(f"percent={percent} is not in (0, 100]; it is the part of the training events that is kept")
    held = last(data.interactions, 1, share)
    past = np.flatnonzero(~held)
    kept = np.zeros(len(held), bool)
    kept[np.random.default_rng(seed).permutation(past)[: max(1, round(percent / 100 * len(past)))]] = True
    carve = partial(last_n, share=share)
    return _assemble(f"sparse({percent:g}%)", data, train=kept, hidden=~held & ~kept, test=held, carve=carve)


def shuffle_ties(data: Dataset, seed: int = 0) -> Dataset:
    """Put a user's events of equal time in random order, where the stored order could give something away.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> sorted(shuffle_ties(example()).interactions.item[:4].tolist())
    [0, 1, 2, 3]
    """
    x = data.interactions
    order = np.lexsort((np.random.default_rng(seed).random(len(x)), x.time, x.user))
    return data.with_interactions(x.select(order))


def given(name: str, train: Dataset, test: Interactions, candidates: np.ndarray | None = None) -> Split:
    """A split whose events were held out elsewhere: each user's history is in ``train``, the targets are in ``test``.

    It cannot be carved anew. Parameters are those of ``Split``; codes of ``test`` are those of ``train``.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> data = example()
    >>> old, new = (data.interactions.select(data.interactions.position() % 2 == odd) for odd in (0, 1))
    >>> split = given("every other", data.with_interactions(old), new)
    >>> split.queries.row(0).tolist(), split.targets[0].indices.tolist()
    ([0, 2], [1, 3])
    """
    targets = _minus(test.matrix(), train.interactions.matrix())
    if candidates is not None:
        among = np.zeros(train.n_items, np.float32)
        among[candidates] = 1.0
        targets = sp.csr_matrix(targets.multiply(among[None]))
        targets.eliminate_zeros()
    users = np.flatnonzero(targets.getnnz(axis=1)).astype(np.int32)
    return Split(name, train, train.histories(users), targets[users], users, candidates)


def _assemble(
    name: str,
    data: Dataset,
    *,
    train: np.ndarray,
    test: np.ndarray,
    carve: Callable[[Dataset], Split],
    shown: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
    candidates: np.ndarray | None = None,
) -> Split:
    """A split from boolean masks over the events; shown = train unless the users asked about are new."""
    x, shown = data.interactions, train if shown is None else shown
    seen = x.select(shown).matrix()
    out = None if hidden is None else _minus(x.select(hidden).matrix(), seen)
    targets = _minus(x.select(test).matrix(), seen if out is None else seen + out)
    users = np.flatnonzero(targets.getnnz(axis=1)).astype(np.int32)
    if not len(users) or not train.any():
        left = f"{int(train.sum())} training events and {len(users)} queries"
        raise DataError(f"{name} leaves {left}; hold out another share, or give more data")
    return Split(
        name=name,
        train=data.with_interactions(x.select(train)),
        queries=data.with_interactions(x.select(shown)).histories(users),
        targets=targets[users],
        users=users,
        candidates=candidates,
        hidden=None if out is None else out[users],
        carve=carve,
    )


def _minus(a: sp.csr_matrix, b: sp.csr_matrix) -> sp.csr_matrix:
    """Set difference row by row: the entries of ``a`` where ``b`` has none."""
    left = sp.csr_matrix(a - a.multiply(b > 0))
    left.eliminate_zeros()
    left.sort_indices()
    return left
