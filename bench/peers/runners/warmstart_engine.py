"""warmstart with its default recipe, or without some experts; nothing is tuned. In the driver's own environment."""

from __future__ import annotations

import os
import tempfile

import numpy as np
import polars as pl
from given import Queries, Train
from measured import Answer, Settings, run

import warmstart as ws
from warmstart.text.choose import default_encoder


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """Read and fit; texts are encoded anew, as no vector is kept from runs before."""
    data = ws.read(train.folder)
    engine = ws.Engine(settings.get("recipe"))
    engine.recipe = engine.recipe.without(*settings.get("without", ()))
    engine.fit(data)
    users, items = data.users.ids, np.array(data.catalog.items.ids, dtype=object)

    def answer(queries: Queries, k: int) -> np.ndarray:
        table = engine.recommend(
            users=[users[u] for u in queries.user],
            histories=[items[h].tolist() for h in queries.histories],
            k=k,
            candidates=None if queries.allowed.all() else items[queries.allowed].tolist(),
        )
        out = np.full((len(queries), k), -1, np.int32)
        codes = data.catalog.items.codes(table["item_id"].to_list())
        out[table["query"].to_numpy(), table.select(pl.col("rank") - 1).to_series().to_numpy()] = codes
        return out

    return answer


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["WARMSTART_CACHE"] = cache
        default_encoder(["a text"])  # exports it, which is done once a machine, as installing is
        run(fit, "warmstart")
