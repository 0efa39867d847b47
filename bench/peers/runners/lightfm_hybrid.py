"""LightFM with WARP: an item is its own id (if met in training) and its columns, a user likewise.

It cannot use the history of somebody who was not in training, only attributes.
"""

from __future__ import annotations

from importlib.metadata import packages_distributions

import numpy as np
import scipy.sparse as sp
from given import Queries, Train, best
from lightfm import LightFM
from measured import Answer, Settings, run
from side import identity, indicators


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """Learn embeddings of ids and columns."""
    told = dict(settings)
    epochs = told.pop("epochs")
    of_items = sp.hstack([identity(train.counts() > 0), indicators(train.table("items"))]).tocsr()
    of_users = sp.hstack([identity(train.active()), indicators(train.table("users"))]).tocsr()
    pairs = np.unique(np.column_stack([train.user, train.item]), axis=0)
    where = tuple(np.ascontiguousarray(column) for column in pairs.T)  # its Cython takes nothing else
    matrix = sp.coo_matrix((np.ones(len(pairs), np.float32), where), shape=(train.n_users, train.n_items))
    model = LightFM(loss="warp", random_state=1, **told)
    model.fit(matrix, user_features=of_users, item_features=of_items, epochs=epochs, num_threads=threads)
    item_bias, items = model.get_item_representations(of_items)
    _, users = model.get_user_representations(of_users)
    described = of_users.getnnz(axis=1) > 0
    known = of_items.getnnz(axis=1) > 0

    def answer(queries: Queries, k: int) -> np.ndarray:
        scores = users[queries.user] @ items.T + item_bias
        return best(np.where(described[queries.user, None] & known, scores, -np.inf), queries, k)

    return answer


if __name__ == "__main__":
    run(fit, *packages_distributions()["lightfm"], "numpy", "scipy")
