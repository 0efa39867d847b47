"""Item features: blocks known by hand; new items and typed texts in the same space."""

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.experts.features import FeatureSpace, attribute_tokens, unit, year_column
from warmstart.experts.graph_features import GraphSpace, fact_tokens
from warmstart.experts.tokens import TokenMap

TABLE = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "title": ["Heat (1995)", "Ran (1985)", "Up", "Her (2013)"],
        "genre": ["Crime|Drama", "drama; war", None, "(no genres listed)"],
        "pages": [100, 100, 200, None],
        "imdb_id": ["t1", "t2", "t3", "t4"],
        "year": [1995, None, 2009, 2013],
    }
)


def text_of(n, dim=3):
    return unit(np.random.default_rng(0).normal(size=(n, dim))).astype(np.float32)


def test_attribute_tokens():
    assert attribute_tokens(TABLE) == [
        ["genre=crime", "genre=drama", "pages=100"],
        ["genre=drama", "genre=war", "pages=100"],
        ["pages=200"],
        [],
    ]


@pytest.mark.parametrize("cell", ["", "NaN", " none ", "null", "Unknown", " | "])
def test_cells_that_say_nothing_give_no_token(cell):
    assert attribute_tokens(pl.DataFrame({"item_id": ["a"], "genre": [cell]})) == [[]]


def test_facts_of_both_directions():
    triples = pl.DataFrame({"head": ["a", "x"], "relation": ["by", "made"], "tail": ["ann", "b"]})
    rows = fact_tokens(Catalog(TABLE), KnowledgeGraph(triples))
    assert rows == [["by>ann"], ["made<x"], [], []]
    assert fact_tokens(Catalog(TABLE), None) == [[], [], [], []]


def test_years_from_a_column_or_from_the_title():
    np.testing.assert_array_equal(year_column(TABLE), [1995, np.nan, 2009, 2013])
    np.testing.assert_array_equal(year_column(TABLE.drop("year")), [1995, 1985, np.nan, 2013])
    dated = pl.DataFrame({"release_year": ["1999-03-31", "soon"]})
    np.testing.assert_array_equal(year_column(dated), [1999, np.nan])
    assert np.isnan(year_column(TABLE.select("item_id"))).all()


def test_token_map_keeps_the_angles_of_the_idf_rows():
    rows = [["x", "y"], ["x"], ["y", "z"], ["z"], []]
    tokens = TokenMap.fit(rows, dim=8, min_count=2, max_share=1.0)
    assert list(tokens.tokens) == ["x", "y", "z"]
    np.testing.assert_allclose(tokens.idf, np.log(5 / 2) + 1, atol=1e-6)
    hot = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]]) @ np.diag(tokens.idf)
    applied = tokens.apply(rows)
    assert applied.dtype == np.float32
    np.testing.assert_allclose(applied @ applied.T, unit(hot) @ unit(hot).T, atol=1e-5)


def test_tokens_too_rare_or_too_common_are_left_out():
    rows = [["all", "twice", "once"], ["all", "twice"], ["all"], ["all"], ["all"], ["all"]]
    assert list(TokenMap.fit(rows, 4, min_count=2, max_share=0.5).tokens) == ["twice"]


def test_repeated_and_unknown_tokens_change_nothing():
    tokens = TokenMap.fit([["x"], ["x", "y"], ["y"]], 4, 1, 1.0)
    np.testing.assert_allclose(tokens.apply([["x", "x", "never"]]), tokens.apply([["x"]]), atol=1e-6)
    assert not tokens.apply([["never"], []]).any()


def test_many_tokens_are_reduced_and_stay_themselves():
    """More tokens than directions: rows with equal tokens are equal, those of a theme near each other."""
    rng = np.random.default_rng(0)
    rows = [[f"t{i % 3}.{k}" for k in rng.choice(20, 5, replace=False)] for i in range(90)]
    one, other = (TokenMap.fit(rows, dim=5, min_count=2, max_share=0.5) for _ in range(2))
    applied = one.apply(rows)
    np.testing.assert_array_equal(applied, other.apply(rows))
    assert applied.shape == (90, 5)
    np.testing.assert_allclose(np.linalg.norm(applied, axis=1), 1, atol=1e-5)
    sims, same = applied @ applied.T, (np.arange(90)[:, None] - np.arange(90)) % 3 == 0
    assert sims[same].mean() > sims[~same].mean() + 0.3


def test_each_block_has_its_scale():
    toy = clusters(seed=0)
    text = text_of(toy.n_items)
    scales = (1.0, 0.6, 0.5, 0.4, 0.3)
    space = FeatureSpace(scales=scales, graph=GraphSpace(degrees=0)).fit(toy.catalog, text, toy.graph)
    z = space.items(toy.catalog, text, toy.graph)
    assert z.dtype == np.float32
    ends = np.cumsum([3, space.attribute.basis.shape[1], space.facts.basis.shape[1], len(space.centres), 1])
    for block, scale in zip(np.split(z, ends[:-1], axis=1), scales, strict=True):
        np.testing.assert_allclose(np.linalg.norm(block, axis=1), scale, atol=1e-5)
    assert z.shape[1] == ends[-1]


def test_columns_that_are_not_named_are_not_read():
    toy = clusters(seed=0)
    text = text_of(toy.n_items)
    space = FeatureSpace(columns=("title",)).fit(toy.catalog, text)
    assert not space.attribute.tokens
    assert not len(space.centres)
    assert space.items(toy.catalog, text).shape == (toy.n_items, 4)
    with pytest.raises(ConfigError, match="names 'plot'"):
        FeatureSpace(columns=("plot",)).fit(toy.catalog, text)


def test_new_items_are_placed_where_equal_old_ones_lie():
    toy = clusters(seed=0)
    text = text_of(toy.n_items)
    space = FeatureSpace().fit(toy.catalog, text, toy.graph)
    z = space.items(toy.catalog, text, toy.graph)
    copies = Catalog(toy.catalog.table[5:8])
    np.testing.assert_allclose(space.items(copies, text[5:8], toy.graph), z[5:8], atol=1e-5)


def test_an_item_nothing_is_known_of_has_but_the_constant():
    toy = clusters(seed=0)
    space = FeatureSpace().fit(toy.catalog, text_of(toy.n_items), toy.graph)
    stranger = pl.DataFrame({"item_id": ["?"], "title": [""], "genre": [None], "year": [None]})
    z = space.items(Catalog(stranger), np.zeros((1, 3), np.float32), None)
    assert not z[:, :-1].any()
    assert z[0, -1] == pytest.approx(space.scales[-1])


def test_typed_texts_fill_the_text_block_only():
    toy = clusters(seed=0)
    text = text_of(toy.n_items)
    space = FeatureSpace().fit(toy.catalog, text, toy.graph)
    typed = space.texts(text[:2])
    assert typed.shape == (2, space.items(toy.catalog, text, toy.graph).shape[1])
    assert typed.dtype == np.float32
    np.testing.assert_allclose(typed[:, :3], text[:2], atol=1e-6)
    assert not typed[:, 3:].any()


def test_near_years_are_near():
    catalog = Catalog(pl.DataFrame({"item_id": list("abc"), "title": list("abc"), "year": [1990, 1992, 2015]}))
    space = FeatureSpace().fit(catalog, np.zeros((3, 1), np.float32))
    years = space.items(catalog, np.zeros((3, 1), np.float32))[:, 1:-1]
    near, far = years[0] @ years[1], years[0] @ years[2]
    assert near > 0.8 * space.scales[3] ** 2
    assert far < 0.1 * space.scales[3] ** 2


def test_a_bare_catalogue_has_text_and_constant():
    catalog = Catalog(pl.DataFrame({"item_id": ["a", "b"], "title": ["A", "B"]}))
    text = text_of(2)
    z = FeatureSpace().fit(catalog, text).items(catalog, text)
    np.testing.assert_allclose(z, np.column_stack([text, [0.5, 0.5]]), atol=1e-6)


def test_the_columns_a_graph_gave_are_known():
    toy = clusters(seed=0)
    text = text_of(toy.n_items)
    space = FeatureSpace(graph=GraphSpace(metapaths=2, rounds=1)).fit(toy.catalog, text, toy.graph)
    z, bare = space.items(toy.catalog, text, toy.graph), space.items(toy.catalog, text)
    told = space.of_graph(z.shape[1])
    assert told.shape == (z.shape[1],)
    assert told.any()
    np.testing.assert_array_equal(z[:, ~told], bare[:, ~told])
    assert (np.abs(z[:, told] - bare[:, told]).max(0) > 0).all()
    alone = FeatureSpace().fit(toy.catalog, text)
    assert not alone.of_graph(alone.items(toy.catalog, text).shape[1]).any()
