"""A fine-tuned encoder inside an engine, and what it may not have seen."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from warmstart.data import split
from warmstart.data.interactions import Interactions
from warmstart.engine import Engine, load
from warmstart.errors import ConfigError
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.popularity import Popularity
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.learn.encoder import STAGE, Finetune
from warmstart.learn.retrieval import Retrieval
from warmstart.learn.settings import Training
from warmstart.recipe import Recipe
from warmstart.text.onnx_export import cached_export

EXPERTS = {"popularity": Popularity(), "content_map": ContentMap(), "people": PriorMeanEASE()}
HISTORIES = [["i1"], ["i4", "i9", "i30"], []]


@pytest.fixture(scope="module")
def recipe(encoder_folder):
    finetune = Finetune(
        model=str(encoder_folder),
        characters=0,
        epochs=0,
        training=Training(steps=6, batch=48, learning_rate=5e-3, validate_every=3, checkpoint_every=3),
        retrieval=Retrieval(held_out=0.2),
    )
    return Recipe(experts=EXPERTS, fusion=Fusion(queries=60, heads=HeadLearner(ranker=None)), finetune=finetune)


@pytest.fixture(scope="module")
def fitted(puzzle, recipe):
    stages = []
    engine = Engine(recipe).fit(puzzle, progress=lambda stage, done, total: stages.append((stage, done, total)))
    return engine, stages


def test_one_fit_learns_exports_and_uses_the_encoder(fitted, puzzle, encoder_folder):
    engine, stages = fitted
    assert [at for at in stages if at[0] == STAGE] == [(STAGE, n, 6) for n in range(1, 7)]
    assert engine.encoder.spec()["kind"] == "onnx"
    frozen = Engine(replace(engine.recipe, finetune=None, encoder=str(encoder_folder))).fit(puzzle)
    assert frozen.encoder.fingerprint != engine.encoder.fingerprint
    assert frozen.finetuned is None
    again = []
    other = Engine(engine.recipe).fit(puzzle, progress=lambda stage, done, total: again.append(stage))
    assert STAGE not in again
    assert other.recommend(histories=HISTORIES).equals(engine.recommend(histories=HISTORIES))


def test_a_saved_engine_needs_no_torch(fitted, tmp_path):
    engine, _ = fitted
    engine.save(tmp_path / "engine")
    asked = "*e.recommend(histories=[['i1']], k=5)['item_id'], e.recommend(texts=['space'], k=3).height"
    code = "import sys\nfor m in ('torch', 'transformers', 'peft', 'accelerate'): sys.modules[m] = None\n"
    code += f"import warmstart\ne = warmstart.load({str(tmp_path / 'engine')!r})\nprint({asked})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*engine.recommend(histories=[["i1"]], k=5)["item_id"], "3"]
    assert load(tmp_path / "engine").recipe == engine.recipe


def test_a_fine_tuned_folder_may_be_named(fitted, puzzle, recipe):
    engine, _ = fitted
    folders = {"encoder": str(engine.finetuned / "model"), "judge": str(cached_export(recipe.finetune.model))}
    named = Engine(replace(recipe, finetune=None, **folders)).fit(puzzle)
    assert named.encoder.spec()["kind"] == "onnx"
    assert named.encoder.folder == cached_export(str(engine.finetuned / "model"))
    np.testing.assert_array_equal(named.features, engine.features)


def learned(data, recipe, cache, monkeypatch):
    """Vectors and scores of an engine that finds nothing in its cache."""
    monkeypatch.setenv("WARMSTART_CACHE", str(cache))
    engine = Engine(recipe).fit(data)
    return engine.encoder.fingerprint, engine.features, engine.recommend(histories=HISTORIES, k=20)


def same(one, other):
    return one[0] == other[0] and np.array_equal(one[1], other[1]) and one[2].equals(other[2])


def planted(data, rows, seed=0):
    """The same world, but the given events were of other items."""
    x, rng = data.interactions, np.random.default_rng(seed)
    item = x.item.copy()
    item[rows] = rng.permutation(item[rows])
    assert (item != x.item).any()
    made = Interactions.of(x.user, item, x.n_users, x.n_items, time=x.time, rating=x.rating, weight=x.weight)
    return data.with_interactions(made)


def future(data):
    x = data.interactions
    return np.flatnonzero(x.time >= np.sort(x.time)[int(0.8 * len(x))])


def of_cold_items(data):
    left = split.cold_items(data, 0.2, seed=3).train.interactions.item_counts()
    return np.flatnonzero(left[data.interactions.item] == 0)


def of_cold_users(data):
    left = split.cold_users(data, 0.2, seed=3).train.interactions.user_counts()
    return np.flatnonzero(left[data.interactions.user] == 0)


TASKS = {
    "temporal": (lambda d: split.temporal(d, 0.2), future),
    "cold items": (lambda d: split.cold_items(d, 0.2, seed=3), of_cold_items),
    "cold users": (lambda d: split.cold_users(d, 0.2, seed=3), of_cold_users),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("task", TASKS)
def test_what_is_held_out_changes_nothing(puzzle, recipe, tmp_path, monkeypatch, task):
    """The events asked for are other ones: encoder, vectors and scores stay equal to the last bit."""
    cut, asked = TASKS[task]
    rows = asked(puzzle)
    assert len(rows) > 50
    other = planted(puzzle, rows)
    assert other.fingerprint() != puzzle.fingerprint()
    one, two = (
        learned(cut(data).train, recipe, tmp_path / name, monkeypatch) for name, data in (("a", puzzle), ("b", other))
    )
    assert same(one, two)


@pytest.mark.no_cover
def test_a_planted_event_of_the_past_does_change_the_encoder(puzzle, recipe, tmp_path, monkeypatch):
    """So that the test above can fail."""
    past = np.setdiff1d(np.arange(len(puzzle.interactions)), future(puzzle))
    one, two = (
        learned(split.temporal(data, 0.2).train, recipe, tmp_path / name, monkeypatch)
        for name, data in (("a", puzzle), ("b", planted(puzzle, past[:40])))
    )
    assert one[0] != two[0]
    assert not np.array_equal(one[1], two[1])


def test_a_recipe_says_it_in_toml(tmp_path, recipe):
    path = tmp_path / "r.toml"
    path.write_text(
        "[finetune]\nint8 = false\nepochs = 0\n[finetune.training]\nsteps = 7\n[finetune.retrieval]\ndims = [64, 128]\n"
    )
    read = Recipe.load(path)
    assert (read.finetune.int8, read.finetune.training.steps, read.finetune.retrieval.dims) == (False, 7, (64, 128))
    assert read.finetune.training.batch == Finetune().training.batch
    for one in (read, recipe, Recipe()):
        assert Recipe.of(one.to_dict()) == one
    assert Recipe.of({"finetune": False}).finetune is None


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"finetune": {"task": "guessing"}}, "task='guessing' is not known"),
        ({"finetune": {"steps": 3}}, "finetune has no setting 'steps'"),
        ({"finetune": {"training": {"steps": 0}}}, "steps=0 is below 1"),
        ({"finetune": {}, "encoder": "minilm"}, "stands beside"),
        ({"finetune": True}, "takes Finetune"),
    ],
)
def test_mistakes_in_a_recipe_name_the_place(table, words):
    with pytest.raises(ConfigError, match=words):
        Recipe.of(table)
