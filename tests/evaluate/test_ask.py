"""Systems are asked fairly and their lists checked."""

import numpy as np
import polars as pl
import pytest

from warmstart.data import split
from warmstart.data.vocab import Vocabulary
from warmstart.errors import DataError
from warmstart.evaluate.ask import ask, codes_of
from warmstart.experts.popularity import Popularity


@pytest.fixture(scope="module")
def data(make_planted):
    return make_planted()


def test_engine_and_function_give_the_same_lists(data, engine_class, ranker_class):
    s = split.last_n(data, share=0.3)
    by_id, by_code = ask(engine_class(s.train), s, 5), ask(ranker_class(s.train), s, 5)
    assert by_id.tolist() == by_code.tolist()
    assert by_id.shape == (len(s), 5)


def test_candidates_reach_the_engine(data, engine_class):
    s = split.cold_items(data, candidates="cold")
    listed = ask(engine_class(s.train), s, 5)
    assert set(listed[listed >= 0]) <= set(s.candidates.tolist())


def test_hidden_items_are_asked_around(data, engine_class):
    s = split.few_shot(data, k=1, after=6)
    engine = engine_class(s.train)
    listed = ask(engine, s, 10)
    users, k = engine.asked
    assert k == 10 + 8  # five hidden items: the next power of two
    assert set(users) <= set(data.users.ids)
    hidden = s.hidden.toarray().astype(bool)
    assert not hidden[np.arange(len(s))[:, None], listed][listed >= 0].any()
    assert (listed >= 0).all()


def test_a_fitted_expert_is_a_system(data):
    s = split.last_n(data)
    listed = ask(Popularity().fit(s.train), s, 3)
    assert (listed >= 0).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (lambda h, k, c: np.zeros((len(h), 2), int), "twice"),
        (lambda h, k, c: h.item[h.indptr[:-1]][:, None], "history"),
        (lambda h, k, c: np.zeros((1, 2), int), "1 lists"),
        (object(), "cannot be evaluated"),
    ],
)
def test_wrong_lists_are_refused(data, bad, message):
    with pytest.raises(DataError, match=message):
        ask(bad, split.last_n(data), 2)


def test_items_outside_the_candidates_are_refused(data):
    s = split.cold_items(data, candidates="cold")
    seen = s.train.interactions.item_counts() > 0
    outside = np.array(
        [np.flatnonzero(seen & ~np.isin(np.arange(data.n_items), s.queries.row(q)))[0] for q in range(len(s))]
    )
    where = {s.queries.row(q).tobytes(): outside[q] for q in range(len(s))}

    def careless(histories, k, candidates):
        return np.array([[where[histories.row(q).tobytes()]] for q in range(len(histories))])

    with pytest.raises(DataError, match="no candidate"):
        ask(careless, s, 1)


def test_an_item_outside_the_catalogue_is_refused():
    table = pl.DataFrame({"query": [0], "item_id": ["z"], "rank": [1]})
    with pytest.raises(DataError, match="'z'"):
        codes_of(table, Vocabulary(["a"]), 1, 1)
