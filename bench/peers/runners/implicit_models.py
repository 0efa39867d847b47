"""ALS and BPR of implicit; ALS folds new histories in, BPR answers for users of its training set only."""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp
from given import Queries, Train
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from measured import Answer, Settings, run

MODELS = {"als": AlternatingLeastSquares, "bpr": BayesianPersonalizedRanking}
warnings.filterwarnings("ignore", message="OpenBLAS is configured")  # threads are limited from outside


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """Learn factors."""
    told = dict(settings)
    kind = told.pop("model")
    model = MODELS[kind](num_threads=threads, random_state=1, **told)
    ones = np.ones(len(train.user), np.float32)
    matrix = sp.csr_matrix((ones, (train.user, train.item)), shape=(train.n_users, train.n_items))
    matrix.data[:] = 1.0
    model.fit(matrix, show_progress=False)
    active, met = train.active(), train.counts() > 0
    folds_in = kind == "als"

    def answer(queries: Queries, k: int) -> np.ndarray:
        out = np.full((len(queries), k), -1, np.int32)
        told = np.array([len(h) > 0 for h in queries.histories])
        able = np.flatnonzero(told if folds_in else active[queries.user])
        barred = np.flatnonzero(~(met & queries.allowed))
        if len(able) == 0 or len(barred) == train.n_items:
            return out
        asked = queries.take(able)
        history = sp.csr_matrix(asked.matrix())
        found, scores = model.recommend(
            asked.user, history, N=k, filter_already_liked_items=True, filter_items=barred, recalculate_user=folds_in
        )
        kept = np.where(scores > np.finfo(np.float32).min, found, -1)  # the lowest number marks what is filtered
        out[able, : kept.shape[1]] = kept
        return out

    return answer


if __name__ == "__main__":
    run(fit, "implicit", "numpy", "scipy")
