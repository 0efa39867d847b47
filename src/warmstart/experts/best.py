"""The best items of many rows of scores; where rows are long, a sample tells first how high the best stand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from warmstart.experts.products import Attached

REACH = 50_000  # items with the highest scores that are kept in order
Found = tuple[np.ndarray, np.ndarray]  # row and column of each
_ORDERS: Attached[np.ndarray] = Attached()


def best(
    rows: np.ndarray, allowed: np.ndarray, top: int, sample: np.ndarray | None = None, floor: float = -np.inf
) -> Found:
    """Row and column of the ``top`` largest allowed entries above ``floor`` of each row, in no order; NaN are none.

    Parameters
    ----------
    rows
        float, shape (m, n).
    allowed
        bool, shape (m, n).
    sample
        int64: columns drawn at random. What is clearly below the best of them is passed over, which is faster.

    Examples
    --------
    >>> rows = np.array([[3.0, np.nan, 5.0, 4.0], [np.nan] * 4])
    >>> [part.tolist() for part in best(rows, np.ones((2, 4), bool), 2)]
    [[0, 0], [2, 3]]
    """
    usable = np.where(allowed, rows, -np.inf)
    if sample is not None and len(sample) * 4 < rows.shape[1]:
        return above(usable, top, sample, floor)
    usable[np.isnan(usable)] = -np.inf
    if rows.shape[1] > top:
        column = np.sort(np.argpartition(-usable, top, axis=1)[:, :top], axis=1)
    else:
        column = np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
    row = np.repeat(np.arange(len(rows)), column.shape[1])
    found = usable[row, column.ravel()] > floor
    return row[found], column.ravel()[found]


def above(usable: np.ndarray, top: int, sample: np.ndarray, floor: float) -> Found:
    """``best`` by way of a level that about twice ``top`` entries of each row exceed, as a sample tells."""
    place = min(int(2 * top * len(sample) / usable.shape[1]) + 4, len(sample))
    level = -np.partition(-usable[:, sample], place - 1, axis=1)[:, place - 1]  # NaN where too many are
    row, column = cells(usable > np.maximum(level, floor)[:, None])
    bounds = np.searchsorted(row, np.arange(len(usable) + 1)).tolist()
    kept = [np.empty(0, np.int64)]
    for r, (begin, end) in enumerate(pairwise(bounds)):
        at = column[begin:end]
        if len(at) < top and not level[r] <= floor:  # the level was too high, or it is that of many alike
            one = usable[r : r + 1]
            at = best(one, np.ones(one.shape, bool), top, floor=floor)[1]
        elif len(at) > top:
            at = at[np.argpartition(-usable[r, at], top)[:top]]
        kept.append(at)
    return np.repeat(np.arange(len(usable)), [len(at) for at in kept[1:]]), np.concatenate(kept)


def cells(table: np.ndarray) -> Found:
    """Row and column of each true cell, sorted; of few among many faster than ``np.nonzero``.

    Examples
    --------
    >>> [part.tolist() for part in cells(np.array([[False, True], [True, False]]))]
    [[0, 1], [1, 0]]
    """
    row, column = np.divmod(np.flatnonzero(table), max(table.shape[1], 1))
    return row, column


def true_cells(table: np.ndarray) -> np.ndarray:
    """How many cells of each row are true; of few long rows faster than a sum.

    Examples
    --------
    >>> true_cells(np.array([[False, True], [True, True]])).tolist()
    [1, 2]
    """
    return np.array([np.count_nonzero(row) for row in table], np.int64)


def first_allowed(scores: np.ndarray, allowed: np.ndarray, top: int) -> Found:
    """Row and column of the ``top`` allowed items with the highest scores, which are the same for every row.

    Parameters
    ----------
    scores
        float, shape (n_items,), NaN = none; sorted once, as long as the array lives.
    allowed
        bool, shape (n_rows, n_items).

    Examples
    --------
    >>> allowed = np.array([[True, True, True], [True, True, False]])
    >>> [part.tolist() for part in first_allowed(np.array([1.0, 2.0, 3.0]), allowed, 2)]
    [[0, 0, 1, 1], [2, 1, 1, 0]]
    """
    order = in_order(scores)
    head, whole = order[: 4 * top], len(order) < REACH
    columns = [np.empty(0, np.int64)]
    for may in allowed:
        found = head[may[head]]
        if len(found) < top:
            found = order[may[order]]
        if len(found) < top and not whole:
            found = best(scores[None], may[None], top)[1]
        columns.append(found[:top])
    return np.repeat(np.arange(len(allowed)), [len(c) for c in columns[1:]]), np.concatenate(columns)


def in_order(scores: np.ndarray) -> np.ndarray:
    """The 50,000 items with the highest scores, from the highest down: int64; found once, as long as the array lives.

    Examples
    --------
    >>> in_order(np.array([1.0, np.nan, 3.0])).tolist()
    [2, 0]
    """
    known = _ORDERS.get(scores)
    if known is None:
        down = -scores
        first = np.argpartition(down, REACH)[:REACH] if len(down) > REACH else np.arange(len(down))
        first = first[~np.isnan(down[first])]
        known = _ORDERS.put(scores, first[np.argsort(down[first], kind="stable")])
    return known
