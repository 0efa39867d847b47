"""What every expert must do, whichever it is: checks x experts."""

import json
from dataclasses import dataclass, fields, replace

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from warmstart.artefact import load_arrays, pack, save_arrays, unpack
from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.toy import checkerboard, clusters
from warmstart.data.vocab import Vocabulary
from warmstart.errors import NotFitted
from warmstart.experts import linear
from warmstart.experts.asked import Asked
from warmstart.experts.attributes import UserAttributes
from warmstart.experts.base import Expert, FittedExpert
from warmstart.experts.content import ContentCosine, ContentMap
from warmstart.experts.cross import CrossEncoder
from warmstart.experts.factors import Factors
from warmstart.experts.features import FeatureSpace
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.low_rank import ELSA
from warmstart.experts.panel import Panel
from warmstart.experts.popularity import Popularity
from warmstart.experts.segments import Segments
from warmstart.experts.sequence import SequenceTransformer
from warmstart.experts.smoothed import SmoothedEASE
from warmstart.experts.transitions import Transitions
from warmstart.learn.sequence_model import Architecture
from warmstart.storage import CLASSES

EMPTY_SPEAKS = {"popularity", "recent", "counts", "attributes", "cross"}  # these score a history of nothing
NEEDS_FEATURES = {"content_map", "cosine", "smoothed", "cross"}
PARTIAL = {"cross"}  # these speak of some items only, by what a model that is given has learned
ORDERED = {"transitions", "sequence", "cross"}
PRUNED = {"pruned_1", "pruned_3"}


@dataclass(frozen=True)
class Case:
    """An expert under test."""

    name: str
    expert: Expert


CASES = [
    Case("popularity", Popularity()),
    Case("recent", Popularity(half_life=0.1)),
    Case("counts", Popularity(tau=0.0)),
    Case("content_map", ContentMap()),
    Case("cosine", ContentCosine()),
    Case("ease", PriorMeanEASE(kappa=0.0, dropout=0.0, tau=0.0)),
    *(Case(f"spr_{s}_{b}", PriorMeanEASE(strength=s, buckets=b)) for s in (1, 10, 100) for b in (1, 3)),
    *(Case(f"pruned_{b}", PriorMeanEASE(buckets=b, keep=60)) for b in (1, 3)),
    Case("smoothed", SmoothedEASE()),
    Case("factors", Factors(dim=8, reg=1.0)),
    Case("elsa", ELSA(dim=8, least=2)),
    Case("transitions", Transitions()),
    Case("attributes", UserAttributes()),
    Case("sequence", SequenceTransformer(Architecture(dim=16, heads=2, length=20), epochs=15, events=100, least=10)),
    Case("segments", Segments()),
    Case("segments_dense", Segments(method="hdbscan")),
    Case("cross", CrossEncoder(budget_ms=60_000, most=12)),
]


def described(data):
    """With features of the catalogue's attributes and graph; no language model."""
    space = FeatureSpace(max_share=0.9).fit(data.catalog, np.zeros((data.n_items, 1), np.float32), data.graph)
    return data.with_features(space.items(data.catalog, np.zeros((data.n_items, 1), np.float32), data.graph))


@pytest.fixture(scope="module")
def data():
    return described(clusters(seed=0))


@pytest.fixture(scope="module", params=CASES, ids=lambda c: c.name)
def case(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param.name in PRUNED:
            patch.setattr(linear, "DENSE_LIMIT", 0)
        if isinstance(request.param.expert, CrossEncoder):
            model = str(request.getfixturevalue("cross_folder"))
            yield replace(request.param, expert=replace(request.param.expert, model=model))
        else:
            yield request.param


@pytest.fixture(scope="module")
def fitted(case, data):
    return case.expert.fit(data)


@pytest.fixture(scope="module")
def queries(data):
    """All kinds of history at once, each with the attributes of a user: stored, empty, one, unmet, long."""
    stored = [data.histories(np.array([u])).row(0) for u in range(6)]
    rows = [*stored, [], [7], [data.n_items - 1, data.n_items - 3], list(range(40)), []]
    table = data.attributes(np.array([*range(6), 0, 1, 2, 3, -1]))
    return replace(Histories.of(rows, data.n_items), attributes=table)


@pytest.fixture(scope="module")
def scores(fitted, queries):
    return fitted.score(queries)


def test_is_an_expert(case, fitted):
    assert isinstance(case.expert, Expert)
    assert isinstance(fitted, FittedExpert)


def test_the_pruned_path_is_taken(case, fitted):
    if isinstance(case.expert, PriorMeanEASE):
        assert sp.issparse(fitted.data) == (case.name in PRUNED)


def test_scores_are_float32_queries_by_items(scores, queries, data):
    assert scores.shape == (len(queries), data.n_items)
    assert scores.dtype == np.float32
    assert not np.isinf(scores).any()


def test_a_query_is_scored_wholly_or_not_at_all(case, scores, queries):
    nan = np.isnan(scores)
    if case.name in PARTIAL:
        np.testing.assert_array_equal((~nan).sum(1), 12)
        return
    np.testing.assert_array_equal(nan.all(1), nan.any(1))
    silent = queries.lengths == 0
    if case.name in EMPTY_SPEAKS:
        silent = np.zeros(len(queries), bool)
    np.testing.assert_array_equal(nan.all(1), silent)


def test_no_query_no_row(fitted, queries, data):
    assert fitted.score(queries.take(np.empty(0, np.int64))).shape == (0, data.n_items)
    assert fitted.score(Histories.of([], data.n_items)).shape == (0, data.n_items)


def test_only_new_users(case, fitted, data):
    scores = fitted.score(Histories.of([[], []], data.n_items))
    assert scores.shape == (2, data.n_items)
    assert np.isnan(scores).all() == (case.name not in EMPTY_SPEAKS)


def test_a_history_of_unmet_items_is_answered(case, fitted, data):
    scores = fitted.score(Histories.of([[data.n_items - 1]], data.n_items))
    assert not np.isnan(scores).any() or case.name in PARTIAL
    knows_content = {
        "content_map",
        "cosine",
        "smoothed",
        "factors",
        "segments",
        *(f"spr_{s}_{b}" for s in (1, 10, 100) for b in (1, 3)),
        *PRUNED,
    }
    if case.name in knows_content:
        theme = (data.n_items - 1) % 4
        top = np.argsort(-scores[0, :100])[:10]
        assert (top % 4 == theme).mean() > 0.8


def test_repeats_count_once_where_order_does_not_matter(case, fitted, data):
    once, again = fitted.score(Histories.of([[3, 7, 8], [3, 7, 7, 7, 8]], data.n_items))
    assert not np.isnan(once).any() or case.name in PARTIAL
    np.testing.assert_array_equal(np.isnan(again), np.isnan(once))
    if case.name not in ORDERED:
        np.testing.assert_allclose(again, once, atol=1e-5)


def test_order_matters_only_to_those_that_read_it(case, fitted, data):
    one, other = fitted.score(Histories.of([[3, 7, 8, 11], [11, 8, 7, 3]], data.n_items))
    if case.name in ORDERED:
        assert np.nanmax(np.abs(one - other)) > 1e-3
    else:
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_rest_of_the_batch_does_not_matter(fitted, queries, scores):
    alone = np.vstack([fitted.score(queries.take(np.array([q]))) for q in range(len(queries))])
    np.testing.assert_allclose(alone, scores, atol=1e-5)
    back = np.arange(len(queries))[::-1]
    np.testing.assert_allclose(fitted.score(queries.take(back)), scores[back], atol=1e-5)


def test_some_items_have_the_scores_they_have_among_all(fitted, data, queries, scores):
    """Also when items came later, and when a query asks for one item twice."""
    rng = np.random.default_rng(0)
    for one, n, told in ((fitted, data.n_items, scores), (fitted.grow(data.features[:3]), data.n_items + 3, None)):
        h = replace(queries, n_items=n)
        every = one.score(h) if told is None else told
        shared, items = np.array([n - 1, 2]), rng.integers(0, n, (len(h), 5))
        found = Asked(Panel({"it": one}), h).at(items, shared)["it"]
        asked = np.concatenate([np.tile(shared, (len(h), 1)), items], axis=1)
        np.testing.assert_allclose(found, np.take_along_axis(every, asked, 1), rtol=1e-4, atol=1e-5)


def test_scoring_changes_nothing(fitted, queries, scores):
    before = (queries.item.copy(), queries.weight.copy(), queries.indptr.copy())
    np.testing.assert_array_equal(fitted.score(queries), scores)
    for was, now in zip(before, (queries.item, queries.weight, queries.indptr), strict=True):
        np.testing.assert_array_equal(was, now)


def test_fitting_twice_gives_the_same(case, data, queries, scores):
    np.testing.assert_array_equal(case.expert.fit(data).score(queries), scores)


def test_fitting_changes_nothing(case, data):
    fingerprint, z = data.fingerprint(), data.features.copy()
    case.expert.fit(data)
    assert data.fingerprint() == fingerprint
    np.testing.assert_array_equal(data.features, z)


def test_no_state_is_kept_per_user(fitted, data):
    """A user is a history, never a row: no array is as long as there are users."""
    assert data.n_users not in {n for f in fields(fitted) for n in getattr(getattr(fitted, f.name), "shape", ())}


def test_growth_keeps_the_old_scores(fitted, data, queries, scores):
    grown = fitted.grow(data.features[-5:])
    wider = replace(queries, n_items=data.n_items + 5)
    again = grown.score(wider)
    assert again.shape == (len(queries), data.n_items + 5)
    assert again.dtype == np.float32
    np.testing.assert_allclose(again[:, : data.n_items], scores, atol=1e-5)


def test_growth_makes_new_items_scorable(case, fitted, data):
    """A new item is scored in every answer, next to those it resembles, and may itself be a history."""
    alike = np.array([0, 1, 2, 3])  # one of each theme
    grown = fitted.grow(data.features[alike])
    n = data.n_items + 4
    h = replace(Histories.of([[8, 12], [n - 4]], n), attributes=data.attributes(np.array([0, 0])))
    scores = grown.score(h)
    assert not np.isnan(scores).any() or case.name in PARTIAL  # tests/experts/test_cross.py
    if case.name in {"content_map", "cosine", "factors", "segments", "transitions"} or case.name.startswith(
        ("spr", "pruned")
    ):
        assert np.argmax(scores[0, -4:]) == 0  # of the theme of 8 and 12
    if case.name in {"content_map", "cosine"}:
        np.testing.assert_allclose(scores[:, -4:], scores[:, alike], atol=1e-4)


def test_growth_by_nothing_is_nothing(fitted, data, queries, scores):
    np.testing.assert_allclose(fitted.grow(data.features[:0]).score(queries), scores, atol=1e-5)


def test_growth_leaves_the_original_alone(fitted, data, queries, scores):
    fitted.grow(data.features[:3])
    np.testing.assert_array_equal(fitted.score(queries), scores)


def test_growing_twice_is_growing_once(fitted, data):
    h = replace(Histories.of([[3, 7]], data.n_items + 4), attributes=data.attributes(np.array([0])))
    twice = fitted.grow(data.features[:1]).grow(data.features[1:4]).score(h)
    np.testing.assert_allclose(twice, fitted.grow(data.features[:4]).score(h), atol=1e-5)


def test_a_saved_expert_answers_alike(fitted, data, queries, scores, tmp_path, monkeypatch):
    """Arrays to .npy, the rest to JSON, by the table of classes of saved engines; arrays come back mapped."""
    monkeypatch.setattr("warmstart.artefact.MAPPED", 0)
    arrays = {}
    described = json.dumps(pack(fitted, CLASSES, arrays, "expert"))
    save_arrays(tmp_path / "arrays", arrays)
    again = unpack(json.loads(described), CLASSES, load_arrays(tmp_path / "arrays"))
    assert type(again) is type(fitted)
    np.testing.assert_array_equal(again.score(queries), scores)
    wider = replace(queries, n_items=data.n_items + 2)
    grown = again.grow(data.features[:2]).score(wider)
    np.testing.assert_array_equal(grown, fitted.grow(data.features[:2]).score(wider))


def tiny(pairs, n_users, n_items, *, features=True, users=False):
    user, item = (np.array(c) for c in zip(*pairs, strict=True)) if pairs else (np.empty(0, int), np.empty(0, int))
    items = [f"i{i}" for i in range(n_items)]
    table = pl.DataFrame({"age": list(range(n_users))}) if users else None
    z = np.random.default_rng(0).normal(size=(n_items, 2)).astype(np.float32) if features else None
    catalog = Catalog(pl.DataFrame({"item_id": items, "title": items}))
    x = Interactions.of(user, item, n_users, n_items)
    return Dataset(x, catalog, Vocabulary(f"u{u}" for u in range(n_users)), user_table=table, features=z)


TINY = {
    "one user": tiny([(0, 0), (0, 2)], 1, 4),
    "one item": tiny([(0, 0), (1, 0)], 3, 1),
    "one event": tiny([(0, 0)], 1, 1),
    "no event": tiny([], 2, 3, users=True),
    "one user described": tiny([(0, 0), (0, 2)], 1, 4, users=True),
    "everybody took everything": tiny([(u, i) for u in range(3) for i in range(3)], 3, 3, users=True),
}


@pytest.mark.parametrize("world", TINY)
def test_the_smallest_data_are_no_error(case, world):
    data = TINY[world]
    fitted = case.expert.fit(data)
    if fitted is None:
        assert case.name in {"attributes", "elsa", "sequence", "segments", "segments_dense"}
        return
    rows = [[], [0], list(range(data.n_items))]
    h = replace(Histories.of(rows, data.n_items), attributes=data.attributes(np.array([0, 0, -1])))
    scores = fitted.score(h)
    assert scores.shape == (3, data.n_items)
    assert not np.isinf(scores).any()
    assert case.name in {"attributes", *PARTIAL} or not np.isnan(scores[1:]).any()
    wider = replace(Histories.of(rows, data.n_items + 1), attributes=h.attributes)
    assert fitted.grow(data.features[:1]).score(wider).shape == (3, data.n_items + 1)


def test_without_times_features_and_people(case):
    """Behaviour alone; growth still keeps its shape, whatever the width of the new features."""
    whole = clusters(seed=0)
    x = replace(whole.interactions, time=np.full(len(whole.interactions), -1, np.int64))
    data = replace(whole, interactions=x, user_table=None, graph=None)
    if case.name in NEEDS_FEATURES:
        with pytest.raises(NotFitted, match="with_features"):
            case.expert.fit(data)
        return
    fitted = case.expert.fit(data)
    if case.name == "attributes":
        assert fitted is None
        return
    h = Histories.of([[4, 8, 16], [5, 9]], data.n_items)
    scores = fitted.score(h)
    assert not np.isnan(scores).any()
    grown = fitted.grow(np.ones((2, 7), np.float32)).score(replace(h, n_items=data.n_items + 2))
    np.testing.assert_allclose(grown[:, :-2], scores, atol=1e-6)


def test_the_withheld_pair_of_the_checkerboard_is_found(case):
    """Each user lacks one item of the half it likes; everything else of that half was taken."""
    data = checkerboard()
    half = np.eye(2, dtype=np.float32)[np.arange(20) % 2]
    table = pl.DataFrame({"likes": ["even", "odd"] * 10})
    data = replace(data, user_table=table, features=half)
    users = np.arange(20)
    scores = case.expert.fit(data).score(data.histories(users)).copy()
    seen = data.interactions.matrix().toarray() > 0
    scores[seen] = -np.inf
    if case.name in {"popularity", "recent", "counts", *PARTIAL}:
        return
    np.testing.assert_array_equal(np.argmax(scores, axis=1), users)


def hits(fitted, data, users):
    """Mean share of a user's own theme in the first ten of what is unseen."""
    scores = np.array(fitted.score(data.histories(users)))
    scores[data.histories(users).matrix().toarray() > 0] = -np.inf
    top = np.argsort(-scores, axis=1)[:, :10]
    return float((top % 4 == (users % 4)[:, None]).mean())


def test_planted_themes_beat_popularity(case, data, fitted):
    users = np.flatnonzero((data.interactions.user_counts() >= 3) & (data.interactions.user_counts() <= 15))
    floor = hits(Popularity().fit(data), data, users)
    assert floor < 0.45
    if case.name in {"popularity", "recent", "counts"}:
        assert hits(fitted, data, users) < 0.45
    else:
        assert hits(fitted, data, users) > 0.7
