from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import ArtefactError, ConfigError
from warmstart.learn import augment
from warmstart.learn.augment import Augmentation, mixed, sentences, words
from warmstart.learn.rewrite import BackTranslation, Rewriter, Writing

TEXT = "Alien (1979). Horror, Sci-Fi. Directed by Ridley Scott. A crew meets something hungry in deep space."
RATES = ("field_dropout", "deletion", "swap", "masking")


def rng(seed=0):
    return np.random.default_rng(seed)


@given(st.text(max_size=60))
def test_parts_joined_are_the_text(text):
    assert "".join(words(text)) == text.rstrip()
    assert "".join(sentences(text)) == text


@pytest.mark.parametrize("name", RATES)
def test_each_is_seeded_changes_something_and_leaves_something(name):
    change = Augmentation(**{name: 0.4})
    made = [change([TEXT] * 20, rng(3)) for _ in range(2)]
    assert made[0] == made[1]
    assert any(t != TEXT for t in made[0])
    assert all(t.strip() for t in made[0])
    assert change(["", "  "], rng()) == ["", "  "]
    assert replace(change, **{name: 0.0})([TEXT], rng()) == [TEXT]


def test_swapping_keeps_the_words_and_dropping_fields_keeps_sentences_whole():
    swapped = Augmentation(swap=0.5)([TEXT], rng())[0]
    assert sorted(swapped.split()) == sorted(TEXT.split())
    for text in Augmentation(field_dropout=0.5)([TEXT] * 30, rng()):
        assert {s.strip() for s in sentences(text)} <= {s.strip() for s in sentences(TEXT)}


def test_the_rate_is_that_share_of_the_words():
    long = " ".join(f"w{i}" for i in range(4000))
    assert len(augment.delete_words(long, 0.25, rng()).split()) == pytest.approx(3000, abs=120)
    assert augment.mask_words(long, 0.25, rng()).split().count("[MASK]") == pytest.approx(1000, abs=120)


def test_tokens_go_by_the_models_own_tokenizer(encoder_folder):
    from warmstart.text.transformer import load_transformer

    tokenizer, _ = load_transformer(encoder_folder)
    made = Augmentation.of(["token_dropout"], 0.5, tokenizer)(["space ship alien horror"] * 20, rng())
    assert {w for t in made for w in t.split()} == {"space", "ship", "alien", "horror"}
    assert all(1 <= len(t.split()) <= 4 for t in made)
    assert len({len(t.split()) for t in made}) > 1


def test_bad_switches_are_refused_in_words():
    for bad, words_of_it in (
        ({"swap": 1.0}, "swap=1.0 is not in"),
        ({"mixup": -1.0}, "mixup=-1.0 is below 0"),
        ({"token_dropout": 0.1}, "give its tokenizer"),
    ):
        with pytest.raises(ConfigError, match=words_of_it):
            Augmentation(**bad)
    with pytest.raises(ConfigError, match="'swop' is not known; choose among field_dropout, deletion"):
        Augmentation.of(["swop"])


def test_mixup_keeps_an_example_mostly_itself_and_alpha_0_wholly():
    partner, share = mixed(0.4, 1000, rng())
    assert sorted(partner) == list(range(1000))
    assert share.min() >= 0.5
    assert share.std() > 0.05
    assert (mixed(0.0, 5, rng())[1] == 1).all()


@pytest.fixture(scope="module")
def text_to_text(tmp_path_factory, encoder_folder):
    """A T5 with random weights: what it says means nothing, but it says it."""
    import torch
    from transformers import AutoTokenizer, T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("t5")
    tokenizer = AutoTokenizer.from_pretrained(encoder_folder)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": len(tokenizer)}
    config = T5Config(**sizes, pad_token_id=0, eos_token_id=3, decoder_start_token_id=0, initializer_factor=8.0)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def test_a_model_rewrites_once_and_remembers(text_to_text, tmp_path, monkeypatch):
    told = []
    writing = Writing(variants=2, beams=3, longest=12, batch=2)
    make = lambda: Rewriter(text_to_text, "say: ", writing, tmp_path, lambda *done: told.append(done))  # noqa: E731
    texts = ["space ship", "", "cowboy west", "space ship", "war"]
    one = make()
    first = one.variants(texts)
    assert told == [(2, 3), (3, 3)]
    assert first[1] == ["", ""]
    assert first[0] == first[3] != first[2]
    with (tmp_path / "rewritten.jsonl").open("a") as file:
        file.write('["cut by a cra')
    again = make()
    monkeypatch.setattr(again, "_write", lambda texts: pytest.fail("computed twice"))
    assert again.variants(texts) == first
    assert again(texts, rng(1)) == again(texts, rng(1))
    assert {again(["war"], rng(s))[0] for s in range(20)} == set(first[4])


def test_what_was_said_is_kept_for_these_weights_wherever_they_lie(text_to_text, tmp_path, monkeypatch):
    import shutil

    from safetensors.numpy import load_file, save_file

    make = lambda folder: Rewriter(folder, "", Writing(longest=8), tmp_path)  # noqa: E731
    said, copy = make(text_to_text).variants(["space ship"]), shutil.copytree(text_to_text, tmp_path / "copy")
    (weights,) = copy.glob("*.safetensors")
    weights.touch()  # another place and another time, the same model
    again = make(copy)
    monkeypatch.setattr(again, "_write", lambda texts: pytest.fail("computed twice"))
    assert again.variants(["space ship"]) == said
    save_file({k: v + 1 for k, v in load_file(weights).items()}, weights, {"format": "pt"})
    other = make(copy)
    monkeypatch.setattr(other, "_write", lambda texts: [["new", "new"]] * len(texts))
    assert other.variants(["space ship"]) == [["new", "new"]]


def test_the_text_alone_decides_not_its_neighbours(text_to_text, tmp_path):
    writing = Writing(longest=12, batch=4)
    together = Rewriter(text_to_text, "", writing, tmp_path / "a").variants(["space", "a red train in the past", "war"])
    alone = Rewriter(text_to_text, "", writing, tmp_path / "b").variants(["space"])
    assert together[0] == alone[0]


def test_back_translation_is_two_rewritings_and_an_augmentation(text_to_text, tmp_path):
    there = Rewriter(text_to_text, "to German: ", Writing(longest=8), tmp_path)
    back = Rewriter(text_to_text, "to English: ", Writing(longest=8), tmp_path)
    texts = ["space ship", "war"]
    both = BackTranslation(there, back)(texts, rng(5))
    drawn = rng(5)
    assert both == back(there(texts, drawn), drawn)
    assert Augmentation(rewriter=BackTranslation(there, back))(texts, rng(5)) == both


def test_what_is_no_text_to_text_model_is_refused(encoder_folder, tmp_path):
    with pytest.raises(ArtefactError, match="cannot be loaded as a transformer"):
        Rewriter(encoder_folder, cache=tmp_path)
    with pytest.raises(ConfigError, match="beams=1 is below 2"):
        Writing(beams=1)


def test_retrieval_reads_augmented_texts_while_it_learns_and_only_then(puzzle, encoder_folder):
    from warmstart.learn.backbone import Backbone
    from warmstart.learn.processes import Draw, Processes
    from warmstart.learn.retrieval import Retrieval, RetrievalObjective
    from warmstart.text.templates import item_texts

    calls = []

    def shout(texts, rng):
        calls.append(rng.random())
        return ["war " * 4] * len(texts)

    texts, draw = item_texts(puzzle.catalog), Draw(0, 0, 0, 20, Processes())
    make = lambda change: RetrievalObjective(  # noqa: E731
        Backbone(encoder_folder), texts, puzzle.interactions, Retrieval(held_out=0.3), augment=change
    )
    plain, shouted = make(None), make(shout)
    assert plain.validate() == shouted.validate()
    assert not calls
    assert plain.backward(draw) != pytest.approx(shouted.backward(draw))
    shouted.backward(draw)
    assert len(calls) == 2
    assert calls[0] == calls[1]
