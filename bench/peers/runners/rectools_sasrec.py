"""SASRec of RecTools. Everybody is asked by history, in training or not; items without an event it cannot rank."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
import torch
from given import Queries, Train
from measured import Answer, Settings, run
from pytorch_lightning import Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

LEAST = 2  # events of a user it learns from: there is nothing to predict after one


def fit(train: Train, settings: Settings, threads: int) -> Answer:
    """Train for a set number of epochs."""
    quiet(threads)
    told = dict(settings)
    epochs = told.pop("epochs")

    def trainer() -> Trainer:
        return Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    model = SASRecModel(
        get_trainer_func=trainer, recommend_torch_device="cpu", train_min_user_interactions=LEAST, **told
    )
    model.fit(dataset(train.user, train.item))
    learned = np.bincount(train.user, minlength=train.n_users)[train.user] >= LEAST
    met = np.bincount(train.item[learned], minlength=train.n_items) > 0

    def answer(queries: Queries, k: int) -> np.ndarray:
        out = np.full((len(queries), k), -1, np.int32)
        query, item = queries.pairs()
        query, item = query[met[item]], item[met[item]]
        allowed = np.flatnonzero(met & queries.allowed)
        if len(query) == 0 or len(allowed) == 0:
            return out
        only = None if len(allowed) == met.sum() else allowed
        asked = {"users": np.unique(query), "dataset": dataset(query, item), "k": min(k, len(allowed))}
        found = model.recommend(**asked, filter_viewed=True, items_to_recommend=only)
        out[found[Columns.User].to_numpy(), found[Columns.Rank].to_numpy() - 1] = found[Columns.Item].to_numpy()
        return out

    return answer


def dataset(user: np.ndarray, item: np.ndarray) -> Dataset:
    """Events, each user's oldest first, as RecTools takes them: an event a second."""
    time = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.arange(len(user)), unit="s")
    columns = {Columns.User: user, Columns.Item: item, Columns.Weight: 1.0, Columns.Datetime: time}
    return Dataset.construct(pd.DataFrame(columns))


def quiet(threads: int) -> None:
    """A seed, the number of threads, and no advice."""
    torch.set_num_threads(threads)
    seed_everything(1, verbose=False)
    warnings.filterwarnings("ignore")
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)


if __name__ == "__main__":
    run(fit, "rectools", "torch", "pytorch-lightning", "numpy", "pandas")
