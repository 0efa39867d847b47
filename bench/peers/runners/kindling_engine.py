"""The engine of kindling-rec, with times, ratings and the items table; new users are asked by the items they had."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from given import Queries, Train
from kindling import Engine
from measured import Answer, Settings, run


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """All closed form; ``retrieval_budget`` bounds its lists, and what somebody had is not to be listed again."""
    events = pd.DataFrame({"entity_id": train.user, "item_id": train.item})
    if (train.time >= 0).all():
        events["timestamp"] = pd.to_datetime(train.time, unit="s")
    if not np.isnan(train.rating).any():
        events["rating"] = train.rating.astype(float)
    items = train.table("items").to_pandas()
    items["item_id"] = np.arange(len(items))
    engine = Engine(retrieval_budget=train.n_items, repeat_recommend=False, **settings).fit(events, item_metadata=items)
    active = train.active()

    def listed(found: Iterable[object], queries: Queries, row: int, k: int) -> np.ndarray:
        items = np.array([rec.item_id for rec in found], np.int32)
        return items[queries.allowed[items] & ~np.isin(items, queries.histories[row])][:k]

    def answer(queries: Queries, k: int) -> np.ndarray:
        out = np.full((len(queries), k), -1, np.int32)
        more = k if queries.allowed.all() else train.n_items
        known = np.flatnonzero(active[queries.user])
        founds = dict(zip(known.tolist(), engine.recommend_batch(queries.user[known].tolist(), n=more), strict=True))
        for row in np.flatnonzero(~active[queries.user]).tolist():
            founds[row] = engine.recommend_for_items(queries.histories[row].tolist(), n=more)
        for row, found in founds.items():
            items = listed(found, queries, row, k)
            out[row, : len(items)] = items
        return out

    return answer


if __name__ == "__main__":
    run(fit, "kindling-rec", "numpy", "pandas")
