"""What an engine answers: tables of recommendations and of likes, and why an item is shown or not."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from warmstart.data.histories import Histories
from warmstart.data.popularity import long_tail
from warmstart.explain.missing import BELOW, FILTERED, SEEN, SHOWN, Explanation
from warmstart.explain.reasons import Explainer
from warmstart.explain.similar import nearest
from warmstart.fitted import Fitted
from warmstart.fusion.samples import allowed_items
from warmstart.interests.steer import Wishes
from warmstart.query import filter_mask
from warmstart.rerank.tail import Tail
from warmstart.text.whiten import unit_rows

LOG = logging.getLogger("warmstart.engine")
DEPTH, LEAST = 10, 200  # candidates among which wanted ones rise: so many times k, and so many at least
AS_RANKED = Tail()
SCHEMA = {"query": pl.Int64, "item_id": pl.String, "score": pl.Float64, "rank": pl.Int64, "source": pl.String}


def recommended(
    f: Fitted,
    h: Histories,
    number: np.ndarray,
    pool: np.ndarray,
    k: int,
    exclude_seen: bool,
    explain: bool,
    wishes: Wishes,
    tail: Tail = AS_RANKED,
) -> pl.DataFrame:
    """The best k items of each query.

    Parameters
    ----------
    h, number
        Queries, and what each is called in the column ``query``: int64, shape (n_queries,).
    pool
        bool, shape (n_items,): items that may be recommended.
    exclude_seen
        Leave out the items of the history.
    explain
        Add ``reasons``.
    wishes
        What is asked of the person's interests.
    tail
        What is given of the head for the tail; the floor comes after all else.
    """
    pool = pool & ~wishes.barred
    allowed = allowed_items(h, pool) if exclude_seen else np.broadcast_to(pool, (len(h), len(pool)))
    deep = bool(wishes.wanted.any()) or tail.floor > 0
    h, many = wishes.heard(h), min(max(DEPTH * k, LEAST) if deep else k, len(pool))
    item, score, lead = ranked(f, h, allowed, k, many, tail)
    if wishes.wanted.any():
        order = wishes.lifted(item, score, many if tail.floor else k)
        item, score, lead = (np.take_along_axis(a, order, axis=1) for a in (item, score, lead))
    if tail.floor:
        order = tail.placed(item, long_tail(f.counts), k)
        item, score, lead = (np.take_along_axis(a, order, axis=1) for a in (item, score, lead))
    q, at = np.nonzero(item >= 0)
    source = np.array([*f.panel.experts, "predicted"])[lead[q, at]]
    unmet = f.counts[item[q, at]] == 0
    source[unmet & np.isin(source, list(f.panel.flat))] = "predicted"  # nobody made it popular
    table = {
        "query": pl.Series(number[q], dtype=pl.Int64),
        "item_id": f.catalog.items.names(item[q, at]),
        "score": score[q, at],
        "rank": pl.Series(at + 1, dtype=pl.Int64),
        "source": pl.Series(source.tolist(), dtype=pl.String),
    }
    if explain:
        by = explainer(f)
        pairs = zip(q, item[q, at], strict=True)
        table["reasons"] = [by.evidence(h.take(np.array([a])), int(i)).sentences() for a, i in pairs]
    return pl.DataFrame(table)


def ranked(
    f: Fitted, h: Histories, allowed: np.ndarray, k: int, many: int, tail: Tail
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best ``many`` candidates for lists of k, before any floor; returns what ``FittedFusion.rank`` does."""
    if not tail.acts:
        return f.fusion.rank(f.panel, f.support, h, allowed, many)
    return tail.ranked(f.fusion, f.panel, f.support, h, allowed, k, many, long_tail(f.counts))


def likened(f: Fitted, items: Sequence[str], k: int) -> pl.DataFrame:
    """The k items nearest to each given one; an unknown one has no rows and is told in the log."""
    codes, unit = f.catalog.items.codes(items), unit_rows(f.space.z)
    parts = [pl.DataFrame(schema=SCHEMA)]
    for q, code in enumerate(codes):
        if code < 0:
            LOG.warning("item %r is not in the catalogue", items[q])
            continue
        item, score, source = nearest(unit, f.support, int(code), k)
        rank = pl.Series(np.arange(len(item)) + 1, dtype=pl.Int64)
        found = {"item_id": f.catalog.items.names(item), "score": score, "rank": rank, "source": source.tolist()}
        parts.append(pl.DataFrame({"query": pl.Series([q] * len(item), dtype=pl.Int64)} | found))
    return pl.concat(parts)


def explained(f: Fitted, code: int, h: Histories, k: int, filters: Mapping[str, object], tail: Tail) -> Explanation:
    """Why an item is among the first k of one query (``len(h) == 1``), or is not."""
    name, title = f.catalog.items.ids[code], f.catalog.title(code)
    evidence, passed = explainer(f).evidence(h, code), filter_mask(f.catalog, filters)
    if code in h.row(0):
        return Explanation(name, title, SEEN, None, k, "", evidence)
    if not passed[code]:
        return Explanation(name, title, FILTERED, None, k, f"it does not pass the filter {dict(filters)}", evidence)
    item, _, _ = ranked(f, h, allowed_items(h, passed), len(passed), len(passed), tail)
    order = tail.placed(item, long_tail(f.counts), len(passed))
    rank = int(np.flatnonzero(item[0, order[0]] == code)[0]) + 1
    return Explanation(name, title, SHOWN if rank <= k else BELOW, rank, k, "", evidence)


def explainer(f: Fitted) -> Explainer:
    """Takes the engine's experts apart."""
    return Explainer(f.panel, f.space.features, f.catalog, f.graph, f.counts)
