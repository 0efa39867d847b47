"""The picture of a neighbourhood."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import polars as pl

from warmstart.data.graph import KnowledgeGraph
from warmstart.data.neighbourhood import neighbourhood
from warmstart.explain.graph_drawing import around_page, around_svg

ROWS = [
    ("a", "directed_by", "x<y"),
    ("b", "directed_by", "x<y"),
    ("a", "genre", "war"),
    ("c", "genre", "war"),
    ("b", "genre", "war"),
    ("a", "key_phrase", "a very long phrase that no label could ever hold in full"),
]
NAMES = {"a": "Tom & Jerry", "b": "重庆森林", "c": "Café"}
SVG = "{http://www.w3.org/2000/svg}"


def found(entity="a", hops=2):
    graph = KnowledgeGraph(pl.DataFrame(ROWS, schema=["head", "relation", "tail"], orient="row"))
    return neighbourhood(graph.index, entity, frozenset("abc"), hops=hops)


def texts(svg):
    return ["".join(t.itertext()) for t in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_picture_is_xml_with_every_name_once():
    shown = texts(around_svg(found(), NAMES, frozenset("abc")))
    assert sorted(shown) == sorted(
        ["Tom & Jerry", "directed by", "of the genre", "mentioning", "x<y2", "war3", "重庆森林2", "Café", LONG]
    )


LONG = "a very long phrase that no label co…"


def test_no_label_covers_another():
    root = ET.fromstring(around_svg(found(), NAMES, frozenset("abc")))
    places = [(float(t.get("x")), float(t.get("y"))) for t in root.iter(f"{SVG}text")]
    assert len(set(places)) == len(places)
    for x in {x for x, _ in places}:
        column = sorted(y for a, y in places if abs(a - x) < 20)
        assert all(b - a >= 18 for a, b in pairwise(column))
    height = float(root.get("viewBox").split()[3])
    assert all(0 < y < height for _, y in places)


def test_light_and_dark_and_nothing_fetched():
    svg = around_svg(found(), NAMES)
    assert "prefers-color-scheme: dark" in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    page = around_page(found(hops=1), NAMES)
    assert page.startswith("<!doctype html>")
    assert "Tom &amp; Jerry" in page


def test_an_entity_alone():
    assert texts(around_svg(neighbourhood(found_alone(), "p"), {})) == ["p"]


def found_alone():
    return KnowledgeGraph(pl.DataFrame([("p", "is", "p")], schema=["head", "relation", "tail"], orient="row")).index
