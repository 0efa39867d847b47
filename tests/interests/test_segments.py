"""Segments of people in words, and to which of them a person belongs."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.artefact import load_arrays
from warmstart.data.toy import clusters
from warmstart.engine import Engine, load
from warmstart.errors import DataError
from warmstart.experts.panel import Panel
from warmstart.experts.popularity import Popularity
from warmstart.experts.segments import Segments
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.interests.segments import (
    ALIKE,
    segment_names,
    segment_table,
    segments_of,
    telling,
    told_segments,
    typical_items,
)
from warmstart.recipe import Recipe

THEMES = [[f"i{theme + 4 * n}" for n in range(4)] for theme in range(4)]  # items n are of theme n modulo 4


@pytest.fixture(scope="module")
def engine():
    experts = {"popularity": Popularity(), "segments": Segments(numbers=(4,))}
    fusion = Fusion(queries=60, heads=HeadLearner(ranker=None))
    return Engine(Recipe(encoder="tfidf", experts=experts, fusion=fusion)).fit(clusters(160, 80, 4, seed=1))


def theme_of(engine, row):
    """Themes of the items a segment is told by."""
    titles = {engine.fitted.catalog.title(i): i % 4 for i in range(80)}
    return {titles[title] for title in row["typical"]}


def test_the_table_tells_every_segment(engine):
    table = engine.segments()
    assert table.columns == ["segment", "name", "people", "share", "concepts", "times", "typical"]
    assert len(table) == 4
    assert table["people"].to_list() == sorted(table["people"].to_list(), reverse=True)
    assert table["people"].min() >= 5
    assert table["share"].sum() == pytest.approx(1)
    for row in table.to_dicts():
        assert len(row["concepts"]) == len(row["times"]) <= 3
        assert all(times >= 1.5 for times in row["times"])
        assert row["name"].split(", ")[0] in row["concepts"][0]


def test_segments_are_the_themes_the_data_were_made_of(engine):
    themes = [theme_of(engine, row) for row in engine.segments().to_dicts()]
    assert all(len(theme) == 1 for theme in themes)
    assert set.union(*themes) == {0, 1, 2, 3}


def test_a_person_belongs_where_their_theme_is(engine):
    table = {row["segment"]: row for row in engine.segments().to_dicts()}
    rows = engine.segments(histories=[*THEMES, [], ["unknown"]])
    assert rows.columns == ["query", "segment", "name", "probability"]
    for theme in range(4):
        mine = rows.filter(pl.col("query") == theme)
        assert mine["probability"].to_list() == sorted(mine["probability"].to_list(), reverse=True)
        assert mine["probability"].sum() <= 1 + 1e-9
        assert theme_of(engine, table[mine["segment"][0]]) == {theme}
        assert mine["name"][0] == table[mine["segment"][0]]["name"]
    assert set(rows["query"].to_list()) == {0, 1, 2, 3}
    known = engine.segments(users=["u1", "nobody"])
    assert set(known["query"].to_list()) == {0}


def test_names_are_the_same_for_loaded_engines_and_new_items(engine, tmp_path):
    engine.save(tmp_path / "engine")
    again = load(tmp_path / "engine")
    assert again.segments().equals(engine.segments())
    again.add_items([{"item_id": "fresh", "title": "rocket to a far planet", "genre": "space"}])
    assert again.segments()["people"].to_list() == engine.segments()["people"].to_list()


def test_the_folder_holds_no_person(engine, tmp_path):
    engine.save(tmp_path / "engine")
    arrays = load_arrays(tmp_path / "engine" / "arrays")
    assert not [name for name, array in arrays.items() if engine.data.n_users in array.shape]


def test_an_engine_without_the_expert_tells_segments_all_the_same(engine):
    data = clusters(160, 80, 4, seed=1).with_features(engine.features)
    assert segments_of(engine.fitted.panel, data) is engine.fitted.panel.experts["segments"]
    found = segments_of(Panel({}), data)
    assert len(found.people) > 1
    assert found.score(data.histories(np.arange(3))).shape == (3, 80)


def test_too_few_people_have_no_segments(engine):
    few = clusters(4, 20, 2, seed=1)
    assert segments_of(Panel({}), few) is None
    f = engine.fitted
    with pytest.raises(DataError, match="five people"):
        told_segments(None, f.concepts, f.catalog, None)


def test_people_who_take_what_everybody_takes_are_called_so(engine):
    f = engine.fitted
    found = f.segments
    flat = replace(found, rates=np.repeat(found.rates.mean(1, keepdims=True), 4, axis=1))
    told, times = telling(flat, f.concepts)
    assert segment_names(told, f.concepts) == [ALIKE] * 4
    np.testing.assert_allclose(times, 1.0, rtol=1e-5)
    assert segment_table(flat, f.concepts, f.catalog)["concepts"].to_list() == [[]] * 4
    assert typical_items(flat).shape == (4, 5)
