"""The task of the demo: every state a recommender meets, in one split of one small data set."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.dataset import Dataset
from warmstart.data.holdout import draw, last
from warmstart.data.ingest import read
from warmstart.data.split import Split

REVEALED = (0, 1, 3, 5, 10)  # events shown of a held-out user, in turn
AFTER = 10  # what is asked of a held-out user comes after this many events
NEW_USERS, NEW_ITEMS, FUTURE = 0.2, 0.05, 0.2


def demo_split(data: Dataset, film: str, seed: int = 0) -> Split:
    """Known users with their last fifth held out, new users after 0 to 10 events, and films nobody has met.

    Parameters
    ----------
    film
        Id of an item that is to be among those without interactions.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> split = demo_split(clusters(), "i0")
    >>> int(split.train.interactions.item_counts()[0]), sorted(set(split.queries.lengths.tolist()))[:3]
    (0, [0, 1, 2])
    """
    x = data.interactions
    items = np.append(draw(np.unique(x.item), NEW_ITEMS, seed), data.catalog.items.codes([film]))
    users = draw(np.unique(x.user), NEW_USERS, seed)
    cold, new, position = np.isin(x.item, items), np.isin(x.user, users), x.position()
    turn = np.zeros(data.n_users, np.int64)
    turn[users] = np.resize(REVEALED, len(users))
    late = last(x, 1, FUTURE)
    shown = ~cold & np.where(new, position < turn[x.user], ~late)
    asked = np.where(new, position >= AFTER, late | cold)
    seen, targets, between = (x.select(mask).matrix() for mask in (shown, asked, ~shown & ~asked))
    targets, hidden = without(targets, seen), without(between, seen)
    found = np.flatnonzero(targets.getnnz(axis=1)).astype(np.int32)
    return Split(
        name="known users, new users and new films at once",
        train=data.with_interactions(x.select(shown & ~new)),
        queries=data.with_interactions(x.select(shown)).histories(found),
        targets=targets[found],
        users=found,
        hidden=without(hidden, targets)[found],
    )


def without(a: sp.csr_matrix, b: sp.csr_matrix) -> sp.csr_matrix:
    """The entries of ``a`` where ``b`` has none.

    Examples
    --------
    >>> without(sp.csr_matrix([[1.0, 1.0]]), sp.csr_matrix([[0.0, 1.0]])).toarray().tolist()
    [[1.0, 0.0]]
    """
    left = sp.csr_matrix(a - a.multiply(b > 0))
    left.eliminate_zeros()
    left.sort_indices()
    return left


def shrink(data: Dataset, n_users: int, n_items: int) -> Dataset:
    """The most met items and, among them, the events of the first users; for a quick look.

    Examples
    --------
    >>> from warmstart.data.toy import clusters
    >>> small = shrink(clusters(), 50, 30)
    >>> small.n_items, small.n_users <= 50
    (30, True)
    """
    x = data.interactions
    items = np.sort(np.argsort(-x.item_counts(), kind="stable")[:n_items])
    rows = x.select(np.isin(x.item, items) & (x.user < n_users))
    events = {
        "user_id": data.users.names(rows.user.tolist()),
        "item_id": data.catalog.items.names(rows.item.tolist()),
        "rating": rows.rating,
        "time": rows.time,
    }
    return read(pl.DataFrame(events), items=data.catalog.table[items.astype(np.uint32)])
