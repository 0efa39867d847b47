"""Recipes round-trip and refuse what they do not know."""

from __future__ import annotations

import pytest

from warmstart.errors import ConfigError
from warmstart.recipe import Recipe


def test_plain_values_round_trip():
    recipe = Recipe()
    assert Recipe.of(recipe.to_dict()).to_dict() == recipe.to_dict()


def test_a_file_changes_only_what_it_says(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        'encoder = "tfidf"\n[fusion]\ntop = 30\n[fusion.heads]\nranker = false\n[experts.pop]\nclass = "Popularity"\n'
    )
    recipe = Recipe.load(path)
    assert (recipe.encoder, recipe.fusion.top, recipe.fusion.heads.ranker) == ("tfidf", 30, None)
    assert list(recipe.experts) == ["pop"]
    assert recipe.fusion.heads.ridge == Recipe().fusion.heads.ridge


def test_concepts_are_a_tree_or_a_dictionary():
    recipe = Recipe.of({"concepts": {"kind": "sparse", "sparse": {"size": 50}, "tree": {"sizes": [5, 20]}}})
    assert (recipe.concepts.kind, recipe.concepts.sparse.size, recipe.concepts.tree.sizes) == ("sparse", 50, (5, 20))
    assert Recipe.of(recipe.to_dict()).concepts == recipe.concepts
    assert Recipe().concepts.kind == "tree"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[fusion]\ntopp = 3\n", "topp"),
        ("[fusion]\ntop = 'many'\n", "takes int"),
        ("[experts.x]\nclass = 'os.system'\n", "known classes"),
        ("encoder = \n", "no TOML"),
        ("[concepts]\nkind = 'flat'\n", "it is 'tree' or 'sparse'"),
        ("[fusion]\nheads = false\n", "takes HeadLearner"),
        ("[fusion.heads]\nlate_new = []\n", "takes tuple"),
        ("[fusion.heads]\nridge_thin = ['a']\n", "takes float"),
        ("[experts.a]\nclass = 'UserAttributes'\npopularity = false\n", "takes Popularity"),
    ],
)
def test_mistakes_name_the_place(tmp_path, text, words):
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as told:
        Recipe.load(path)
    assert str(path) in str(told.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        Recipe.load(tmp_path / "none.toml")


def test_a_part_that_is_off_is_switched_on_by_true():
    assert Recipe.of({"ratings": {}}).ratings.head is None
    recipe = Recipe.of({"ratings": {"head": True}})
    assert recipe.ratings.head.worth.folds == 2
    assert Recipe.of(recipe.to_dict()) == recipe
    assert Recipe.of({"ratings": {"head": {"worth": {"epochs": 1}}}}).ratings.head.worth.epochs == 1.0
