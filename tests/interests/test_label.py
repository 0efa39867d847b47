"""Names of concepts by a language model."""

import json

import numpy as np
import pytest

from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.interests import label as module
from warmstart.interests.concepts import Concepts, ConceptSettings
from warmstart.interests.label import cleaned, label_concepts, names_of
from warmstart.interests.tree import TreeSettings

pytest.importorskip("transformers")
WORDS = [["space", "alien"], ["cowboy", "west"], ["love", "comedy"]]
TITLES = [["Alien"], ["The West"], []]


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """A Llama with random weights whose tokens are words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("decoder")
    words = ["space", "alien", "cowboy", "west", "love", "comedy", "war", "robot", "puzzle"]
    vocabulary = ["[PAD]", "[UNK]", "[END]", *words]
    core = Tokenizer(models.WordLevel({w: i for i, w in enumerate(vocabulary)}, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "eos_token": "[END]"}
    PreTrainedTokenizerFast(tokenizer_object=core, **names).save_pretrained(str(folder))
    torch.manual_seed(3)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            intermediate_size=64,
            max_position_embeddings=64,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=2,
            **size,
        )
    ).save_pretrained(str(folder))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64}))
    return str(folder)


@pytest.fixture
def short(monkeypatch):
    """Answers of two words: longer ones of random weights stammer."""
    monkeypatch.setattr(module, "TOKENS", 2)


@pytest.mark.usefixtures("short")
def test_a_decoder_is_asked_for_every_concept_and_says_the_same_again(decoder, monkeypatch):
    told = label_concepts(decoder, WORDS, TITLES)
    assert len(told) == 3
    assert any(told)
    assert told == label_concepts(decoder, WORDS, TITLES)
    monkeypatch.setattr(module, "BATCH", 2)
    seen = []
    label_concepts(decoder, WORDS, TITLES, lambda *step: seen.append(step))
    assert seen == [("naming concepts", 0, 3), ("naming concepts", 2, 3)]


@pytest.mark.usefixtures("short")
def test_concepts_take_its_names_and_keep_their_words_where_it_has_none(decoder):
    data = clusters(60, 40, 4, seed=1)
    data = data.with_features(np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32))
    tree = TreeSettings(sizes=(3, 6))
    plain, named = (Concepts.fit(data, settings=ConceptSettings(tree=tree, label=m)) for m in ("", decoder))
    changed = [a != b for a, b in zip(plain.names, named.names, strict=True)]
    assert any(changed)
    assert all(named.names)
    assert len({n for n, c in zip(named.names, changed, strict=True) if c}) == sum(changed)  # none twice


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ([" Space travel\nWords: x", '"Westerns".', " romance"], ["Space travel", "Westerns", "romance"]),
        (["alien space", "the west", "HEISTS"], ["", "", ""]),  # its words, its item, an example
        (["war, love", "war war", "war" * 20], ["", "", ""]),  # a list, a stammer, no name
        (["Drama", "drama", ""], ["Drama", "", ""]),
    ],
)
def test_answers_that_name_nothing_are_dropped(said, names):
    assert names_of(said, WORDS, TITLES) == names


def test_only_the_first_line_is_a_name():
    assert cleaned("  Old  films: \n\nWords") == "Old films"
    assert cleaned("\n") == cleaned("19-95") == ""


def test_an_encoder_writes_nothing(tmp_path):
    from transformers import BertConfig, BertModel, BertTokenizerFast

    vocabulary = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "word"])}
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(str(tmp_path))
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(vocabulary), **size)).save_pretrained(str(tmp_path))
    with pytest.raises(ConfigError, match="is an encoder, which writes nothing; name a decoder"):
        label_concepts(str(tmp_path), WORDS, TITLES)
