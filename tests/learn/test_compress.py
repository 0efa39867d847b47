import json
import resource
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.errors import ArtefactError, ConfigError
from warmstart.learn.compress import Compression, compress
from warmstart.learn.measure import Yardstick, timed
from warmstart.learn.plan import plans
from warmstart.learn.quantise import FloatVectors
from warmstart.learn.settings import Training
from warmstart.learn.vector_file import load_vectors
from warmstart.text.choose import encoder_from_name
from warmstart.text.templates import item_texts
from warmstart.text.transformer import TransformerEncoder

FORMS = "int8,dims:16,pca:16,int8-vectors,binary-rescored,layers:1+int8+dims:8+binary,prune:0.5,static,static+pca:8"
SETTINGS = Compression(0.3, training=Training(steps=3, batch=16, checkpoint_every=0))


@pytest.fixture(scope="module")
def made(puzzle, encoder_folder, tmp_path_factory):
    """All forms of the tiny encoder, once."""
    out, told = tmp_path_factory.mktemp("forms"), []
    rows = list(compress(encoder_folder, puzzle, plans(FORMS), out, SETTINGS, lambda *words: told.append(words)))
    return out, {row.method: row for row in rows}, told


def test_the_original_comes_first_and_is_the_measure(made):
    _, rows, told = made
    first = next(iter(rows.values()))
    assert first.method == "original"
    assert (first.judged.kept, first.judged.centred_kept, first.judged.neighbours) == (1, 1, 1)
    assert first.judged.cosine == pytest.approx(1, abs=1e-5)
    assert [*rows][1:] == FORMS.split(",")
    assert {stage.split(":")[0] for stage, _, _ in told} >= {"original", "int8"}


def test_what_each_form_costs_and_keeps(made):
    _, rows, _ = made
    original, int8, table = rows["original"], rows["int8"], rows["static"]
    assert int8.judged.cosine > 0.99
    assert int8.judged.kept == pytest.approx(1, abs=0.02)
    assert table.texts_a_second > 2 * original.texts_a_second
    assert table.encoder_mb < original.encoder_mb
    assert np.isnan(rows["dims:16"].judged.cosine)
    assert rows["dims:16"].vectors_mb * 2 == pytest.approx(original.vectors_mb)
    assert rows["int8-vectors"].vectors_mb * 4 == pytest.approx(original.vectors_mb)
    assert rows["binary-rescored"].vectors_mb * 32 == pytest.approx(9 * original.vectors_mb)
    assert rows["int8-vectors"].encoder_mb == original.encoder_mb
    assert np.isnan(rows["int8-vectors"].texts_a_second)
    assert rows["prune:0.5"].zipped_mb < 0.9 * rows["dims:16"].zipped_mb
    assert rows["prune:0.5"].note == "sparsity of linear layers 0.500"
    for row in rows.values():
        assert 0 < row.judged.neighbours <= 1
        assert 0 < row.judged.ndcg < 1


def test_stored_vectors_are_those_of_the_catalogue(made, puzzle, encoder_folder):
    out, _, _ = made
    vectors = TransformerEncoder(encoder_folder).encode(item_texts(puzzle.catalog))
    stored, ids, fingerprint = load_vectors(out / "int8-vectors" / "vectors.npz")
    assert ids == puzzle.catalog.items.names(np.arange(len(vectors)))
    assert fingerprint == TransformerEncoder(encoder_folder).fingerprint
    assert np.abs(stored.decoded() - vectors).max() < 0.01


def test_a_student_may_be_trained_further(made):
    out, _, _ = made
    assert TransformerEncoder(out / "layers-1+int8+dims-8+binary" / "model").depth == 1


def test_every_form_is_read_without_torch(made):
    out, rows, _ = made
    lengths = {"int8": 32, "dims-16": 16, "pca-16": 16, "prune-0.5": 32, "static": 32, "static+pca-8": 8}
    dims = {str(out / name): dim for name, dim in (lengths | {"layers-1+int8+dims-8+binary": 8}).items()}
    written = {row.folder for row in rows.values() if row.method != "original"}
    assert written - set(dims) == {str(out / "int8-vectors"), str(out / "binary-rescored")}  # vectors alone
    code = """if True:
        import json, sys
        sys.modules.update(dict.fromkeys(("torch", "transformers", "onnx", "safetensors")))
        from warmstart.text.choose import encoder_from_name, encoder_from_spec
        from pathlib import Path
        for folder, dim in json.loads(sys.argv[1]).items():
            encoder = encoder_from_name(folder)
            assert encoder.encode(["space toy", ""]).shape == (2, dim), folder
            assert encoder_from_spec(encoder.spec(), Path(folder)).dim == dim
    """
    subprocess.run([sys.executable, "-c", code, json.dumps(dims)], check=True)


@pytest.mark.parametrize("form", ["static+pca-8", "layers-1+int8+dims-8+binary"])
def test_an_engine_with_a_form_needs_no_torch(made, puzzle, tmp_path, form, monkeypatch):
    from warmstart.engine import Engine
    from warmstart.recipe import Recipe

    monkeypatch.setenv("WARMSTART_CACHE", str(tmp_path / "cache"))
    out, _, _ = made
    experts = {"content_map": {"class": "ContentMap"}, "popularity": {"class": "Popularity"}}
    fusion = {"queries": 60, "heads": {"ranker": False}}
    recipe = Recipe.of({"encoder": str(out / form), "experts": experts, "fusion": fusion})
    engine = Engine(recipe).fit(puzzle)
    engine.save(tmp_path / "engine")
    expected = engine.recommend(texts=["space horror"], k=3)["item_id"].to_list()
    code = """if True:
        import sys
        sys.modules.update(dict.fromkeys(("torch", "transformers", "onnx")))
        import warmstart as ws
        print(",".join(ws.load(sys.argv[1]).recommend(texts=["space horror"], k=3)["item_id"]))
    """
    command = [sys.executable, "-c", code, str(tmp_path / "engine")]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.strip().split(",") == expected


def test_a_perfect_and_a_blind_form(puzzle, encoder_folder):
    from warmstart.learn.held_items import HeldItems

    texts = item_texts(puzzle.catalog)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(texts), 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    yard = Yardstick(HeldItems.of(texts, puzzle.interactions, 0.3, 0), vectors)
    turned = vectors @ np.linalg.qr(rng.normal(size=(16, 16)))[0].astype(np.float32)
    same = yard.judge(FloatVectors(turned), turned)  # a rotation changes no order
    assert (same.neighbours, same.kept) == (1, 1)
    assert same.cosine < 0.9
    blind = rng.normal(size=vectors.shape).astype(np.float32)
    assert yard.judge(FloatVectors(blind), blind).neighbours < 0.4


def test_speed_is_texts_over_processor_time():
    def busy(texts):
        return np.array([sum(range(200_000)) for _ in texts])

    _, few = timed(busy, ["a"] * 4)
    _, many = timed(busy, ["a"] * 16)
    assert few == pytest.approx(many, rel=0.6)


@pytest.mark.parametrize(
    ("form", "complaint"),
    [("dims:32", "dims=32 is not below 32"), ("layers:2", "the model has 2; give 1 to 1"), ("prune:2", "prune=2.0")],
)
def test_a_form_the_model_does_not_allow_costs_no_work(puzzle, encoder_folder, tmp_path, form, complaint):
    with pytest.raises(ConfigError, match=complaint):
        compress(encoder_folder, puzzle, plans(form), tmp_path / "out", SETTINGS)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_not_overwritten(puzzle, encoder_folder, tmp_path):
    (tmp_path / "int8").mkdir()
    (tmp_path / "int8" / "diary.txt").write_text("dear diary")
    with pytest.raises(ConfigError, match="holds no encoder; remove it"):
        compress(encoder_folder, puzzle, plans("int8"), tmp_path, SETTINGS)
    assert (tmp_path / "int8" / "diary.txt").is_file()


def test_a_full_disk_leaves_what_was_finished(puzzle, encoder_folder, tmp_path):
    rows = compress(encoder_folder, puzzle, plans("static,int8"), tmp_path / "out", SETTINGS)
    assert [next(rows).method, next(rows).method] == ["original", "static"]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))  # files of more than 20 kB cannot be written
    try:
        with pytest.raises(ArtefactError, match=r"int8 could not be written .*; what was finished before stays"):
            next(rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["static"]
    assert encoder_from_name(str(tmp_path / "out" / "static")).dim == 32


def run(*words):
    return CliRunner().invoke(app, [str(w) for w in words])


def test_the_command_prints_a_table_or_json(puzzle, encoder_folder, tmp_path):
    puzzle.save(tmp_path / "data")
    words = ("compress", encoder_folder, tmp_path / "data", "--methods", "binary,static", "-o", tmp_path / "out")
    said = run(*words, "--held-out", 0.3)
    assert said.exit_code == 0, said.output
    assert [line.split()[0] for line in said.stdout.splitlines()[:4]] == ["method", "original", "binary", "static"]
    assert "texts_a_second: the original in torch, forms as they serve" in said.stdout
    rows = json.loads(run(*words, "--json").stdout)
    assert rows[1]["texts_a_second"] is None
    assert rows[2]["folder"] == str(tmp_path / "out" / "static")
    assert {"encoder_mb", "texts_a_second", "cosine", "neighbours", "ndcg", "kept"} <= set(rows[2])


def test_the_table_keeps_what_was_made_before(puzzle, encoder_folder, tmp_path):
    puzzle.save(tmp_path / "data")
    out = tmp_path / "out"

    def made(methods, *words, code=0):
        said = run(
            *("compress", encoder_folder, tmp_path / "data", "--held-out", 0.3, "-o", out, "--methods", methods), *words
        )
        assert said.exit_code == code, said.output
        return [json.loads(line)["method"] for line in (out / "table.jsonl").read_text().splitlines()]

    assert made("binary,layers:1+static", "--steps", 2) == ["original", "binary", "layers:1+static"]
    before = (out / "table.jsonl").read_text()
    made("layers:1+static", "--steps", 3, code=2)  # the student of that folder was asked for other steps
    assert (out / "table.jsonl").read_text() == before
    assert made("binary,static") == ["original", "binary", "layers:1+static", "static"]
    assert made("binary", "--seed", 1) == ["original", "binary"]  # judged on other items: nothing to compare with


@pytest.mark.parametrize(
    ("model", "methods", "complaint"),
    [
        ("{data}", "int8", "it is not a transformer's folder"),
        ("no such model", "int8", "is no folder and no model name"),
        ("{encoder}", "int4", "method 'int4' is not known; known are onnx, int8"),
        ("{encoder}", "dims:99", "dims=99 is not below 32"),
    ],
)
def test_mistakes_are_one_line(puzzle, encoder_folder, tmp_path, model, methods, complaint):
    puzzle.save(tmp_path / "data")
    model = model.format(data=tmp_path / "data", encoder=encoder_folder)
    said = run("compress", model, tmp_path / "data", "--methods", methods, "-o", tmp_path / "out")
    assert said.exit_code == 2
    assert complaint in " ".join(said.output.split())
