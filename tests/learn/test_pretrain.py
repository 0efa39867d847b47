import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.data.catalog import Catalog
from warmstart.errors import ConfigError, DataError
from warmstart.learn.backbone import Backbone
from warmstart.learn.loop import CHECKPOINT
from warmstart.learn.pretrain import HEAD_FOLDER, Pretraining, pretrain
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning
from warmstart.text.choose import encoder_from_name
from warmstart.text.transformer import TransformerEncoder

PHRASES = ["space ship alien", "cowboy west horror", "love comedy film", "war soldier past", "robot future toy"]
QUICK = Training(
    steps=40, batch=16, learning_rate=3e-3, head_rate=2.0, validate_every=10, checkpoint_every=10, precision="float32"
)
SHORT = Pretraining(head_steps=20, held_out=0.2)
MAIN = "import sys; from warmstart.cli.main import main; main()"


def make_texts(n=120, seed=0):
    rng = np.random.default_rng(seed)
    return [". ".join(rng.choice(PHRASES, 4)) for _ in range(n)]


TEXTS = make_texts()


@pytest.fixture
def folder_of(encoder_folder, decoder_folder):
    return {"encoder": encoder_folder, "decoder": decoder_folder}


CASES = [("masked", "encoder"), ("causal", "decoder"), ("denoise", "encoder"), ("denoise", "decoder")]


@pytest.mark.parametrize(("method", "kind"), CASES)
def test_held_out_perplexity_falls_and_the_model_is_an_encoder(tmp_path, folder_of, method, kind):
    made = pretrain(
        tmp_path, texts=TEXTS, model=folder_of[kind], settings=replace(SHORT, method=method), training=QUICK
    )
    assert made.after["perplexity"] < 0.75 * made.before["perplexity"]
    if method == "causal":
        assert made.untrained == {}
    else:
        assert made.before["perplexity"] < made.untrained["perplexity"]
    card = Run.read(tmp_path).card
    assert (card["status"], card["result"]["best/perplexity"]) == ("done", made.after["perplexity"])
    assert card["result"]["first/perplexity"] == made.before["perplexity"]
    vectors = TransformerEncoder(made.model).encode(["space ship", "love comedy", ""])
    np.testing.assert_allclose(vectors, Backbone(made.model).encode(["space ship", "love comedy", ""]), atol=1e-5)
    assert not np.allclose(vectors, Backbone(folder_of[kind]).encode(["space ship", "love comedy", ""]), atol=1e-2)


@pytest.mark.parametrize("mode", ["last", "lora"])
def test_a_part_of_the_weights_is_enough(tmp_path, encoder_folder, mode):
    made = pretrain(
        tmp_path, texts=TEXTS, model=encoder_folder, settings=SHORT, tuning=Tuning(mode, layers=1), training=QUICK
    )
    assert made.after["perplexity"] < made.before["perplexity"]
    old, new = Backbone(encoder_folder).model.state_dict(), Backbone(made.model).model.state_dict()
    changed = {name for name in old if "pooler" not in name and not np.allclose(old[name], new[name])}
    assert changed
    assert all("encoder.layer" in name for name in changed)


@pytest.mark.no_cover
@pytest.mark.parametrize(("method", "kind"), CASES[:2])
def test_a_model_with_its_head_goes_on_where_it_was(tmp_path, folder_of, method, kind):
    settings = replace(SHORT, method=method)
    first = pretrain(tmp_path / "a", texts=TEXTS, model=folder_of[kind], settings=settings, training=QUICK)
    second = pretrain(
        tmp_path / "b", texts=TEXTS, model=first.model, settings=settings, training=replace(QUICK, steps=1)
    )
    assert second.untrained == {}
    assert second.before["perplexity"] == pytest.approx(first.after["perplexity"], rel=1e-4)


def test_what_nothing_improved_is_stopped_and_the_best_is_kept(tmp_path, encoder_folder):
    hopeless = replace(QUICK, steps=200, learning_rate=1.0, clip=0.0, patience=2, warmup=0.0)
    made = pretrain(
        tmp_path, texts=TEXTS, model=encoder_folder, settings=replace(SHORT, head_steps=0), training=hopeless
    )
    assert made.stopped
    assert made.steps < 200
    assert made.after["perplexity"] <= made.before["perplexity"]
    assert Run.read(tmp_path).card["status"] == "stopped early"


def test_contrast_learns_from_events_and_keeps_vectors_alone(tmp_path, puzzle, encoder_folder):
    settings = Pretraining("contrast", held_out=0.3)
    made = pretrain(tmp_path, puzzle, model=encoder_folder, settings=settings, training=replace(QUICK, batch=48))
    assert made.watched == "ndcg@10"
    assert made.after["ndcg@10"] > made.before["ndcg@10"] + 0.03
    texts = ["space ship", "love comedy"]
    served = encoder_from_name(str(made.model)).encode(texts)  # as a recipe takes it
    assert ((served * Backbone(made.model).encode(texts)).sum(1) > 0.99).all()


def test_the_catalogue_and_files_are_learned_from_together(tmp_path, encoder_folder):
    catalog = Catalog(pl.DataFrame({"item_id": [f"i{n}" for n in range(60)], "title": TEXTS[:60]}))
    pl.DataFrame({"plot": TEXTS[60:]}).write_parquet(tmp_path / "more.parquet")
    made = pretrain(
        tmp_path / "run",
        catalog,
        files=[tmp_path / "more.parquet"],
        model=encoder_folder,
        settings=replace(SHORT, column="plot", template="{title}", head_steps=1),
        training=replace(QUICK, steps=2),
    )
    other = pretrain(
        tmp_path / "other",
        texts=TEXTS,
        model=encoder_folder,
        settings=replace(SHORT, head_steps=1),
        training=replace(QUICK, steps=2),
    )
    assert Run.read(tmp_path / "run").card["data"] == Run.read(tmp_path / "other").card["data"]
    assert made.after == other.after


def written(folder):
    path = folder / "texts.txt"
    path.write_text("\n".join(TEXTS))
    return path


def words(texts, model, out, steps=120, batch=8):
    numbers = {"steps": steps, "head-steps": 20, "batch": batch, "validate-every": 20, "checkpoint-every": 20}
    numbers |= {"learning-rate": 1e-3, "patience": 0, "held-out": 0.2}
    flags = [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
    return ["pretrain", "--texts", str(texts), "--model", str(model), "-o", str(out), "--json", *flags]


def here(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.no_cover
def test_a_killed_command_goes_on_as_if_nothing_had_been(tmp_path, encoder_folder):
    texts = written(tmp_path)
    asked = words(texts, encoder_folder, tmp_path / "cut")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, *asked], env=os.environ | {"OMP_NUM_THREADS": "1"}, **quiet
    ) as p:
        until = time.monotonic() + 500
        while not (tmp_path / "cut" / CHECKPOINT).is_file() and p.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        p.send_signal(signal.SIGKILL)
    assert p.returncode == -signal.SIGKILL
    steps = [row["step"] for row in Run.read(tmp_path / "cut").metrics()]
    assert 20 <= max(steps) < 120
    assert not (tmp_path / "cut" / "model").exists()
    again, whole = here(*asked), here(*words(texts, encoder_folder, tmp_path / "whole"))
    assert {k: v for k, v in again.items() if k != "model"} == pytest.approx(
        {k: v for k, v in whole.items() if k != "model"}, rel=1e-4
    )
    losses = [[r["loss"] for r in Run.read(tmp_path / f).metrics() if "loss" in r] for f in ("cut", "whole")]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
    assert len(losses[0]) == 120


def test_a_run_cut_while_the_head_learned_alone_goes_on(tmp_path, encoder_folder):
    class Cut(Exception):
        pass

    def cut(stage, step, steps, figures):
        if steps == 20 and step == 15:
            raise Cut

    again = {"texts": TEXTS, "model": encoder_folder, "settings": SHORT, "training": QUICK}
    with pytest.raises(Cut):
        pretrain(tmp_path / "cut", watch=cut, **again)
    assert (tmp_path / "cut" / HEAD_FOLDER / CHECKPOINT).is_file()
    first, whole = pretrain(tmp_path / "cut", **again), pretrain(tmp_path / "whole", **again)
    assert replace(first, model=whole.model) == whole
    assert replace(pretrain(tmp_path / "cut", **again), model=whole.model) == whole


def test_two_processes_learn_what_one_with_twice_the_batch_learns(tmp_path, encoder_folder):
    texts = written(tmp_path)
    asked = words(texts, encoder_folder, tmp_path / "two", steps=6)
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "--no_python"]
    done = subprocess.run(
        [*start, sys.executable, "-c", MAIN, *asked],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=500,
    )
    assert json.loads(done.stdout)["steps"] == 6  # only one of them speaks
    here(*words(texts, encoder_folder, tmp_path / "one", steps=6, batch=16))
    for folder in (".", HEAD_FOLDER):
        losses = [
            [r.get("loss", r.get("valid/perplexity")) for r in Run.read(tmp_path / f / folder).metrics()]
            for f in ("two", "one")
        ]
        np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


def bad(out, model, **more):
    return pretrain(out, **({"texts": TEXTS, "model": model, "training": QUICK} | more))


def test_bad_input_is_told_before_anything_is_written(tmp_path, encoder_folder, decoder_folder, puzzle):
    out = tmp_path / "run"
    for model, more, error, message in (
        (
            encoder_folder,
            {"settings": Pretraining("causal")},
            ConfigError,
            "is an encoder: it reads the whole text at once",
        ),
        (
            decoder_folder,
            {},
            ConfigError,
            "is a decoder and has no mask to fill, as method='masked' does; take --method causal",
        ),
        (encoder_folder, {"tuning": Tuning("frozen")}, ConfigError, "would learn nothing that is kept"),
        (encoder_folder, {"texts": ["one"] * 20}, DataError, "1 different texts"),
        (encoder_folder, {"settings": Pretraining("contrast")}, ConfigError, "learns from events"),
        (encoder_folder, {"settings": Pretraining("contrast"), "data": puzzle}, ConfigError, "learns from events"),
        (tmp_path, {}, Exception, "has no config.json"),
    ):
        with pytest.raises(error, match=message):
            bad(out, model, **more)
    with pytest.raises(ConfigError, match="method='guess' is not known; choose one of masked, causal"):
        Pretraining("guess")
    assert not out.exists()


def test_contrast_builds_before_it_begins(tmp_path, encoder_folder, puzzle):
    asked = {"settings": Pretraining("contrast", held_out=0.3), "training": replace(QUICK, steps=1), "texts": ()}
    few = puzzle.with_interactions(puzzle.interactions.select(puzzle.interactions.item < 3))
    with pytest.raises(DataError, match="retrieval needs"):
        bad(tmp_path / "run", encoder_folder, data=few, **asked)
    assert not (tmp_path / "run").exists()
    assert bad(tmp_path / "run", encoder_folder, data=puzzle, **asked).steps == 1


def test_a_folder_of_another_run_is_not_overwritten(tmp_path, encoder_folder):
    quick = replace(QUICK, steps=1)
    bad(tmp_path, encoder_folder, settings=replace(SHORT, head_steps=1), training=quick)
    with pytest.raises(ConfigError, match=r"holds a run with other settings \(training: steps: 1, now 2\)"):
        bad(tmp_path, encoder_folder, settings=replace(SHORT, head_steps=1), training=replace(quick, steps=2))
    with pytest.raises(ConfigError, match="other data"):
        bad(tmp_path, encoder_folder, settings=replace(SHORT, head_steps=1), training=quick, texts=TEXTS[1:])
