import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.data.catalog import Catalog
from warmstart.data.histories import Histories
from warmstart.errors import ArtefactError, ConfigError, DataError
from warmstart.learn.category import Category
from warmstart.learn.finetune import Finetuning, Source, finetune
from warmstart.learn.heads import HeadSettings
from warmstart.learn.interest import Interest
from warmstart.learn.predictor import FineTuned
from warmstart.learn.rating import Rating
from warmstart.learn.settings import Training, Tuning

SHORT = Training(steps=3, batch=8, validate_every=0, checkpoint_every=0, precision="float32")


def learn(data, task, folder, encoder, reads="apart"):
    settings = Finetuning(Source(encoder), Tuning("frozen"), SHORT, HeadSettings("linear", reads, 16))
    finetune(data, task, folder, settings)
    return folder / "model"


@pytest.fixture(scope="session")
def folders(puzzle, encoder_folder, tmp_path_factory):
    """A model of each kind of answer."""
    where = tmp_path_factory.mktemp("models")
    tasks = {"interest": Interest(), "category": Category.of(puzzle.catalog), "rating": Rating()}
    made = {name: learn(puzzle, task, where / name, encoder_folder) for name, task in tasks.items()}
    return made | {"together": learn(puzzle, Interest(), where / "together", encoder_folder, "together")}


@pytest.mark.parametrize("name", ["interest", "category", "rating", "together"])
def test_scores_are_of_the_shape_and_kind_asked_for(puzzle, folders, name):
    tuned = FineTuned.load(folders[name], puzzle.catalog)
    people = puzzle.histories(np.array([0, 5, -1]))  # the last is nobody known
    items = np.array([3, 8, 40])
    scores = tuned.score(people, items)
    assert scores.shape == (3, 3)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    low, high = (1, 5) if name == "rating" else (0, 1)
    assert ((scores >= low) & (scores <= high)).all()
    own = np.array([[3, 8], [8, 40], [40, 3]])
    np.testing.assert_allclose(tuned.score(people, own), [scores[0, :2], scores[1, 1:], scores[2, [2, 0]]], rtol=1e-4)
    if name != "together":
        whole = tuned.score(people)
        assert whole.shape == (3, puzzle.n_items)
        np.testing.assert_allclose(whole[:, items], scores, rtol=1e-4)


def test_ids_and_codes_out_of_range_are_refused(puzzle, folders):
    tuned = FineTuned.load(folders["interest"], puzzle.catalog)
    people = puzzle.histories(puzzle.users.codes(["u0", "a stranger"]))
    assert tuned.score(people, puzzle.catalog.items.codes(["i3"])).shape == (2, 1)
    for wrong, told in ((["u1"], r"users are \['u1'\], not integer codes"), ([0, 999], "users hold 999")):
        with pytest.raises(DataError, match=f"{told}.*; make codes of ids by data.users.codes"):
            puzzle.histories(wrong)
    for wrong, told in ((["i3"], "not integer codes"), ([90], "no code from 0 to 89"), ([[3], [-1]], "hold -1")):
        with pytest.raises(DataError, match=f"{told}.*data.catalog.items.codes"):
            tuned.score(people, wrong)


def test_classes_have_probabilities(puzzle, folders):
    tuned = FineTuned.load(folders["category"], puzzle.catalog)
    people = puzzle.histories(np.arange(20))
    assert tuned.task == "category"
    assert tuned.classes == ("g0", "g1", "g2", "g3")
    chances = tuned.probabilities(people)
    assert chances.sum(1) == pytest.approx(np.ones(20), abs=1e-5)
    of_item = tuned.classes.index(puzzle.catalog.table["genre"][7])
    assert tuned.score(people, np.array([7]))[:, 0] == pytest.approx(chances[:, of_item])
    other = FineTuned.load(folders["rating"], puzzle.catalog)
    assert other.classes == ()
    with pytest.raises(ConfigError, match="task 'rating' has no classes"):
        other.probabilities(people)


def test_items_that_came_later_are_scored_and_those_without_text_are_not(puzzle, folders):
    rows = pl.DataFrame({"item_id": ["new", "blank"], "title": ["space ship", None], "genre": ["unheard", None]})
    catalog = puzzle.catalog.extended(rows)
    people = Histories.of([[0, puzzle.n_items], []], n_items=len(catalog))
    for name in ("interest", "rating"):
        scores = FineTuned.load(folders[name], catalog).score(people)
        assert np.isfinite(scores[:, :-1]).all()
        assert np.isnan(scores[:, -1]).all()
    scores = FineTuned.load(folders["category"], catalog).score(people)
    assert np.isnan(scores[:, -2:]).all()


def test_histories_are_read_as_far_as_they_are_known(puzzle, folders):
    tuned = FineTuned.load(folders["interest"], puzzle.catalog)
    known = puzzle.histories(np.arange(4))
    without = replace(known, kind=None, rating=None)
    assert np.isfinite(tuned.score(without)).all()
    strange = replace(known, kinds=("shrugged",))
    assert np.isfinite(tuned.score(strange)).all()


def test_nobody_is_asked_about(puzzle, folders):
    assert FineTuned.load(folders["interest"], puzzle.catalog).score(Histories.of([], puzzle.n_items)).shape == (0, 90)


def test_what_is_saved_again_answers_alike(puzzle, folders, tmp_path):
    tuned = FineTuned.load(folders["together"], puzzle.catalog)
    again = FineTuned.load(tuned.save(tmp_path), puzzle.catalog)
    people, items = puzzle.histories(np.arange(3)), np.arange(5)
    np.testing.assert_array_equal(again.score(people, items), tuned.score(people, items))
    kinds = {file.suffix for file in tmp_path.rglob("*") if file.is_file()}
    assert kinds <= {".json", ".safetensors", ".txt", ".jinja"}


def copied(folder, target):
    import shutil

    return shutil.copytree(folder, target)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("finetuned.json", None, "finetuned.json cannot be read"),
        ("finetuned.json", "{", "finetuned.json cannot be read"),
        ("finetuned.json", '{"format": 99}', "has format 99, not 1"),
        ("finetuned.json", '{"format": 1, "plan": {"class": "Path", "fields": {}}}', "class 'Path' is unknown"),
        ("finetuned.json", '{"format": 1, "plan": {"value": 3}}', "describes no fine-tuned model"),
        ("head.safetensors", None, "head.safetensors cannot be read"),
        ("head.safetensors", "x" * 100, "head.safetensors cannot be read"),
        ("encoder/config.json", None, "has no config.json"),
        ("encoder/model.safetensors", None, "cannot be loaded as a transformer"),
    ],
)
def test_missing_and_wrong_files_are_told(puzzle, folders, tmp_path, file, content, message):
    folder = copied(folders["interest"], tmp_path / "model")
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    with pytest.raises(ArtefactError, match=message):
        FineTuned.load(folder, puzzle.catalog)


def test_a_head_of_another_model_is_refused(puzzle, folders, tmp_path):
    folder = copied(folders["interest"], tmp_path / "model")
    (folder / "head.safetensors").write_bytes((folders["category"] / "head.safetensors").read_bytes())
    with pytest.raises(ArtefactError, match="of another model"):
        FineTuned.load(folder, puzzle.catalog)


def test_a_folder_without_encoder_is_refused(puzzle, folders, tmp_path):
    (tmp_path / "finetuned.json").write_text((folders["interest"] / "finetuned.json").read_text())
    with pytest.raises(ArtefactError, match="encoder is missing"):
        FineTuned.load(tmp_path, puzzle.catalog)


def test_a_catalogue_of_other_columns_is_told(puzzle, folders):
    other = Catalog(puzzle.catalog.table.drop("genre"))
    with pytest.raises(DataError, match="no column 'genre'"):
        FineTuned.load(folders["category"], other).score(puzzle.histories(np.array([0])))


def command(*words):
    return CliRunner().invoke(app, ["finetune", *map(str, words)])


@pytest.fixture(scope="session")
def saved(puzzle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    puzzle.save(folder)
    return folder


TINY = ("--steps", 2, "--batch", 8, "--precision", "float32", "--checkpoint-every", 0)


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("retrieval", ("--dims", "8,16")),
        ("rating", ("--tuning", "frozen", "--head", "linear")),
        ("category", ("--category", "genre", "--reads", "together", "--head", "linear")),
        ("ranking", ("--loss", "lambda", "--negatives", 2)),
    ],
)
def test_the_command_says_what_came_out(saved, encoder_folder, tmp_path, task, options):
    common = (saved, "-o", tmp_path, "--task", task, "--model", encoder_folder, *TINY, *options)
    result = command(*common, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["steps"] == 2
    assert told["at_best"]
    assert (tmp_path / "model").is_dir()
    again = command(*common)  # it is done: nothing is trained, the same is told
    assert again.exit_code == 0, again.output
    assert "at best: " in again.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--task", "rating", "--loss", "bpr"), "--loss 'bpr' has no meaning for task 'rating'"),
        (("--task", "ranking", "--loss", "hinge"), "loss='hinge' is not known; choose one of bpr, margin"),
        (("--task", "interest", "--reads", "together"), "head='attention' needs texts read apart"),
        (("--dims", "8,x"), "--dims '8,x' holds something that is no number"),
        (("--task", "category", "--category", "colour"), "no column 'colour'"),
    ],
)
def test_the_command_tells_mistakes(saved, encoder_folder, tmp_path, options, message):
    result = command(saved, "-o", tmp_path, "--model", encoder_folder, *options)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
