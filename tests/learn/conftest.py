"""Tiny models, made in memory, that learn in milliseconds."""

import json

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary

_TEXT = """space ship alien horror cowboy west love comedy war soldier robot future past train wooden doll puzzle
red blue green old new film toy the a of and in"""
WORDS = tuple(_TEXT.split())


def save_tokenizer(folder, words=WORDS, specials=("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")):
    """A tokenizer of whole words; unknown ones are spelled by letter."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = [chr(c) for c in range(97, 123)] + [str(d) for d in range(10)] + list(".,()!?:'-")
    vocabulary = [*specials, *words, *letters, *("##" + c for c in letters)]
    vocabulary = list(dict.fromkeys(vocabulary))
    core = Tokenizer(models.WordPiece({w: i for i, w in enumerate(vocabulary)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    made = PreTrainedTokenizerFast(tokenizer_object=core, mask_token="[MASK]", **names)
    made.save_pretrained(str(folder))
    return len(vocabulary)


def save_encoder(folder, dim=32, layers=2, seed=0):
    """A BERT with random weights."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    size = save_tokenizer(folder)
    config = BertConfig(
        vocab_size=size,
        hidden_size=dim,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * dim,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(str(folder))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64}))
    return folder


def save_decoder(folder, dim=32, layers=2, seed=0):
    """A Llama with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    size = save_tokenizer(folder)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=dim,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=2 * dim,
        max_position_embeddings=64,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    LlamaForCausalLM(config).save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def decoder_folder(tmp_path_factory):
    return save_decoder(tmp_path_factory.mktemp("decoder"))


def make_puzzle(n_users=120, n_items=90, seed=1, noise=0.1):
    """People of three tastes; of an item's five words one says for whom it is, four say nothing.

    Twelve words tell (four a taste, which is not written anywhere), so a frozen model cannot know.
    """
    rng = np.random.default_rng(seed)
    telling, idle = WORDS[:12], WORDS[12:28]
    sign = rng.integers(0, 12, n_items)
    taste = sign % 3
    titles = [" ".join(rng.permutation([telling[s], *rng.choice(idle, 4, replace=False)])) for s in sign]
    people = rng.integers(0, 3, n_users)
    user, item = [], []
    for u in range(n_users):
        weight = np.where(taste == people[u], 1.0, noise)
        chosen = rng.choice(n_items, 12, replace=False, p=weight / weight.sum())
        user += [u] * len(chosen)
        item += chosen.tolist()
    names = [f"i{i}" for i in range(n_items)]
    table = pl.DataFrame({"item_id": names, "title": titles, "genre": [f"g{s % 4}" for s in sign]})
    time = rng.integers(1, 10_000, len(user))
    mine = taste[np.array(item)] == people[np.array(user)]
    rating = np.clip(np.where(mine, 4, 2) + rng.integers(-1, 2, len(user)), 1, 5).astype(np.float32)
    x = Interactions.of(np.array(user), np.array(item), n_users, n_items, time=time, rating=rating)
    return Dataset(x, Catalog(table), Vocabulary([f"u{u}" for u in range(n_users)]))


@pytest.fixture(scope="session")
def puzzle():
    """See ``make_puzzle``."""
    return make_puzzle()
