"""Relations in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.relation_names import LANGUAGES, Phrases, made, relation_names
from warmstart.errors import ConfigError
from warmstart.recipe import Recipe

FREEBASE = [
    "film.film.actor", "film.film.genre", "film.film.award_nomination", "film.film.produced_by", "film.film.award_won",
    "film.film.written_by", "film.film.language", "film.film.country", "film.film.directed_by", "film.film.rating",
    "film.film.cinematography", "film.film.production_companies", "film.film.subjects", "film.film.sequel",
    "film.producer.film", "film.writer.film", "film.director.film", "film.cinematographer.film", "film.actor.film",
    "film.film_genre.films_in_this_genre", "film.production_company.films", "film.content_rating.film",
    "film.film_subject.films", "film.film.prequel",
]  # fmt: skip


def test_the_table_has_both_languages_for_all_it_knows():
    names = relation_names()
    assert all(set(told) == set(LANGUAGES) for told in (*names.relations.values(), *names.events.values()))


@pytest.mark.parametrize(
    "relation", [*FREEBASE, "directors", "cast", "categories", "brand", "author", "series", "题材"]
)
def test_usual_relations_are_known(relation):
    for language in LANGUAGES:
        assert relation_names()(relation, language) != made(relation)


def test_from_the_other_end_a_relation_reads_the_other_way():
    names = relation_names()
    assert names("film.director.film") == names("film.film.directed_by").turned
    assert names("inverse:directors") == names("directors").turned
    assert names("film.film.prequel").forward == "sequel of {}"
    assert names("film.film.sequel").forward == "followed by {}"


def test_names_are_found_by_their_last_part_and_in_any_case():
    names = relation_names()
    assert names("http://dbpedia.org/ontology/director") == names("director") == names("Director")
    assert names("http://www.wikidata.org/prop/direct/P57") == names("director")


@given(st.text(min_size=1))
def test_words_are_made_of_any_name(relation):
    for phrase in (made(relation).forward, made(relation).back):
        assert phrase.count("{}") == phrase.count("{") == phrase.count("}") == 1


def test_a_file_of_ones_own_comes_first(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(
        '[relations.x]\nmatch = ["director"]\nen = ["shot by {}", "shot {}", ""]\n[events.buy]\nzh = "入手"\n'
    )
    names = relation_names(file)
    assert names("director") == Phrases("shot by {}", "shot {}")
    assert names("director", "zh") == relation_names()("director", "zh")
    assert (names.did("buy"), names.did("buy", "zh"), names.did("view")) == ("bought", "入手", "viewed")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[relations.x]\nen = 3", "three texts"),
        ('[relations.x]\nen = ["a", "b {}", ""]', "exactly one"),
        ('[relations.x]\nen = ["a {0}", "b {}", ""]', "exactly one"),
        ('[relations.x]\nmatch = "y"', "list of names"),
        ("[words.x]", "sections are"),
        ("[relations]\nx = 3", "is no section"),
        ("[relations", "is no TOML"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, words):
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        relation_names(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        relation_names(tmp_path / "none.toml")


def test_a_recipe_holds_words():
    own = {"relations": {"grip": {"en": ["key grip {}", "key grip of {}", "a key grip"]}}}
    recipe = Recipe.of({"relation_names": own})
    assert recipe.words("grip").forward == "key grip {}"
    assert Recipe.of(recipe.to_dict()).words("grip") == recipe.words("grip")
    with pytest.raises(ConfigError, match="three texts"):
        Recipe.of({"relation_names": {"relations": {"grip": {"en": []}}}})
