"""SLIM of skrecsys (elastic net an item). Known users are asked by id.

New users are scored by its item weights: item j by the sum of ``similarity_[i, j]`` over the history, as its
documentation says; so are known ones where a list is longer than what is left for somebody, which it refuses.
"""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp
from given import Queries, Train, best
from measured import Answer, Settings, run
from skrecsys.recommendation import SLIMElasticNet


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """Solve a regression an item."""
    warnings.simplefilter("ignore")  # columns that have not converged are its own affair
    model = SLIMElasticNet(n_jobs=threads, **settings).fit(np.unique(np.column_stack([train.user, train.item]), axis=0))
    met = np.asarray(model.item_ids_, np.int64)
    weights = sp.csr_matrix(model.similarity_)
    active, seen = train.active(), train.counts() > 0

    def able(queries: Queries, k: int) -> np.ndarray:
        allowed = queries.allowed & seen
        left = allowed.sum() - np.array([allowed[h].sum() for h in queries.histories])
        return active[queries.user] & (left >= k)

    def of_known(queries: Queries, k: int) -> np.ndarray:
        out = np.full((len(queries), k), -1, np.int32)
        candidates = None if queries.allowed.all() else met[queries.allowed[met]]
        items, _ = model.recommend(queries.user, n_recommendations=k, candidates=candidates)
        out[:, : items.shape[1]] = items
        return out

    def of_new(queries: Queries, k: int) -> np.ndarray:
        scores = np.full((len(queries), train.n_items), -np.inf, np.float32)
        known = np.array([len(h) > 0 for h in queries.histories])
        found = (sp.csr_matrix(queries.matrix()[:, met]) @ weights).toarray()
        scores[:, met] = np.where(known[:, None], found, -np.inf)
        return best(scores, queries, k)

    def answer(queries: Queries, k: int) -> np.ndarray:
        out = np.full((len(queries), k), -1, np.int32)
        if queries.allowed[met].any():
            by_id = able(queries, k)
            for way, rows in ((of_known, np.flatnonzero(by_id)), (of_new, np.flatnonzero(~by_id))):
                if len(rows):
                    out[rows] = way(queries.take(rows), k)
        return out

    return answer


if __name__ == "__main__":
    run(fit, "skrecsys", "numpy", "scipy")
