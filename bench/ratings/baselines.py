"""The rating predictors of LensKit and Surprise, each with a grid of settings; imported by ``peers.py``.

LensKit answers for somebody new from a query that carries rated items, without a refit (fold-in). Surprise knows only
people of its training set: it is refitted with what new people have told.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import surprise
from lenskit import predict
from lenskit.als import BiasedMFScorer
from lenskit.basic import BiasScorer
from lenskit.data import ItemList, from_interactions_df
from lenskit.diagnostics import DataWarning
from lenskit.knn import ItemKNNScorer
from lenskit.pipeline import Component, Pipeline, predict_pipeline
from lenskit.training import TrainingOptions

SEED, COLUMNS = 1, ["user_id", "item_id", "rating"]
Settings = Mapping[str, float]
Predictor = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]
warnings.simplefilter("ignore", DataWarning)  # somebody without a history is meant


@dataclass(frozen=True)
class Baseline:
    """A rating predictor.

    Parameters
    ----------
    name
        Toolkit and model.
    fit
        From a training set and settings to a predictor, which takes histories of new people and the pairs asked for.
    grid
        Settings to choose from.
    folds_in
        Whether histories of new people are answered without a refit.
    limit
        Size of the training set above which it is left out, in ratings.
    """

    name: str
    fit: Callable[[pd.DataFrame, Settings], Predictor]
    grid: tuple[Settings, ...]
    folds_in: bool
    limit: float = np.inf


def combinations(**values: tuple[float, ...]) -> tuple[Settings, ...]:
    """Each value of a setting with each of the others."""
    return tuple(dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values()))


def lenskit(scorer: Callable[[Settings], Component]) -> Callable[[pd.DataFrame, Settings], Predictor]:
    """A scorer in LensKit's pipeline for predictions; what it cannot say, damped biases say."""

    def fit(train: pd.DataFrame, settings: Settings) -> Predictor:
        pipeline = predict_pipeline(scorer(settings), fallback=BiasScorer(damping=5.0))
        data = from_interactions_df(train[COLUMNS], user_col="user_id", item_col="item_id", rating_col="rating")
        pipeline.train(data, TrainingOptions(rng=SEED))
        items = set(train["item_id"])  # its ItemKNN fails on a history with others
        return lambda told, asked: queried(pipeline, told[told["item_id"].isin(items)], asked)

    return fit


def queried(pipeline: Pipeline, told: pd.DataFrame, asked: pd.DataFrame) -> np.ndarray:
    """One query a person: the ratings told where there are any, else the id."""
    histories = {
        user: ItemList(item_ids=rows["item_id"].to_numpy(), rating=rows["rating"].to_numpy())
        for user, rows in told.groupby("user_id")
    }
    items, scores = asked["item_id"].to_numpy(), np.empty(len(asked))
    for user, rows in asked.groupby("user_id").indices.items():
        found = predict(pipeline, histories.get(user, user), ItemList(item_ids=items[rows]))
        scores[rows] = found.scores()
    return scores


def refitted(model: Callable[[Settings], surprise.AlgoBase]) -> Callable[[pd.DataFrame, Settings], Predictor]:
    """A model of Surprise; whoever has told something is put into its training set."""

    def fit(train: pd.DataFrame, settings: Settings) -> Predictor:
        reader = surprise.Reader(rating_scale=(train["rating"].min(), train["rating"].max()))

        def predictor(told: pd.DataFrame, asked: pd.DataFrame) -> np.ndarray:
            known = pd.concat([train, told])[COLUMNS]
            fitted = model(settings)
            fitted.fit(surprise.Dataset.load_from_df(known, reader).build_full_trainset())
            pairs = zip(asked["user_id"], asked["item_id"], strict=True)
            return np.array([fitted.predict(user, item).est for user, item in pairs])

        return predictor

    return fit


def bias(settings: Settings) -> Component:
    """Global mean, item and user biases, each damped."""
    return BiasScorer(damping={"user": settings["user"], "item": settings["item"]})


def als(user: float, item: float) -> dict[str, float | str]:
    """How Surprise finds biases: by alternating least squares."""
    return {"method": "als", "n_epochs": 15, "reg_u": user, "reg_i": item}


def baseline_only(settings: Settings) -> surprise.AlgoBase:
    """Global mean, item and user biases."""
    return surprise.BaselineOnly(bsl_options=als(settings["reg_u"], settings["reg_i"]), verbose=False)


def knn_baseline(settings: Settings) -> surprise.AlgoBase:
    """Item neighbours by correlation around the biases, shrunk where few have rated both."""
    similarity = {"name": "pearson_baseline", "user_based": False, "shrinkage": 100}
    return surprise.KNNBaseline(sim_options=similarity, bsl_options=als(5, 5), verbose=False, **settings)


BASELINES = (
    Baseline("LensKit Bias", lenskit(bias), combinations(user=(2, 5, 12), item=(2, 5, 12)), True),
    Baseline(
        "LensKit BiasedMF",
        lenskit(lambda s: BiasedMFScorer(epochs=15, **s)),
        combinations(embedding_size=(8, 32), regularization=(0.1, 0.2, 0.4, 0.8, 1.6)),
        True,
    ),
    Baseline(
        "LensKit ItemKNN",
        lenskit(lambda s: ItemKNNScorer(feedback="explicit", **s)),
        combinations(max_nbrs=(20, 50), min_nbrs=(1, 4, 12)),
        True,
    ),
    Baseline("Surprise BaselineOnly", refitted(baseline_only), combinations(reg_u=(2, 5, 12), reg_i=(2, 5, 12)), False),
    Baseline(
        "Surprise KNNBaseline",
        refitted(knn_baseline),
        combinations(k=(20, 50), min_k=(1, 4, 12)),
        False,
    ),
    Baseline(
        "Surprise SVD",
        refitted(lambda s: surprise.SVD(random_state=SEED, lr_all=0.007, **s)),
        combinations(n_factors=(5, 100), n_epochs=(10, 25, 60), reg_all=(0.1, 0.15)),
        False,
    ),
    Baseline(
        "Surprise SVD++",
        refitted(lambda s: surprise.SVDpp(random_state=SEED, lr_all=0.007, **s)),
        combinations(n_factors=(5, 20), n_epochs=(10, 25), reg_all=(0.1,)),
        False,
        limit=25_000,
    ),
)
