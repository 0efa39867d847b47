"""LightFM inside RecTools' wrapper, with columns of items and users; new users are known by these alone."""

from __future__ import annotations

import logging
import warnings
from importlib.metadata import packages_distributions

import numpy as np
import pandas as pd
import pyarrow as pa
from given import Queries, Train
from lightfm import LightFM
from measured import Answer, Settings, run
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import LightFMWrapperModel
from side import indicators


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """Learn embeddings of ids and columns; items and users without an event come in by their columns."""
    warnings.filterwarnings("ignore")
    logging.getLogger("rectools").setLevel(logging.ERROR)
    told = dict(settings)
    epochs = told.pop("epochs")
    events = {Columns.User: train.user, Columns.Item: train.item, Columns.Weight: 1.0, Columns.Datetime: "2000-01-01"}
    users, items = described(train.table("users")), described(train.table("items"))
    data = Dataset.construct(
        pd.DataFrame(events),
        user_features_df=users,
        cat_user_features=["column"],
        item_features_df=items,
        cat_item_features=["column"],
    )
    base = LightFM(loss="warp", random_state=1, **told)
    model = LightFMWrapperModel(base, epochs=epochs, num_threads=threads, recommend_use_gpu_ranking=False)
    model.fit(data)
    able = train.active() | np.isin(np.arange(train.n_users), [] if users is None else users["id"])
    known = (train.counts() > 0) | np.isin(np.arange(train.n_items), [] if items is None else items["id"])

    def answer(queries: Queries, k: int) -> np.ndarray:
        out = np.full((len(queries), k), -1, np.int32)
        rows, allowed = np.flatnonzero(able[queries.user]), np.flatnonzero(known & queries.allowed)
        if len(rows) == 0 or len(allowed) == 0:
            return out
        place = dict(zip(queries.user[rows].tolist(), rows.tolist(), strict=True))
        shown = sum(len(queries.histories[r]) > 0 and not train.active()[queries.user[r]] for r in rows)
        more = max(len(h) for h in queries.histories) if shown else 0  # it cannot know what new users have had
        found = model.recommend(
            list(place), data, min(k + more, len(allowed)), filter_viewed=True, items_to_recommend=allowed
        )
        for user, listed in found.groupby(Columns.User)[Columns.Item]:
            row = place[user]
            fresh = listed.to_numpy()[~np.isin(listed.to_numpy(), queries.histories[row])][:k]
            out[row, : len(fresh)] = fresh
        return out

    return answer


def described(table: pa.Table) -> pd.DataFrame | None:
    """Columns as RecTools takes them: a row a value; None where there are none."""
    row, value = indicators(table).nonzero()
    return pd.DataFrame({"id": row, "feature": "column", "value": value}) if len(row) else None


if __name__ == "__main__":
    run(fit, "rectools", *packages_distributions()["lightfm"], "numpy", "pandas")
