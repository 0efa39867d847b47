from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.errors import ConfigError, DataError, TrainingError
from warmstart.learn.encoder import MODEL, ONNX, RUN, Finetune, finetune_encoder
from warmstart.learn.retrieval import Retrieval
from warmstart.learn.run import Run
from warmstart.learn.settings import Training
from warmstart.text.onnx import OnnxEncoder
from warmstart.text.transformer import TransformerEncoder

QUICK = Training(steps=30, batch=48, learning_rate=5e-3, validate_every=10, checkpoint_every=5)


@pytest.fixture
def settings(encoder_folder):
    return Finetune(
        model=str(encoder_folder),
        max_tokens=32,
        characters=0,
        epochs=0,
        training=QUICK,
        retrieval=Retrieval(held_out=0.3),
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("finetuned")


def steps_of(told):
    return [done for _, done, _ in told]


def test_learns_is_exported_and_kept(puzzle, settings, home):
    told = []
    folder = finetune_encoder(puzzle, settings, home=home, progress=lambda *at: told.append(at))
    assert steps_of(told) == list(range(1, 31))
    card = Run.read(folder / RUN).card
    assert card["status"] == "done"
    assert card["data"] == puzzle.fingerprint()
    assert card["result"]["best/ndcg@10"] > card["result"]["first/ndcg@10"] + 0.05
    assert not list((folder / RUN).glob("*.safetensors"))  # weights lie in the model, once
    titles = puzzle.catalog.table["title"].to_list()
    whole, small = TransformerEncoder(folder / MODEL).encode(titles), OnnxEncoder(folder / ONNX).encode(titles)
    assert (whole * small).sum(1).mean() > 0.97
    told.clear()
    assert finetune_encoder(puzzle, settings, home=home, progress=lambda *at: told.append(at)) == folder
    assert told == []


def test_a_lost_export_is_made_again_without_learning_again(puzzle, settings, home):
    folder = finetune_encoder(puzzle, settings, home=home)
    before = OnnxEncoder(folder / ONNX).fingerprint
    (folder / ONNX / "encoder.json").unlink()
    told = []
    finetune_encoder(puzzle, settings, home=home, progress=lambda *at: told.append(at))
    assert told == []
    assert OnnxEncoder(folder / ONNX).fingerprint == before


def test_other_events_texts_or_settings_are_another_encoder(puzzle, settings, home):
    x, short = puzzle.interactions, replace(settings, training=replace(QUICK, steps=1), int8=False)
    table = puzzle.catalog.table.with_columns(pl.col("title") + " film")
    worlds = [puzzle, puzzle.with_interactions(x.select(np.arange(1, len(x)))), replace(puzzle, catalog=Catalog(table))]
    folders = {finetune_encoder(world, short, home=home) for world in worlds}
    folders.add(finetune_encoder(puzzle, replace(short, max_tokens=16), home=home))
    folders.add(finetune_encoder(puzzle, short, home=home, template="{genre}: {title}"))
    assert len(folders) == 5
    assert all((f / ONNX / "encoder.json").is_file() for f in folders)


class Killed(Exception):
    pass


def test_a_killed_call_goes_on_from_its_checkpoint(puzzle, settings, home, tmp_path):
    def kill(stage, done, total):
        if done == 13:
            raise Killed

    with pytest.raises(Killed):
        finetune_encoder(puzzle, settings, home=tmp_path, progress=kill)
    told = []
    again = finetune_encoder(puzzle, settings, home=tmp_path, progress=lambda *at: told.append(at))
    assert steps_of(told) == list(range(11, 31))
    whole = finetune_encoder(puzzle, settings, home=home)
    one, other = (TransformerEncoder(f / MODEL).encode(["space ship", "old toy"]) for f in (again, whole))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_failed_run_says_so_and_leaves_no_encoder(puzzle, settings, tmp_path, monkeypatch):
    from warmstart.learn import loop

    monkeypatch.setattr(loop.math, "isfinite", lambda loss: False)
    with pytest.raises(TrainingError, match="lower learning_rate"):
        finetune_encoder(puzzle, settings, home=tmp_path)
    (folder,) = tmp_path.iterdir()
    assert Run.read(folder / RUN).card["status"] == "failed"
    assert [p.name for p in folder.iterdir()] == [RUN]


def test_float32_on_request(puzzle, settings, home):
    folder = finetune_encoder(puzzle, replace(settings, int8=False, training=replace(QUICK, steps=1)), home=home)
    assert '"int8": false' in (folder / ONNX / "encoder.json").read_text()


def test_mistakes_are_told(puzzle, settings, tmp_path):
    with pytest.raises(ConfigError, match="task='ranking' is not known"):
        Finetune(task="ranking")
    with pytest.raises(ConfigError, match="max_tokens=-1 is below 0"):
        Finetune(max_tokens=-1)
    with pytest.raises(ConfigError, match="epochs=-1"):
        Finetune(epochs=-1)
    with pytest.raises(ConfigError, match=r"training\.steps=60 beside epochs, which decides it; set epochs = 0"):
        Finetune(training=Training(steps=60))
    with pytest.raises(ConfigError, match=r"training\.batch=64 beside characters"):
        Finetune(epochs=0, training=Training(batch=64))
    mute = replace(puzzle, catalog=Catalog(puzzle.catalog.table.with_columns(title=pl.lit(""), genre=pl.lit(""))))
    with pytest.raises(DataError, match="0 items have both a text and an event"):
        finetune_encoder(mute, settings, home=tmp_path)
