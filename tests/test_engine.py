"""The engine end to end on data whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.ingest import read
from warmstart.data.toy import clusters
from warmstart.engine import Engine, load
from warmstart.errors import ConfigError, DataError, NotFitted, WarmstartError
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.fusion.ranker import Ranker
from warmstart.query import aligned
from warmstart.recipe import Recipe


@pytest.fixture(scope="module")
def data():
    return clusters(160, 80, 4, seed=3)


@pytest.fixture(scope="module")
def engine(data):
    recipe = Recipe(encoder="tfidf", fusion=Fusion(queries=200, heads=HeadLearner(ranker=Ranker(rounds=10))))
    stages: list[str] = []
    fitted = Engine(recipe).fit(data, progress=lambda stage, done, total: stages.append(stage))
    assert {"simulating sparsity", "learning whom to trust", "fitting experts"} <= set(stages)
    return fitted


def cluster_of(data, ids):
    column = next(c for c in ("genre", "categories", "genres", "cluster", "theme") if c in data.catalog.table.columns)
    value = dict(zip(data.catalog.table["item_id"], data.catalog.table[column], strict=True))
    return [value[i] for i in ids]


def test_a_table_of_the_promised_form(engine):
    table = engine.recommend(histories=[["i1"], []], k=5)
    assert table.columns == ["query", "item_id", "score", "rank", "source"]
    assert table["rank"].to_list() == [1, 2, 3, 4, 5] * 2
    for _, rows in table.group_by("query"):
        assert (np.diff(rows["score"].to_numpy()) <= 0).all()


def test_taste_is_followed(engine, data):
    x = data.interactions
    user = int(np.argmax(x.user_counts()))
    history = data.catalog.items.names(x.item[x.user == user][:4].tolist())
    wanted = max(set(cluster_of(data, history)), key=cluster_of(data, history).count)
    got = cluster_of(data, engine.recommend(histories=[history], k=8)["item_id"].to_list())
    assert got.count(wanted) > 8 / 4


def test_known_users_get_their_stored_history(engine, data):
    user = data.users.ids[int(np.argmax(data.interactions.user_counts()))]
    seen = set(data.catalog.items.names(data.interactions.item[data.interactions.user == data.users.codes([user])[0]]))
    assert not seen & set(engine.recommend(users=[user], k=20)["item_id"])
    assert seen & set(engine.recommend(users=[user], k=80, exclude_seen=False)["item_id"])


def test_unknown_users_are_new_users(engine):
    one = engine.recommend(users=["nobody"], k=5)["item_id"].to_list()
    assert one == engine.recommend(histories=[[]], k=5)["item_id"].to_list()


def test_unknown_items_of_a_history_are_told_not_fatal(engine, caplog):
    table = engine.recommend(histories=[["i1", "no such item"]], k=3)
    assert table.height == 3
    assert "1 item ids" in caplog.text


def test_typed_text_finds_what_it_names(engine, data):
    title = data.catalog.title(7)
    near = engine.recommend(texts=[title], k=10)["item_id"].to_list()
    assert data.catalog.items.ids[7] in near


def test_candidates_and_filters_are_kept_to(engine, data):
    some = list(data.catalog.items.ids[:6])
    assert set(engine.recommend(histories=[[]], candidates=some, k=10)["item_id"]) == set(some)
    column = next(c for c in ("genre", "categories", "genres", "cluster", "theme") if c in data.catalog.table.columns)
    value = data.catalog.table[column][0]
    got = engine.recommend(histories=[[]], filters={column: value}, k=10)["item_id"].to_list()
    assert set(cluster_of(data, got)) == {value}


def test_answers_do_not_depend_on_the_batch(engine):
    together = engine.recommend(histories=[["i1"], ["i2", "i3"], []], k=5)
    alone = engine.recommend(histories=[["i2", "i3"]], k=5)
    assert together.filter(pl.col("query") == 1)["item_id"].to_list() == alone["item_id"].to_list()


def test_the_same_seed_gives_the_same_engine(engine, data):
    again = Engine(engine.recipe).fit(data)
    assert again.recommend(histories=[["i1"]], k=10).equals(engine.recommend(histories=[["i1"]], k=10))


def test_new_items_are_recommendable_at_once(data):
    engine = Engine(Recipe(encoder="tfidf", fusion=Fusion(queries=100, heads=HeadLearner(ranker=None)))).fit(data)
    row = data.catalog.table[0].to_dicts()[0] | {"item_id": "brand-new"}
    assert engine.add_items([row]) == 1
    twin = engine.similar(["brand-new"], k=5)
    assert data.catalog.items.ids[0] in twin["item_id"].to_list()
    only = engine.recommend(histories=[["i1"]], candidates=["brand-new"], k=1)
    assert only["item_id"].to_list() == ["brand-new"]
    assert engine.recommend(histories=[["brand-new"]], k=3).height == 3
    with pytest.raises(DataError, match="already in the catalogue"):
        engine.add_items([row])


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({}, DataError, "nothing was asked"),
        ({"users": "u1"}, DataError, "one string"),
        ({"histories": ["i1"]}, DataError, "one string"),
        ({"users": ["u1"], "histories": [[], []]}, DataError, "differ in length"),
        ({"histories": [[]], "k": 0}, DataError, "at least 1"),
        ({"histories": [[]], "filters": {"colour": "red"}}, ConfigError, "colour"),
    ],
)
def test_mistakes_are_told_in_one_line(engine, asked, error, words):
    with pytest.raises(error, match=words) as told:
        engine.recommend(**asked)
    assert "\n" not in str(told.value)


def test_nothing_is_answered_before_fit(data):
    with pytest.raises(NotFitted):
        Engine().recommend(histories=[[]])
    with pytest.raises(DataError, match="no events"):
        Engine(Recipe(encoder="tfidf")).fit(data.with_interactions(data.interactions.select(np.zeros(0, int))))


def test_saved_and_loaded_engines_answer_alike(engine, data, tmp_path):
    engine.save(tmp_path / "engine")
    asked = {"histories": [["i1"], [], ["i4", "i9"]], "k": 10}
    back = load(tmp_path / "engine")
    assert back.recommend(**asked).equals(engine.recommend(**asked))
    assert back.recommend(texts=["a story"], k=3).equals(engine.recommend(texts=["a story"], k=3))
    with pytest.raises(NotFitted, match="holds no user data"):
        back.recommend(users=[data.users.ids[0]])
    data.save(tmp_path / "data")
    known = load(tmp_path / "engine", data=tmp_path / "data")
    user = data.users.ids[0]
    assert known.recommend(users=[user]).equals(engine.recommend(users=[user]))


def test_no_user_is_in_the_folder(engine, data, tmp_path):
    engine.save(tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert not any(f'"{u}"'.encode() in raw for u in data.users.ids)


@pytest.mark.parametrize("name", ["arrays/counts.npy", "parts.json", "items.parquet"])
def test_a_changed_folder_is_refused(engine, tmp_path, name):
    engine.save(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(WarmstartError, match="was changed"):
        load(tmp_path)
    path.unlink()
    with pytest.raises(WarmstartError, match="missing"):
        load(tmp_path)


def test_an_engine_saved_over_another_leaves_nothing_of_it_and_disturbs_no_reader(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("warmstart.artefact.MAPPED", 0)
    engine.save(tmp_path)
    reading = load(tmp_path)
    before = reading.recommend(histories=[["i1"]], k=5)
    np.save(tmp_path / "arrays" / "stale.npy", np.arange(3))
    engine.save(tmp_path)
    assert not (tmp_path / "arrays" / "stale.npy").exists()
    assert reading.recommend(histories=[["i1"]], k=5).equals(before)  # its files are unlinked, not cut
    assert load(tmp_path).recommend(histories=[["i1"]], k=5).equals(before)


def test_a_folder_that_is_no_engine_is_refused(tmp_path):
    with pytest.raises(WarmstartError, match="not a saved engine"):
        load(tmp_path)


def test_data_of_another_catalogue_is_aligned(data, engine):
    small = data.catalog.table[:40]
    kept = type(data.catalog)(small)
    other = aligned(data, kept)
    assert other.interactions.n_items == 40
    assert aligned(data, data.catalog) is data


class TestExplain:
    def test_contributions_add_up(self, engine):
        told = engine.explain("i2", history=["i1", "i3"])
        evidence = told.evidence
        total = sum(c.data + c.content for c in evidence.contributions)
        assert total == pytest.approx(evidence.score, abs=1e-5)
        expert = engine.fitted.panel.experts[evidence.expert]
        from warmstart.data.histories import Histories

        codes = engine.fitted.catalog.items.codes(["i1", "i3", "i2"])
        scored = expert.score(Histories.of([codes[:2]], len(engine.fitted.catalog)))[0, codes[2]]
        assert total == pytest.approx(float(scored), abs=1e-4)

    def test_shown_and_below_the_cut_agree_with_the_ranking(self, engine):
        first = engine.recommend(histories=[["i1"]], k=3)["item_id"].to_list()
        told = engine.explain(first[1], history=["i1"], k=3)
        assert (told.status, told.rank) == ("shown", 2)
        last = engine.recommend(histories=[["i1"]], k=79)["item_id"].to_list()[-1]
        told = engine.explain(last, history=["i1"], k=3)
        assert told.status == "below the cut"
        assert told.rank > 3
        assert f"rank {told.rank}" in told.text

    def test_missing_items(self, engine, data):
        assert engine.explain("i1", history=["i1"]).status == "already seen"
        assert engine.explain("no such", history=[]).status == "unknown"
        column = next(
            c for c in ("genre", "categories", "genres", "cluster", "theme") if c in data.catalog.table.columns
        )
        told = engine.explain("i1", history=[], filters={column: "nothing"})
        assert told.status == "filtered"
        assert told.to_dict()["status"] == "filtered"

    def test_reasons_come_with_the_table(self, engine):
        table = engine.recommend(histories=[["i1", "i3"], []], k=2, explain=True)
        assert all(len(r) for r in table["reasons"].to_list())


def test_the_floor_is_kept_and_shown(engine):
    cells = engine.fitted.fusion.cells
    assert {"new", "short"} <= {c.state for c in cells}
    for cell in cells:
        assert cell.chosen == "fusion" or cell.chosen in cell.experts
        assert cell.to_dict()["queries"] == cell.queries


def test_trust_passes_from_content_to_people(engine):
    trust = engine.trust()
    content = trust.shares["content"]
    assert content[0] >= content[-1]
    assert all(0 <= s <= 1 for s in content)


def test_a_catalogue_of_ids_alone_is_recommended_from_by_what_people_do(tmp_path, caplog):
    rng = np.random.default_rng(0)
    ids = {"user_id": rng.integers(0, 60, 900).astype(str), "item_id": rng.integers(0, 40, 900).astype(str)}
    data = read(pl.DataFrame(ids))
    engine = Engine(Recipe(encoder="tfidf", fusion=Fusion(queries=50, heads=HeadLearner(ranker=None)))).fit(data)
    got = engine.recommend(histories=[["1", "2"], []], k=3)
    assert got["query"].to_list() == [0, 0, 0, 1, 1, 1]
    engine.save(tmp_path / "e")
    assert load(tmp_path / "e").recommend(histories=[["1", "2"], []], k=3).equals(got)
    engine.recommend(texts=["space", ""], k=1)
    assert "1 texts hold no word" in caplog.text


def test_attributes_of_a_single_person_do_no_harm(data):
    """In some simulated worlds that person is hidden, and with them all that is known of attributes."""
    table = data.user_table.with_row_index("row")
    alone = [pl.when(pl.col("row") == 0).then(pl.col(c)).alias(c) for c in data.user_table.columns]
    lonely = replace(data, user_table=table.with_columns(alone).drop("row"))
    constant = replace(data.interactions, time=np.full(len(data.interactions), 7, np.int64))
    for odd in (lonely, replace(data, interactions=constant)):
        recipe = Recipe(encoder="tfidf", fusion=Fusion(queries=50, heads=HeadLearner(ranker=None)))
        got = Engine(recipe).fit(odd).recommend(users=[data.users.ids[0]], histories=[["i1"]], k=3)
        assert got.height == 3


def test_who_is_not_described_gets_what_is_popular(data, engine):
    """A users table must not turn anonymous visitors into people who like what nobody likes."""
    counts = data.interactions.item_counts()
    best = np.sort(counts)[-10:].mean()
    for asked in ({"histories": [[]]}, {"users": ["nobody"]}):
        items = engine.recommend(k=10, **asked)["item_id"].to_list()
        assert counts[data.catalog.items.codes(items)].mean() > 0.7 * best


def test_a_handful_of_candidates_stands_in_the_order_of_the_whole_list():
    data = clusters(80, 48, 4, seed=1)
    engine = Engine(Recipe(encoder="tfidf", fusion=Fusion(queries=50, heads=HeadLearner(ranker=None)))).fit(data)
    history = ["i0", "i4", "i12", "i16", "i20"]
    whole = engine.recommend(histories=[history], k=48)
    few = engine.recommend(histories=[history], k=3, candidates=["i1", "i2", "i8"])
    both = few.join(whole, on="item_id")
    assert few["item_id"].to_list()[0] == "i8"
    np.testing.assert_allclose(both["score"], both["score_right"])


def test_every_use_of_a_graph_has_a_switch(data, tmp_path):
    """Without any of them the engine is the one of the same data without a graph."""
    small = {"encoder": "tfidf", "fusion": {"queries": 60, "heads": {"ranker": False}}}
    experts = {"popularity": {"class": "Popularity"}, "people": {"class": "PriorMeanEASE"}}
    off = Recipe.of(
        small
        | {"experts": experts, "space": {"features": {"graph": {"dim": 0, "degrees": 0.0}}}}
        | {"fusion": small["fusion"] | {"graph": False}}
    )
    with_it, without = (Engine(off).fit(d) for d in (data, replace(data, graph=None)))
    asked = {"histories": [["i1", "i5"], []], "k": 6}
    assert with_it.recommend(**asked).equals(without.recommend(**asked))
    held = Recipe.of(
        off.to_dict() | {"experts": {"factors": {"class": "Factors", "dim": 4, "laplacian": 1.0}} | experts}
    )
    engine = Engine(held).fit(data)
    engine.save(tmp_path / "engine")
    assert Engine.load(tmp_path / "engine").recommend(**asked).equals(engine.recommend(**asked))


def test_a_graph_of_wrong_links_is_left_out(data, caplog):
    ids, rng = list(data.catalog.items.ids), np.random.default_rng(0)
    table = data.catalog.table.with_columns(maker=pl.Series([f"maker{i // 2}" for i in range(len(ids))]))
    facts = pl.DataFrame({"head": rng.permutation(ids), "relation": "by", "tail": table["maker"]})
    wrong = replace(data, catalog=Catalog(table), graph=KnowledgeGraph(facts))
    recipe = Recipe.of({"encoder": "tfidf", "fusion": {"queries": 60, "heads": {"ranker": False}}})
    engine = Engine(replace(recipe, experts={"popularity": Popularity()})).fit(wrong)
    assert engine.fitted.graph is None
    assert "links name wrong items" in caplog.text
    assert engine.data is wrong
