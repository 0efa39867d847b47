"""What learns, what is saved, what is refused; tiny models, and the real decoder once."""

import shutil

import numpy as np
import pytest
import torch

from warmstart.errors import ArtefactError, ConfigError, WarmstartError
from warmstart.learn.backbone import Backbone
from warmstart.learn.settings import Tuning
from warmstart.text.onnx import OnnxEncoder
from warmstart.text.onnx_export import export_onnx
from warmstart.text.transformer import TransformerEncoder

TEXTS = ["alien space horror", "toy", "a cowboy doll puzzle in the old west", "", "robot of the future"]
FOLDERS = ("encoder_folder", "decoder_folder")


@pytest.fixture(params=FOLDERS)
def folder(request):
    return request.getfixturevalue(request.param)


def moved(backbone, rate=0.05):
    """The backbone after a step that moves its vectors."""
    torch.manual_seed(0)
    backbone.vectors(TEXTS[:3]).sum(1).pow(2).mean().backward()
    with torch.no_grad():
        for _, p in backbone.parameters():
            if p.grad is not None:
                p -= rate * torch.sign(p.grad)
    return backbone


def rows_agree(a, b):
    return (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-12)


def test_full_frees_all_and_frozen_none(folder):
    full = Backbone(folder)
    assert len(list(full.parameters())) == len(list(full.model.named_parameters()))
    assert list(Backbone(folder, Tuning("frozen")).parameters()) == []


@pytest.mark.parametrize("layers", [1, 2, 9])
def test_last_frees_the_last_layers_and_what_follows(folder, layers):
    names = [name for name, _ in Backbone(folder, Tuning("last", layers=layers)).parameters()]
    freed = {name.split("layer.")[-1].split("layers.")[-1].split(".")[0] for name in names if "layer" in name.lower()}
    assert {f for f in freed if f.isdigit()} == ({"1"} if layers == 1 else {"0", "1"})
    assert not [name for name in names if "embed" in name]


def test_lora_frees_additions_alone_that_begin_at_nothing(folder):
    lora = Backbone(folder, Tuning("lora", rank=2))
    names = [name for name, _ in lora.parameters()]
    assert names
    assert all("lora_" in name for name in names)
    np.testing.assert_allclose(lora.encode(TEXTS), Backbone(folder).encode(TEXTS), atol=1e-6)


def test_additions_are_drawn_from_the_seed(encoder_folder):
    def drawn(seed):
        return torch.cat([p.flatten() for _, p in Backbone(encoder_folder, Tuning("lora"), seed=seed).parameters()])

    torch.manual_seed(1)
    first = drawn(0)
    state = torch.random.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, drawn(0))
    assert not torch.equal(first, drawn(5))
    torch.manual_seed(1)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("tuning", [Tuning(), Tuning("lora", rank=2)], ids=lambda t: t.mode)
def test_what_is_saved_gives_the_same_vectors_everywhere(folder, tuning, tmp_path):
    backbone = moved(Backbone(folder, tuning))
    own = backbone.encode(TEXTS)
    assert rows_agree(own, Backbone(folder).encode(TEXTS)).min() < 0.999
    assert not own[3].any()
    np.testing.assert_allclose(np.linalg.norm(own[[0, 1, 2, 4]], axis=1), 1, rtol=1e-5)
    saved = backbone.save(tmp_path / "saved")
    np.testing.assert_allclose(backbone.encode(TEXTS), own, atol=1e-6)  # saving changed nothing
    np.testing.assert_allclose(TransformerEncoder(saved).encode(TEXTS), own, atol=1e-5)
    np.testing.assert_allclose(Backbone(saved).encode(TEXTS), own, atol=1e-5)
    assert not list(saved.glob("**/*.bin"))
    from sentence_transformers import SentenceTransformer

    other = SentenceTransformer(str(saved), device="cpu").encode(TEXTS[:3], show_progress_bar=False)
    np.testing.assert_allclose(other, own[:3], atol=1e-5)


def test_the_exported_encoder_agrees(encoder_folder, tmp_path):
    backbone = moved(Backbone(encoder_folder))
    export_onnx(backbone.save(tmp_path / "saved"), tmp_path / "onnx")
    agreement = rows_agree(OnnxEncoder(tmp_path / "onnx").encode(TEXTS), backbone.encode(TEXTS))
    assert agreement[[0, 1, 2, 4]].min() > 0.98


def test_order_and_company_of_texts_do_not_matter(folder):
    backbone = Backbone(folder)
    whole = backbone.encode(TEXTS, batch=2)
    np.testing.assert_allclose(backbone.encode(TEXTS[::-1], batch=64)[::-1], whole, atol=1e-5)
    backbone.model.train()
    assert backbone.encode([]).shape == (0, backbone.dim)
    assert backbone.model.training


def test_pairs_are_read_together(encoder_folder):
    backbone = Backbone(encoder_folder)
    with torch.no_grad():
        one, other = backbone.vectors(["toy", "toy"], ["alien", "love"])
    assert not torch.allclose(one, other)
    ids = backbone.tokens(["toy"], ["alien"])["input_ids"][0].tolist()
    assert ids == [2, *backbone.tokenizer.convert_tokens_to_ids(["toy", "[SEP]", "alien", "[SEP]"])]


def test_long_texts_are_cut(folder):
    backbone = Backbone(folder, max_tokens=8)
    assert backbone.tokens(["toy " * 500])["input_ids"].shape == (1, 8)
    assert Backbone(folder, max_tokens=10_000).reading.max_tokens == 64


def test_dropout_is_as_asked(folder):
    backbone = Backbone(folder, Tuning(dropout=0.3))
    backbone.model.train()
    if not backbone.decoder:
        assert not torch.equal(backbone.vectors(TEXTS[:1]), backbone.vectors(TEXTS[:1]))
    still = Backbone(folder)
    still.model.train()
    assert torch.equal(still.vectors(TEXTS[:1]), still.vectors(TEXTS[:1]))


def broken(folder, to, harm):
    shutil.copytree(folder, to)
    harm(to)
    return to


@pytest.mark.parametrize(
    "harm",
    [
        lambda f: (f / "config.json").unlink(),
        lambda f: (f / "model.safetensors").unlink(),
        lambda f: (f / "tokenizer.json").unlink(),
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-100]),
        lambda f: (f / "config.json").write_text("{"),
        lambda f: (f / "config.json").write_text('{"model_type": "abacus"}'),
        lambda f: (f / "tokenizer.json").write_text("[]"),
    ],
    ids=["no config", "no weights", "no tokenizer", "cut weights", "cut config", "strange model", "strange tokenizer"],
)
def test_a_folder_with_missing_or_wrong_files_is_told_in_one_line(encoder_folder, tmp_path, harm):
    with pytest.raises(ArtefactError) as caught:
        Backbone(broken(encoder_folder, tmp_path / "broken", harm))
    assert str(tmp_path / "broken") in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("given", "found"), [("", "model"), ("", "model/encoder"), ("model", "model/encoder")])
def test_the_model_inside_a_given_folder_is_named(encoder_folder, tmp_path, given, found):
    shutil.copytree(encoder_folder, tmp_path / "run" / found)
    with pytest.raises(ArtefactError, match=f"not a transformer's folder; give {tmp_path / 'run' / found}$"):
        Backbone(tmp_path / "run" / given)


def test_a_folder_or_name_that_is_not_there(tmp_path):
    for name in (tmp_path / "nowhere", "nobody/no-such-model"):
        with pytest.raises(WarmstartError) as caught:
            Backbone(name)
        assert str(name) in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_a_model_without_a_list_of_layers_has_no_last_ones():
    from warmstart.learn.backbone import last_layers

    with pytest.raises(ConfigError, match="Linear has no list of layers; choose tuning='full' or 'lora'"):
        last_layers(torch.nn.Linear(2, 2), 1)


@pytest.mark.no_cover
def test_the_packaged_decoder_learns_from_its_gguf_file_and_is_saved(tmp_path):
    pytest.importorskip("gguf")
    backbone = Backbone("gemma-3-270m", Tuning("lora", rank=2), max_tokens=12)
    assert backbone.decoder
    assert backbone.dim == 640
    texts = ["a space ship and an alien", "a cowboy and his horse"]
    vectors = backbone.encode([*texts, ""])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0], rtol=1e-5)
    optimiser = torch.optim.AdamW([p for _, p in backbone.parameters()], lr=1e-3)

    def apart():
        a, b = torch.nn.functional.normalize(backbone.vectors(texts), dim=1)
        return a @ b

    before = apart()
    before.backward()
    optimiser.step()
    with torch.no_grad():
        assert float(apart()) < float(before) - 1e-4
    saved = TransformerEncoder(backbone.save(tmp_path / "model")).encode(texts)
    np.testing.assert_allclose(saved, backbone.encode(texts), atol=1e-4)


def test_a_folder_without_its_tokenizer_is_refused(encoder_folder, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(encoder_folder, bare)
    for name in ("tokenizer.json", "tokenizer_config.json"):  # transformers then makes one up that knows no word
        (bare / name).unlink()
    for read in (Backbone, TransformerEncoder):
        with pytest.raises(ArtefactError, match="bare has a tokenizer without words"):
            read(bare)
