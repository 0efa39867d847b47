"""ELSA beside EASE, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from warmstart.data.toy import clusters
from warmstart.errors import ConfigError, DataError
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.low_rank import ELSA
from warmstart.learn.item_vectors import ItemVectors, hold_one

NOBODY = np.empty(0, np.int64)


def ndcg(scores, known, truth):
    scores = scores.copy()
    for row, items in zip(scores, known, strict=True):
        row[items] = -np.inf
    rank = (scores > scores[np.arange(len(truth)), truth][:, None]).sum(1)
    return np.where(rank < 10, 1 / np.log2(rank + 2.0), 0.0).mean()


def test_it_finds_what_ease_finds():
    data = clusters(1500, 400, 12, seed=4)
    x, rng = data.interactions, np.random.default_rng(0)
    people = rng.permutation(np.flatnonzero(x.user_counts() > 4))[:100]
    last = x.starts[people + 1] - 1
    keep = np.ones(len(x), bool)
    keep[last] = False
    train = data.with_interactions(x.select(keep))
    h = train.histories(people)
    known = [h.row(q) for q in range(len(h))]
    found, floor = (ndcg(e.fit(train).score(h), known, x.item[last]) for e in (ELSA(dim=32), PriorMeanEASE(kappa=0.0)))
    assert found > 0.9 * floor
    assert floor > 0.05


def test_a_longer_run_explains_more_of_what_was_learned_from():
    data = clusters(100, 60, 3, seed=1)
    x = data.interactions.matrix()

    def loss(epochs):
        expert = replace(ELSA(dim=8, least=2), epochs=epochs)
        a = expert.fit(data).z
        told = x @ a @ a.T - x
        unit = [m / np.maximum(np.linalg.norm(m, axis=1, keepdims=True), 1e-9) for m in (x.toarray(), np.asarray(told))]
        return ((unit[0] - unit[1]) ** 2).sum(1).mean()

    assert loss(15.0) < loss(1.0)


def test_who_has_one_item_teaches_nothing():
    with pytest.raises(DataError, match="nobody has two items"):
        ItemVectors(sp.csr_matrix(np.eye(4, dtype=np.float32)), np.ones((4, 2), np.float32), (NOBODY, NOBODY))
    assert ELSA(least=1000).fit(clusters(40, 30, 3, seed=1)) is None


@pytest.mark.parametrize(("setting", "value"), [("dim", 0), ("epochs", 0.0), ("learning_rate", -1.0), ("people", 0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ConfigError, match=setting):
        ELSA(**{setting: value})


def test_what_is_held_out_is_not_in_what_is_learned_from():
    x = clusters(100, 60, 3, seed=1).interactions
    keep, people, items = hold_one(x, most=6)
    assert len(people) == len(items) == 6
    left = x.select(keep).matrix()
    assert not np.asarray(left[people, items]).any()
    assert np.asarray(x.matrix()[people, items]).all()


def test_of_very_few_people_nothing_is_held_out_and_they_are_learned_from():
    data = clusters(9, 12, 2, seed=1)
    expert = ELSA(dim=4, least=2, epochs=5)
    first = ItemVectors(data.interactions.matrix(), expert._first(data), (NOBODY, NOBODY)).units()
    assert np.abs(expert.fit(data).z - first).max() > 0.01
