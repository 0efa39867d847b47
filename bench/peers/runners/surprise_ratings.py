"""Surprise's SVD: lists are sorted by the rating it predicts; events without a rating count as the mean.

Of users who were not in training it knows no more than the biases of the items.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import surprise
from given import Queries, Train, best
from measured import Answer, Settings, run


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """Learn biases and factors by gradient descent."""
    rated = ~np.isnan(train.rating)
    rating = np.where(rated, train.rating, train.rating[rated].mean() if rated.any() else 1.0)
    table = pd.DataFrame({"user": train.user, "item": train.item, "rating": rating})
    reader = surprise.Reader(rating_scale=(float(rating.min()), float(rating.max())))
    known = surprise.Dataset.load_from_df(table, reader).build_full_trainset()
    model = surprise.SVD(random_state=1, **settings)
    model.fit(known)
    users, items = np.zeros((train.n_users, model.n_factors)), np.zeros((train.n_items, model.n_factors))
    users[[known.to_raw_uid(u) for u in known.all_users()]] = model.pu
    items[[known.to_raw_iid(i) for i in known.all_items()]] = model.qi
    item_bias = np.full(train.n_items, -np.inf)
    item_bias[[known.to_raw_iid(i) for i in known.all_items()]] = model.bi

    def answer(queries: Queries, k: int) -> np.ndarray:
        return best(users[queries.user] @ items.T + item_bias, queries, k)

    return answer


if __name__ == "__main__":
    run(fit, "scikit-surprise", "numpy", "pandas")
