"""Key phrases, named entities and known names out of texts, each with confidence and source."""

import warnings

import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.errors import ConfigError
from warmstart.text import kept_entities as kept
from warmstart.text.graph_text import TextGraphSettings, graph_from_text, written
from warmstart.text.key_phrases import PhraseSettings, candidates, key_phrases
from warmstart.text.mentions import find_mentions
from warmstart.text.named_entities import named_entities
from warmstart.text.tfidf import TfidfEncoder

TEXTS = [
    "A serial killer hunts a detective in Paris, and the serial killer is clever.",
    "A detective follows a serial killer through Paris with Ridley Scott's camera.",
    "Two friends bake bread in a small bakery and sell the bread.",
    "The bakery loses its bread recipe; Harrison Ford comes to help.",
    "",
]
FILMS = Catalog(
    pl.DataFrame(
        {
            "item_id": ["a", "b", "c", "d", "e", "f"],
            "title": ["Night", "Blade Runner", "Yeast", "Crumbs", None, "重庆森林"],
            "description": [*TEXTS[:4], None, "王家卫在香港拍摄了这部电影，香港的夜晚很美。"],
            "cast": ["x"] * 6,
        }
    )
)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of libraries while they are imported
        yield


@pytest.fixture(scope="module")
def encoder():
    return TfidfEncoder.fit(TEXTS)


def test_candidates_are_words_and_neighbours():
    assert candidates("The killer's car, stolen in 1979") == ["killer", "car", "stolen", "killer car"]
    assert candidates("科幻 film") == ["科幻", "film", "科幻 film"]
    assert candidates("") == candidates("the of 12") == []


def test_key_phrases_are_shared_and_sure(encoder):
    told = []
    found = key_phrases(
        TEXTS, encoder, PhraseSettings(most=3, least=0.1), lambda done, total: told.append((done, total))
    )
    assert len(found) == len(TEXTS)
    assert found[4] == []
    assert {"serial killer", "killer", "serial"} & {phrase for phrase, _ in found[0]}
    assert {"bread", "bakery"} & {phrase for phrase, _ in found[2]}
    assert all(0 < sure <= 1 for row in found for _, sure in row)
    assert all(len(row) <= 3 for row in found)
    shared = [phrase for row in found for phrase, _ in row]
    assert all(sum(phrase in candidates(text) for text in TEXTS) >= 2 for phrase in shared)
    assert told == [(5, 5)]
    assert key_phrases(["abc", "xyz"], encoder) == [[], []]
    assert key_phrases(TEXTS[:1], encoder, PhraseSettings(least_items=1, least=0.1))[0]


@pytest.mark.parametrize("wrong", [{"most": 0}, {"least": 0.0}, {"diversity": 2.0}, {"least_items": 0}])
def test_settings_of_phrases_are_checked(wrong):
    with pytest.raises(ConfigError):
        PhraseSettings(**wrong)


def test_named_entities_of_english_and_chinese():
    texts = ["Harrison Ford lives in Paris, and John works in Paris for the FBI.", "王家卫在香港拍摄。", ""]
    english, chinese, nothing = named_entities(texts)
    assert {(relation, name, by) for relation, name, _, by in english} >= {
        ("mentions_person", "Harrison Ford", "spacy"),
        ("mentions_place", "Paris", "spacy"),
    }
    assert "John" not in {name for _, name, _, _ in english}
    assert len({name for _, name, _, _ in english}) == len(english)
    assert all(0.5 <= sure <= 1 for _, _, sure, _ in english)
    assert chinese == [("mentions_person", "王家卫", 0.5, "rjieba"), ("mentions_place", "香港", 0.5, "rjieba")]
    assert nothing == []


def test_a_pipeline_that_is_not_there_or_finds_nothing(tmp_path):
    with pytest.raises(ConfigError, match="no spaCy pipeline 'no_such_thing'"):
        named_entities(["Paris"], "no_such_thing")
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ConfigError, match="none of which finds entities"):
        named_entities(["Paris"], str(tmp_path / "blank"))


def test_a_pipeline_of_ones_own(tmp_path):
    import spacy

    own = spacy.blank("en")
    own.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Atlantis"}])
    own.to_disk(tmp_path / "own")
    assert named_entities(["Lost in Atlantis"], str(tmp_path / "own")) == [
        [("mentions_place", "Atlantis", 0.5, "spacy")]
    ]


def test_entities_are_kept_on_disk_and_damaged_files_made_again(tmp_path, monkeypatch):
    texts = ["王家卫在香港拍摄。"] * 5
    monkeypatch.setattr(kept, "CHUNK", 2)
    first = kept.kept_entities(texts, tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2  # equal chunks are one
    files[0].write_text("[[", encoding="utf-8")
    changed = files[1].read_text(encoding="utf-8").replace("香港", "澳门")
    files[1].write_text(changed, encoding="utf-8")
    again = kept.kept_entities(texts, tmp_path)
    assert len(again) == len(first) == 5
    assert sum("澳门" in str(row) for row in again) in (1, 4)  # what is there is read, what is damaged made
    assert files[0].read_text(encoding="utf-8") != "[["


def test_known_names_are_found_as_whole_words_the_longest_first():
    names = {
        "m.1": "Ridley Scott",
        "m.2": "Scott",
        "m.3": "New York",
        "m.4": "New York City",
        "m.5": "王家卫",
        "m.6": "Paris",
    }
    texts = ["Ridley Scott's New York City", "New Yorkers of Paris", "new york", "导演王家卫的电影", "New York"]
    found, passed = find_mentions(texts, names)
    assert found == [[("m.1", 0.9), ("m.4", 0.9)], [], [], [("m.5", 0.9)], [("m.3", 0.9)]]
    assert passed == 0
    assert find_mentions(["New York"], names | {"m.7": "New York"}) == ([[]], 1)
    assert find_mentions(["x"], {}) == ([[]], 0)


def test_a_graph_out_of_texts(encoder):
    known = {"m.1": "Ridley Scott", "b": "Blade Runner"}
    graph, told = graph_from_text(FILMS, encoder, known, TextGraphSettings(phrases=PhraseSettings(least=0.1)))
    rows = graph.triples.select("head", "relation", "tail", "source").rows()
    assert ("a", "mentions_place", "Paris", "text:spacy") in rows
    assert ("b", "mentions_place", "Paris", "text:spacy") in rows
    assert {tail for head, relation, tail, _ in rows if head == "b" and relation.startswith("mentions")} >= {"m.1"}
    assert any(relation == "key_phrase" and source == "text:keybert" for _, relation, _, source in rows)
    assert not any(tail == "Harrison Ford" for _, _, tail, _ in rows)  # one item alone names him
    assert told["named entities that fewer than 2 items share, left out"] >= 1
    assert graph.triples["confidence"].is_between(0, 1, closed="right").all()
    assert graph.triples.select("head", "relation", "tail").is_duplicated().sum() == 0
    assert not any(head == tail for head, _, tail, _ in rows)


def test_texts_are_those_of_text_columns_or_of_a_template(encoder):
    assert TEXTS[0] in written(FILMS)[0]
    assert written(FILMS)[0].startswith("Night")
    assert "x" not in written(FILMS)[0].split()
    settings = TextGraphSettings(ways=("entities",), template="{cast}")
    assert len(graph_from_text(FILMS, settings=settings)[0]) == 0


def test_what_is_asked_for_has_to_be_known(encoder):
    with pytest.raises(ConfigError, match="'phrase' is none of phrases, entities, mentions"):
        TextGraphSettings(ways=("phrase",))
    with pytest.raises(ConfigError, match="key phrases need an encoder"):
        graph_from_text(FILMS, settings=TextGraphSettings(ways=("phrases",)))
