"""Links that name the wrong items are found out."""

from dataclasses import replace

import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_check import check_graph
from warmstart.data.health import check
from warmstart.data.link_agreement import Agreement, link_agreement
from warmstart.data.toy import checkerboard

FILMS = pl.DataFrame(
    {
        "item_id": [f"i{i}" for i in range(60)],
        "title": [f"Film {i}" for i in range(60)],
        "director": [f"Director {i // 3}" for i in range(60)],
        "cast": [f"Actor {i % 25}, Actor {i // 5}|star {i // 2}" for i in range(60)],
        "year": list(range(60)),
    }
)


def graph_of(shift=0):
    """Who directed which film, told of the film ``shift`` places on."""
    told = [f"i{(i + shift) % 60}" for i in range(60)]
    return KnowledgeGraph(pl.DataFrame({"head": told, "relation": ["by"] * 60, "tail": FILMS["director"]}))


def test_right_links_agree_with_the_catalogue():
    found = link_agreement(graph_of(), Catalog(FILMS))
    assert found.agrees is True
    assert found.chance == pytest.approx(60 * 2 / (60 * 59))


def test_links_of_other_items_do_not():
    assert link_agreement(graph_of(shift=1), Catalog(FILMS.select("item_id", "director"))).tied == pytest.approx(1 / 3)
    shuffled = KnowledgeGraph(graph_of().triples.with_columns(pl.col("tail").shuffle(3)))
    assert link_agreement(shuffled, Catalog(FILMS)).agrees is False


@pytest.mark.parametrize("columns", [["item_id"], ["item_id", "title"], ["item_id", "year"]])
def test_where_the_catalogue_says_nothing_alike_nothing_is_said(columns):
    found = link_agreement(graph_of(), Catalog(FILMS.select(columns)))
    assert (found.pairs, found.agrees) == (0, None)


def test_a_graph_of_other_things_ties_nothing():
    other = KnowledgeGraph(pl.DataFrame({"head": ["x"], "relation": ["r"], "tail": ["y"]}))
    assert link_agreement(other, Catalog(FILMS)).agrees is None


def test_both_checks_tell_it():
    shuffled = KnowledgeGraph(graph_of().triples.with_columns(pl.col("tail").shuffle(3)))
    catalog = Catalog(FILMS)
    told = check_graph(shuffled, pl.Series(catalog.items.ids), catalog=catalog).findings
    assert "links_disagree" in {f.name for f in told}
    right = check_graph(graph_of(), pl.Series(catalog.items.ids), catalog=catalog).findings
    assert "links_disagree" not in {f.name for f in right}
    data = replace(checkerboard(4, 60), catalog=catalog, graph=shuffled)
    finding = next(f for f in check(data).findings if f.name == "links_disagree")
    assert finding.severity == "warning"
    assert "wrong items" in finding.advice


def test_a_dense_graph_that_ties_all_that_is_alike_agrees():
    """Where most items are tied anyhow, twice as often cannot be; twice the odds can."""
    assert Agreement(134, 1.0, 0.72).agrees is True
    assert Agreement(134, 0.87, 0.6).agrees is True
    assert Agreement(134, 0.5, 0.486).agrees is False
    assert Agreement(134, 1.0, 1.0).agrees is None
