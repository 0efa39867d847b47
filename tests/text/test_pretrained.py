import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from warmstart.errors import ArtefactError, ConfigError, MissingExtra
from warmstart.text import choose, weights
from warmstart.text.choose import default_encoder, encoder_from_name, encoder_from_spec
from warmstart.text.multilingual import MultilingualEncoder
from warmstart.text.onnx import OnnxEncoder
from warmstart.text.onnx_export import cached_export
from warmstart.text.reading import Reading
from warmstart.text.tfidf import TfidfEncoder
from warmstart.text.transformer import TransformerEncoder
from warmstart.text.weights import MINILM, cache_home, fingerprint_of, sha256_of, weights_folder

TEXTS = [
    "Heat (1995). Action, Crime, Thriller.",
    "The Secret Garden (1993). Children, Drama. An orphan finds a locked door in a wall of her uncle's house.",
    "A set of twelve crayons for small hands",
    "Alien",
    "A detective comes back to the town he left as a boy. " * 12,
]


@pytest.fixture(scope="module")
def onnx():
    return OnnxEncoder(cached_export(), threads=2)


def test_int8_agrees_with_float32(onnx):
    cosine = (onnx.encode(TEXTS) * TransformerEncoder().encode(TEXTS)).sum(axis=1)
    assert cosine.mean() > 0.98
    assert cosine.min() > 0.96


def test_int8_multiplies_in_integers(onnx):
    assert b"MatMulInteger" in (onnx.folder / "model.onnx").read_bytes()
    assert (onnx.folder / "model.onnx").stat().st_size < 30e6
    assert json.loads((onnx.folder / "encoder.json").read_text())["int8"]


def test_transformer_agrees_with_sentence_transformers():
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(weights_folder(MINILM)), device="cpu").encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(TransformerEncoder().encode(TEXTS), theirs, atol=1e-5)


def test_saved_onnx_runs_without_torch(onnx, tmp_path):
    onnx.save(tmp_path)
    np.save(tmp_path / "expected.npy", onnx.encode(TEXTS))
    (tmp_path / "texts.json").write_text(json.dumps([TEXTS, onnx.spec()]))
    code = """if True:
        import json, pathlib, sys
        sys.modules.update(dict.fromkeys(("torch", "transformers", "sentence_transformers", "onnx")))
        import numpy as np
        from warmstart.text.choose import encoder_from_spec
        folder = pathlib.Path(sys.argv[1])
        texts, spec = json.loads((folder / "texts.json").read_text())
        got = encoder_from_spec(spec, folder).encode(texts)
        assert np.array_equal(got, np.load(folder / "expected.npy"))
    """
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


@pytest.mark.parametrize("damage", ["model.onnx", "tokenizer.json"])
def test_changed_files_are_refused(onnx, tmp_path, damage):
    onnx.save(tmp_path)
    with (tmp_path / damage).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtefactError, match=damage):
        OnnxEncoder(tmp_path)


@pytest.mark.parametrize(
    "card", ["{", '{"format": 1}', '{"format": 99, "sha256": {"model.onnx": "", "tokenizer.json": ""}}']
)
def test_unreadable_cards_are_refused(tmp_path, card):
    with pytest.raises(ArtefactError, match=r"encoder\.json"):
        OnnxEncoder(tmp_path)
    (tmp_path / "encoder.json").write_text(card)
    with pytest.raises(ArtefactError):
        OnnxEncoder(tmp_path)


def test_progress_is_told(onnx):
    told = []
    OnnxEncoder(onnx.folder, progress=lambda *at: told.append(at)).encode(["Alien"] * 300)
    TransformerEncoder(batch_size=2, progress=lambda *at: told.append(at)).encode(["a", "b", "c"])
    assert told == [(256, 300), (300, 300), (2, 3), (3, 3)]


def test_export_without_torch_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("WARMSTART_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"warmstart\[lm\]"):
        cached_export()
    choice = default_encoder(["Alien"])
    assert choice.encoder.spec()["kind"] == "wordllama"
    assert "minilm-onnx is not available ('torch' is not installed" in choice.reason


def test_with_nothing_installed_tfidf_is_left(monkeypatch):
    def missing():
        raise MissingExtra("nothing here")

    monkeypatch.setattr(choose, "NAMES", dict.fromkeys(choose.NAMES, missing))
    choice = default_encoder(["space horror", "space opera"])
    assert choice.encoder.spec()["kind"] == "tfidf"
    assert default_encoder(["三体"], language="zh").reason.startswith("tfidf")


def test_default_is_int8_for_english_and_multilingual_for_chinese():
    assert default_encoder(TEXTS).encoder.spec()["kind"] == "onnx"
    assert default_encoder(["流浪地球", "三体", "Alien"]).encoder.spec()["kind"] == "use-multilingual"
    assert default_encoder(TEXTS, language="zh").encoder.spec()["kind"] == "use-multilingual"


def test_chinese_meets_english():
    z = MultilingualEncoder().encode(["科幻电影", "science fiction movie", "婴儿玩具", "baby toys"])
    assert z[0] @ z[1] > z[0] @ z[3]
    assert z[2] @ z[3] > z[2] @ z[1]


def test_names_and_folders(onnx):
    assert encoder_from_name(str(onnx.folder)).spec() == onnx.spec()
    assert encoder_from_name(str(weights_folder(MINILM))).spec() == onnx.spec()  # exported: served without torch
    with pytest.raises(ConfigError, match="HF_HUB_OFFLINE"):
        encoder_from_name("nobody/no-such-model")


def test_a_folder_that_cannot_be_exported_is_used_by_torch(monkeypatch, caplog):
    def fail(name):
        raise RuntimeError("no such operator")

    monkeypatch.setattr(choose, "cached_export", fail)
    encoder = encoder_from_name(str(weights_folder(MINILM)))
    assert encoder.fingerprint == TransformerEncoder().fingerprint
    assert "cannot be exported to ONNX (no such operator)" in caplog.text


def test_specs_of_other_weights_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="kind"):
        encoder_from_spec({"kind": "pickle"}, tmp_path)
    with pytest.raises(ArtefactError, match="not the one"):
        encoder_from_spec({"kind": "wordllama", "fingerprint": "0"}, tmp_path)
    with pytest.raises(ArtefactError, match="TF-IDF"):
        encoder_from_spec({"kind": "tfidf", "fingerprint": "0"}, tmp_path)


def test_pinned_weights_are_verified(monkeypatch):
    monkeypatch.setitem(weights.PINNED, MINILM, {"model.safetensors": "0" * 64})
    with pytest.raises(ArtefactError, match="not the published"):
        weights_folder("sentence-transformers/" + MINILM)


def test_checksums_follow_changes(tmp_path):
    file = tmp_path / "f"
    with pytest.raises(ArtefactError, match="missing"):
        sha256_of(file)
    file.write_text("a")
    before = fingerprint_of(file)
    file.write_text("bc")
    assert fingerprint_of(file) != before


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode": "mean"}, "mean"),
        ({"pooling_mode_lasttoken": True}, "last"),
    ],
)
def test_pooling_is_what_the_model_says(tmp_path, pooling, expected):
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 128}')
    assert Reading.of(tmp_path) == Reading(expected, 128)


def test_unknown_models_are_refused(tmp_path):
    with pytest.raises(ArtefactError, match=r"config\.json"):
        Reading.of(tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    assert Reading.of(tmp_path).pooling == "last"
    (tmp_path / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
    with pytest.raises(ConfigError, match="Dense"):
        Reading.of(tmp_path)
    (tmp_path / "modules.json").unlink()
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(ConfigError, match="max"):
        Reading.of(tmp_path)


@pytest.mark.parametrize("pooling", ["cls", "last"])
def test_other_poolings_agree_between_torch_and_onnx(tmp_path, pooling):
    from warmstart.text.onnx_export import export_onnx

    source = tmp_path / "source"
    shutil.copytree(weights_folder(MINILM), source)
    said = {"cls": {"pooling_mode_cls_token": True}, "last": {"pooling_mode_lasttoken": True}}[pooling]
    (source / "1_Pooling" / "config.json").write_text(json.dumps(said))
    exported = OnnxEncoder(export_onnx(source, tmp_path / "out"))
    cosine = (exported.encode(TEXTS) * TransformerEncoder(source).encode(TEXTS)).sum(axis=1)
    assert cosine.mean() > 0.9


def test_cache_home(monkeypatch, tmp_path):
    monkeypatch.setenv("WARMSTART_CACHE", str(tmp_path))
    assert cache_home() == tmp_path
    monkeypatch.delenv("WARMSTART_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        assert "warmstart" in cache_home().parts


def test_tfidf_of_texts_without_words_says_nothing(caplog):
    e = TfidfEncoder.fit(["", "!"])
    assert "what people do alone" in caplog.text
    assert not e.encode(["", "!", "word"]).any()


def test_tfidf_mixes_languages():
    e = TfidfEncoder.fit(["科幻电影", "科幻小说", "romantic comedy", "dark comedy"] * 20, dim=8)
    z = e.encode(["科幻", "科幻电影", "comedy", "unheard"])
    assert z[0] @ z[1] > 0.5 > z[0] @ z[2]
    assert not z[3].any()


def test_import_is_light():
    heavy = {"torch", "onnxruntime", "sklearn", "transformers"}
    code = f"import sys, warmstart.text.choose; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_so_many_texts_that_a_transformer_would_take_hours_go_to_a_table_of_words(monkeypatch):
    monkeypatch.setattr(choose, "LARGE", 3)
    choice = default_encoder(["Alien"] * 4)
    assert choice.encoder.spec()["kind"] == "wordllama"
    assert "name encoder = 'minilm-onnx'" in choice.reason
    assert default_encoder(["Alien"] * 3).encoder.spec()["kind"] == "onnx"


def test_hours_of_a_transformer_are_told_where_there_is_no_table_of_words(monkeypatch, caplog):
    def missing():
        raise MissingExtra("nothing here")

    monkeypatch.setattr(choose, "LARGE", 3)
    monkeypatch.setattr(choose, "NAMES", choose.NAMES | {"wordllama": missing})
    choice = default_encoder(["Alien"] * 4)
    assert choice.encoder.spec()["kind"] == "onnx"
    assert choice.reason == "minilm-onnx: the best that works here; wordllama is not available (nothing here)"
    assert "4 texts take minilm-onnx hours" in caplog.text
