"""``warmstart graph paths``."""

import json

import pytest

from warmstart.data.toy import clusters
from warmstart.engine import Engine
from warmstart.experts.content import ContentMap
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.recipe import Recipe


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    experts = {"popularity": Popularity(), "content_map": ContentMap()}
    recipe = Recipe(encoder="tfidf", experts=experts, fusion=Fusion(queries=40, heads=HeadLearner(ranker=None)))
    made = tmp_path_factory.mktemp("engine")
    Engine(recipe).fit(clusters(60, 80, 4, seed=1)).save(made)
    return made


def test_paths_as_text_in_both_languages(shell, folder):
    asked = ("graph", "paths", folder, "--history", "i0,i4,gone", "--item", "i20")
    said = shell(*asked)
    assert " -> made by maker0 0 -> " in said.stdout.splitlines()[0]
    assert said.stdout.startswith("You took The ")
    assert "not in the catalogue, so left out: gone" in said.stderr
    assert "由 maker0 0 制造" in shell(*asked, "--zh").stdout


def test_paths_as_json(shell, folder):
    told = shell.json("graph", "paths", folder, "--history", "i0", "--item", "i20", "--edges", "2")
    (path,) = told["paths"]
    assert [node["id"] for node in path["nodes"]] == ["i0", "maker0_0", "i20"]
    assert path["relations"][0] == {"name": "made_by", "forward": True}
    assert told["hubs"] == []


def test_hubs_are_told(shell, folder):
    said = shell("graph", "paths", folder, "--history", "i0", "--item", "i20", "--hub", "2")
    assert "no path was found" in said.stderr
    assert "not walked through, for more than 2 facts each: maker0_0" in said.stderr


def test_words_of_ones_own(shell, folder, tmp_path):
    (tmp_path / "own.toml").write_text('[relations.made_by]\nen = ["forged by {}", "smith of {}", "a smith"]\n')
    asked = ("graph", "paths", folder, "--history", "i0", "--item", "i20", "--edges", "2")
    assert "forged by maker0 0" in shell(*asked, "--names", tmp_path / "own.toml").stdout


def test_explain_has_them_too(shell, folder):
    told = json.loads(shell("explain", folder, "--history", "i0,i4", "--item", "i20", "--json").stdout)
    assert told["paths"][0]["nodes"][1]["id"] == "maker0_0"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--history", "i0", "--item", "gone"), "item 'gone' is not in the catalogue"),
        (("--history", "i0", "--item", "i20", "--edges", "4"), "less than or equal to 3"),
        (("--history", "i0"), "--item"),
    ],
)
def test_mistakes(shell, folder, words, said):
    assert said in shell("graph", "paths", folder, *words, code=2).stderr


def test_an_engine_without_a_graph_is_told(shell, fitted):
    said = shell("graph", "paths", shell.folder / "engine", "--history", "i0", "--item", "i4", code=2)
    assert "knows no graph; fit it with --graph" in said.stderr
