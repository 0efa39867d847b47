"""The cross-encoder among experts; what holds for all of them is in tests/contract."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.engine import Engine, load
from warmstart.errors import ConfigError
from warmstart.experts.base import Reader
from warmstart.experts.content import ContentMap
from warmstart.experts.cross import CrossEncoder
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.learn.cross import CrossModel
from warmstart.learn.people import person_texts
from warmstart.learn.predictor import FineTuned
from warmstart.recipe import Recipe

AMPLE = 60_000.0  # milliseconds


@pytest.fixture(scope="module")
def data():
    toy = clusters(seed=0)
    rng = np.random.default_rng(0)
    theme = np.eye(4)[np.arange(toy.n_items) % 4]
    return toy.with_features((theme + 0.1 * rng.normal(size=theme.shape)).astype(np.float32))


@pytest.fixture(scope="module")
def expert(cross_folder):
    return CrossEncoder(str(cross_folder), AMPLE, 10)


@pytest.fixture(scope="module")
def fitted(expert, data):
    return expert.fit(data)


def test_scores_are_those_of_the_model_for_the_best_by_the_cheap_score(fitted, data, cross_folder):
    h = data.histories(np.array([3]))
    (scores,) = fitted.score(h)
    asked = np.flatnonzero(~np.isnan(scores))
    assert set(asked) == set(fitted.candidates(h))
    assert not set(asked) & set(h.item)
    assert (asked % 4 == 3).all()  # the content map knows the theme
    own = FineTuned.load(cross_folder, data.catalog).score(h, asked)[0]
    assert np.corrcoef(scores[asked], own)[0, 1] > 0.9  # int8


def test_a_new_user_is_asked_about_what_is_popular(fitted, data):
    nobody = Histories.of([[]], data.n_items)
    popular = Popularity(tau=16.0).fit(data).score(nobody)[0]
    np.testing.assert_array_equal(fitted.candidates(nobody), np.argsort(-popular, kind="stable")[:10])
    assert (~np.isnan(fitted.score(nobody))).sum() == 10
    assert person_texts(nobody, fitted.titles) == ["new user"]


def test_of_a_typed_text_alone_nothing_is_said(fitted, data):
    typed = replace(Histories.of([[], [3]], data.n_items), vectors=np.ones((2, 4), np.float32))
    assert np.isnan(fitted.score(typed)).all(1).tolist() == [True, False]


def test_the_budget_stops_what_is_asked_and_changes_nothing_that_is_fitted(expert, data, monkeypatch, caplog):
    monkeypatch.setattr(CrossModel, "seconds_a_pair", lambda self, pairs: 0.002)
    assert replace(expert, budget_ms=20).fit(data).asked == 10
    assert caplog.messages == []
    fitted = replace(expert, budget_ms=7).fit(data)
    assert fitted.asked == 10
    assert caplog.messages == ["most=10 items take about 20 ms here, budget_ms=7; raise it, or give most=3"]
    late = replace(fitted, budget_ms=0.0, asked=100).score(data.histories(np.array([3])))
    assert np.isnan(late).sum() > data.n_items - 100


def test_what_the_fusion_learns_depends_on_no_clock(cross_folder, monkeypatch):
    given, scores = [], CrossModel.scores

    def noting(self, pairs, seconds=np.inf):
        given.append((len(pairs), seconds))
        return scores(self, pairs, seconds)

    monkeypatch.setattr(CrossModel, "scores", noting)
    hurried = CrossEncoder(str(cross_folder), budget_ms=2**-20, most=4)  # no pair is ever in time
    experts = {"popularity": Popularity(), "content_map": ContentMap(), "reader": hurried}
    engine = Engine(Recipe("tfidf", experts=experts, fusion=Fusion(queries=8, heads=HeadLearner(ranker=None))))
    engine.fit(clusters(seed=0))
    assert set(given) == {(4, np.inf)}
    given.clear()
    engine.recommend(histories=[["i1"]], k=3)
    assert set(given) == {(4, 2**-20 / 1000)}


def test_what_has_a_text_is_looked_for_once(expert, data):
    fitted = expert.fit(data)
    assert fitted.told is fitted.told
    np.testing.assert_array_equal(fitted.told, np.arange(data.n_items))


def test_items_without_words_are_not_asked_about(expert, data):
    title = pl.when(pl.int_range(pl.len()) % 8 == 3).then(pl.lit("")).otherwise("title")
    table = data.catalog.table.with_columns(title.alias("title"), pl.lit("").alias("genre"), pl.lit(None).alias("year"))
    mute = replace(data, catalog=type(data.catalog)(table))
    asked = ~np.isnan(expert.fit(mute).score(mute.histories(np.array([3]))))[0]
    assert asked.sum() == 10
    assert not (np.flatnonzero(asked) % 8 == 3).any()


def test_new_items_are_asked_about_once_they_are_described(fitted, data):
    grown = fitted.grow(data.features[[3, 7]])
    n = data.n_items
    h = replace(data.histories(np.array([3])), n_items=n + 2)
    assert np.isnan(grown.score(h)[0, n:]).all()
    rows = data.catalog.table[[3, 7]].with_columns(item_id=pl.Series(["new1", "new2"]))
    assert isinstance(grown, Reader)
    told = replace(grown.described(data.catalog.extended(rows)), asked=n + 2)
    assert not np.isnan(told.score(h)[0, n:]).any()


@pytest.mark.parametrize("wrong", [{"budget_ms": 0.0}, {"most": 0}])
def test_settings_are_checked(wrong):
    with pytest.raises(ConfigError, match="must be above 0"):
        CrossEncoder(**wrong)


def test_no_model_no_expert(data):
    with pytest.raises(ConfigError, match="'' is no cross-encoder"):
        CrossEncoder().fit(data)


def test_it_joins_an_engine_that_is_saved_and_served_without_torch(cross_folder, tmp_path):
    data = clusters(seed=0)
    table = {"class": "CrossEncoder", "model": str(cross_folder), "budget_ms": AMPLE, "most": 5}
    experts = Recipe.of({"experts": {"reader": table}}).experts
    recipe = Recipe("tfidf", experts={"popularity": Popularity(), "content_map": ContentMap(), **experts})
    recipe = replace(recipe, fusion=Fusion(queries=8, heads=HeadLearner(ranker=None)))
    engine = Engine(recipe).fit(data)
    assert "reader.z" in engine.fitted.fusion.columns
    engine.add_items([data.catalog.table[0].to_dicts()[0] | {"item_id": "brand-new"}])
    assert "brand-new" in engine.fitted.catalog.items.ids
    assert engine.fitted.panel.experts["reader"].texts[-1]
    engine.save(tmp_path / "e")
    (tmp_path / "no").mkdir()
    asked = "*e.recommend(histories=[['i1'], []], k=4)['item_id']"
    code = "import sys\nfor m in ('torch', 'transformers', 'peft', 'accelerate'): sys.modules[m] = None\n"
    code += f"import warmstart\ne = warmstart.load({str(tmp_path / 'e')!r})\nprint({asked})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path / "no")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == engine.recommend(histories=[["i1"], []], k=4)["item_id"].to_list()
    assert load(tmp_path / "e").recipe == recipe
