"""The real MiniLM on real films: a few steps must teach it what people like of films nobody has met."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data import split
from warmstart.data.catalog import Catalog
from warmstart.data.embedded import embedded
from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import learn
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import Run
from warmstart.learn.scores import ndcg
from warmstart.learn.settings import Training
from warmstart.text.templates import item_texts

LEAST = 60  # people a film needs to be in this small world


def known_films():
    """The films that many have rated."""
    data = embedded()
    kept = np.flatnonzero(data.interactions.item_counts() >= LEAST)
    code = np.full(data.n_items, -1, np.int32)
    code[kept] = np.arange(len(kept))
    x = data.interactions.select(code[data.interactions.item] >= 0)
    films = Catalog(data.catalog.table[pl.Series(kept)])
    return replace(data, interactions=replace(x, item=code[x.item], n_items=len(kept)), catalog=films)


def cold_ndcg(backbone, texts, task):
    """NDCG@10 of held-out films among themselves, by the cosine to the mean of a person's history."""
    vectors = backbone.encode(texts)
    scores = (task.queries.matrix() @ vectors) @ vectors[task.candidates].T
    return ndcg(scores, task.targets[:, task.candidates], 10)


@pytest.mark.no_cover
@pytest.mark.end_to_end
def test_a_few_steps_of_minilm_improve_what_is_said_of_new_films(tmp_path):
    data = known_films()
    task = split.cold_items(data, 0.25, seed=0, candidates="cold")
    texts = item_texts(data.catalog)
    backbone = Backbone(max_tokens=32)
    frozen = cold_ndcg(backbone, texts, task)
    objective = RetrievalObjective(backbone, texts, task.train.interactions, Retrieval(held_out=0.0))
    training = Training(steps=8, batch=128, learning_rate=1e-4, validate_every=0, checkpoint_every=0)
    learn(objective, training, Run.begin(tmp_path, "retrieval", {"training": vars(training)}, task.train.fingerprint()))
    assert cold_ndcg(backbone, texts, task) > frozen + 0.02
