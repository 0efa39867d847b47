"""What an engine answers: tables of recommendations and of likes, and why an item is shown or not."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from warmstart.data.histories import Histories
from warmstart.data.popularity import long_tail
from warmstart.experts.best import true_cells
from warmstart.explain.missing import BELOW, FILTERED, SEEN, SHOWN, Explanation
from warmstart.explain.similar import nearest
from warmstart.fitted import Fitted
from warmstart.fusion.fuse import top_rows
from warmstart.fusion.samples import allowed_items, blocks
from warmstart.interests.profile import ProfileSettings, shares_of
from warmstart.interests.steer import Wishes
from warmstart.query import filter_mask
from warmstart.reasons import by_interest, by_paths, explainer, reasons
from warmstart.rerank.calibrated import calibrated
from warmstart.rerank.order import Order
from warmstart.rerank.rated import by_rating
from warmstart.rerank.tail import Tail

LOG = logging.getLogger("warmstart.engine")
SMALL = 200  # items: fewer are too few to standardise scores over
LEVEL = 0  # of the concepts whose proportions lists may keep
AS_RANKED = Order()
Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # item, score and lead, as ``FittedFusion.rank`` returns them
SCHEMA = {"query": pl.Int64, "item_id": pl.String, "score": pl.Float64, "rank": pl.Int64, "source": pl.String}


def answered(
    f: Fitted,
    h: Histories,
    pool: np.ndarray,
    k: int,
    exclude_seen: bool,
    explain: bool,
    wishes: Wishes,
    order: Order,
) -> pl.DataFrame:
    """``recommended`` for any number of queries, as many at once as fit into memory."""
    tables = 1 if len(h) == 1 else f.fusion.asking.tables(f.panel, pool)  # one is asked alone in any case
    many = list(blocks(len(h), len(f.counts), tables))
    if len(many) == 1:
        return recommended(f, h, many[0], pool, k, exclude_seen, explain, wishes, order)
    parts = [pl.DataFrame(schema=SCHEMA)]
    for block in many:
        mine = pool if pool.ndim == 1 else pool[block]
        parts.append(recommended(f, h.take(block), block, mine, k, exclude_seen, explain, wishes, order))
    return pl.concat(parts, how="diagonal")


def recommended(
    f: Fitted,
    h: Histories,
    number: np.ndarray,
    pool: np.ndarray,
    k: int,
    exclude_seen: bool,
    explain: bool,
    wishes: Wishes,
    order: Order = AS_RANKED,
) -> pl.DataFrame:
    """The best k items of each query.

    Parameters
    ----------
    h, number
        Queries, and what each is called in the column ``query``: int64, shape (n_queries,).
    pool
        bool, shape (n_items,) or (n_queries, n_items): items that may be recommended.
    exclude_seen
        Leave out the items of the history.
    explain
        Add ``reasons``.
    wishes
        What is asked of the person's interests.
    order
        What decides the places; the floor of the tail comes after all else.
    """
    pool = pool & ~wishes.barred
    pool = np.broadcast_to(pool, (len(h), len(f.counts)))
    allowed = allowed_items(h, pool) if exclude_seen else pool
    h = wishes.heard(h)
    item, score, lead = placed(f, h, allowed, k, wishes, order)
    q, at = np.nonzero(item >= 0)
    source = np.array([*f.panel.experts, "predicted"])[lead[q, at]]
    unmet = f.counts[item[q, at]] == 0
    source[unmet & np.isin(source, list(f.panel.flat))] = "predicted"  # nobody made it popular
    table = {
        "query": pl.Series(number[q], dtype=pl.Int64),
        "item_id": pl.Series(f.catalog.items.names(item[q, at]), dtype=pl.String),
        "score": score[q, at],
        "rank": pl.Series(at + 1, dtype=pl.Int64),
        "source": pl.Series(source.tolist(), dtype=pl.String),
    }
    if explain:
        table["reasons"] = reasons(f, h, item, allowed)
    return pl.DataFrame(table)


def placed(f: Fitted, h: Histories, allowed: np.ndarray, k: int, wishes: Wishes, order: Order) -> Found:
    """The k items of each query in the order they are shown.

    Where the objective is the rating, the score is the predicted one; where it is both, the sum of both.
    """
    wanted, floor = bool(wishes.wanted.any()), order.tail.floor
    many = min(order.depth(k, moved=wanted), len(f.counts))
    found = ranked(f, h, allowed, many if wanted else k, many, order.tail)
    if order.rated:
        found = by_rating(f.ratings, h, *found, alone=order.by_rating)
    if wanted or order.calibrate > 0:
        raised = wishes.raised(found[0], found[1])
        found = picked(found, ordered(f, h, found[0], raised, many if floor else k, order.calibrate))
    if floor:
        found = picked(found, order.tail.placed(found[0], long_tail(f.counts), k))
    item, score, lead = (part[:, :k] for part in found)
    return item, score, lead


def picked(found: Found, order: np.ndarray) -> Found:
    """Columns of item, score and lead in another order."""
    item, score, lead = (np.take_along_axis(part, order, axis=1) for part in found)
    return item, score, lead


def ranked(f: Fitted, h: Histories, allowed: np.ndarray, k: int, many: int, tail: Tail) -> Found:
    """The best ``many`` of the candidates for lists of k by relevance, before any floor.

    Of a query to which little of the catalogue is allowed, some of which somebody met, it is scored among all else.
    """
    few = np.zeros(len(h), bool) if tail.acts else handful(f, allowed)
    rest = np.flatnonzero(~few)
    parts = [np.flatnonzero(few), *(rest[one] for one in f.fusion.asking.groups(f.panel, allowed[rest]))]
    parts = [part for part in parts if len(part)]
    if len(parts) > 1:
        found = [ranked(f, h.take(part), allowed[part], k, many, tail) for part in parts]
        back = np.argsort(np.concatenate(parts))
        item, score, lead = (np.concatenate(both)[back] for both in zip(*found, strict=True))
        return item, score, lead
    if tail.acts:
        return tail.ranked(f.fusion, f.panel, f.support, h, allowed, k, many, long_tail(f.counts))
    if not few.any():
        return top_rows(len(h), many, *f.fusion.weighed(f.panel, f.support, h, allowed, k))
    whole = allowed_items(h, np.ones(len(f.counts), bool)) | allowed
    return top_rows(len(h), many, *f.fusion.among(f.panel, f.support, h, whole, allowed))


def handful(f: Fitted, allowed: np.ndarray) -> np.ndarray:
    """Whether so few items are allowed that scores mean little over them, some that were met: bool, (n_queries,)."""
    few = true_cells(allowed) < min(SMALL, len(f.counts) // 2)
    few[few] = (allowed[few] & f.support.met).any(1)
    return few


def ordered(f: Fitted, h: Histories, item: np.ndarray, score: np.ndarray, k: int, calibrate: float) -> np.ndarray:
    """Order in which k candidates of each query are shown: by score, and in proportion to the person's interests.

    The proportions are those of the concepts of the first level; somebody without events has none.

    Parameters
    ----------
    item, score
        int32 and float64, shape (n_queries, m); -1 and minus infinity where none is left.

    Returns
    -------
    int64, shape (n_queries, min(k, m)): columns of ``item``.
    """
    order: np.ndarray = np.argsort(-score, axis=1, kind="stable")[:, :k]
    members, common = f.concepts.members, f.concepts.common
    level = members.at(LEVEL)
    for q in np.flatnonzero(h.lengths).tolist() if calibrate else ():
        left = np.flatnonzero(item[q] >= 0)
        shares, wanted = members.weights[item[q, left]][:, level].toarray(), shares_of(h.row(q), members, common)
        chosen = calibrated(score[q, left], shares, wanted[level], calibrate, k)
        order[q, : len(chosen)] = chosen
    return order


def told_interests(f: Fitted, h: Histories, settings: ProfileSettings | None) -> pl.DataFrame:
    """Interests of each query as a table; see ``Concepts.told``."""
    parts = [f.concepts.told(0, [], f.catalog)]
    for query in range(len(h)):
        parts.append(f.concepts.told(query, f.concepts.of(h.row(query), settings), f.catalog))
    return pl.concat(parts)


def likened(f: Fitted, items: Sequence[str], k: int) -> pl.DataFrame:
    """The k items nearest to each given one; an unknown one has no rows and is told in the log."""
    codes = f.catalog.items.codes(items)
    parts = [pl.DataFrame(schema=SCHEMA)]
    for q, code in enumerate(codes):
        if code < 0:
            LOG.warning("item %r is not in the catalogue", items[q])
            continue
        item, score, source = nearest(f.space.z, f.support, int(code), k)
        rank = pl.Series(np.arange(len(item)) + 1, dtype=pl.Int64)
        found = {"item_id": f.catalog.items.names(item), "score": score, "rank": rank, "source": source.tolist()}
        parts.append(pl.DataFrame({"query": pl.Series([q] * len(item), dtype=pl.Int64)} | found))
    return pl.concat(parts)


def explained(
    f: Fitted,
    code: int,
    h: Histories,
    k: int,
    filters: Mapping[str, object],
    order: Order,
    pool: np.ndarray | None = None,
) -> Explanation:
    """Why an item is among the first k of one query (``len(h) == 1``), or is not.

    ``pool``, bool of shape (n_items,), holds what may stand beside it, itself among them; None = everything.
    """
    name, title = f.catalog.items.ids[code], f.catalog.title(code)
    by, passed = explainer(f), filter_mask(f.catalog, filters)
    evidence, paths = by.evidence(h, code), tuple(by_paths(f, by, h, code))
    if code in h.row(0):
        return Explanation(name, title, SEEN, None, k, "", evidence)
    if not passed[code]:
        return Explanation(
            name, title, FILTERED, None, k, f"it does not pass the filter {dict(filters)}", evidence, None, paths
        )
    passed = passed if pool is None else passed & pool
    shown = standing(f, h, allowed_items(h, passed), k, order)
    rank = int(np.flatnonzero(shown == code)[0]) + 1
    (why,) = by_interest(f, h, np.array([code]), passed & ~np.isin(np.arange(len(passed)), h.item))
    return Explanation(name, title, SHOWN if rank <= k else BELOW, rank, k, "", evidence, why, paths)


def standing(f: Fitted, h: Histories, allowed: np.ndarray, k: int, order: Order) -> np.ndarray:
    """All allowed items of one query in the order of its list of k, and of what would come after it: int32 codes."""
    n = len(f.counts)
    item, _, _ = ranked(f, h, allowed, n, n, order.tail)
    if order.rated:
        found = ranked(f, h, allowed, k, min(order.depth(k), n), order.tail)
        first, _, _ = by_rating(f.ratings, h, *found, alone=order.by_rating)
        item = np.concatenate([first[first >= 0], item[~np.isin(item, first)]])[None]
    shown: np.ndarray = item[0, order.tail.placed(item, long_tail(f.counts), n)[0]]
    return shown
