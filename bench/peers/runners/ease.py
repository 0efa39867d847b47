"""EASE in its closed form (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, equation 8)."""

from __future__ import annotations

import numpy as np
from given import Queries, Train, best
from measured import Answer, Settings, run


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """Item weights ``B = I - P diag(1 / diag P)`` with ``P = (X'X + l2 I)^-1``; a history's scores are ``x B``."""
    x = np.zeros((train.n_users, train.n_items), np.float32)
    x[train.user, train.item] = 1.0
    gram = (x.T @ x).astype(np.float64)
    gram[np.diag_indices(train.n_items)] += settings["l2"]
    p = np.linalg.inv(gram)
    weights = (-p / np.diag(p)).astype(np.float32)
    np.fill_diagonal(weights, 0.0)
    met = np.flatnonzero(train.counts())  # of other items nothing is known
    weights = np.ascontiguousarray(weights[:, met])

    def answer(queries: Queries, k: int) -> np.ndarray:
        known = np.array([len(h) > 0 for h in queries.histories])
        history = queries.matrix()
        scores = np.full(history.shape, -np.inf, np.float32)
        scores[:, met] = np.where(known[:, None], history @ weights, -np.inf)
        return best(scores, queries, k)

    return answer


if __name__ == "__main__":
    run(fit, "numpy")
