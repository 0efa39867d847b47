import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary
from warmstart.errors import ConfigError, DataError
from warmstart.learn.category import Category
from warmstart.learn.finetune import Finetuning, Source, finetune, prepare
from warmstart.learn.finetune_retrieval import RetrievalTask, finetune_retrieval
from warmstart.learn.heads import HeadSettings
from warmstart.learn.interest import Interest
from warmstart.learn.pairs import Examples, Pairing
from warmstart.learn.predictor import FineTuned
from warmstart.learn.ranking import Ranking
from warmstart.learn.rating import Rating
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning
from warmstart.learn.task import check_labels

QUICK = Training(
    steps=40, batch=32, learning_rate=2e-3, head_rate=5, validate_every=10, checkpoint_every=10, precision="float32"
)


def settings(folder, head="attention", training=QUICK, mode="full", reads="apart"):
    pairing = Pairing(history=12, judged=200)
    return Finetuning(Source(folder), Tuning(mode), training, HeadSettings(head, reads, 32), pairing)


@pytest.fixture(scope="session")
def told(puzzle):
    """The puzzle with a genre that says for which taste an item is."""
    telling = [
        "space",
        "ship",
        "alien",
        "horror",
        "cowboy",
        "west",
        "love",
        "comedy",
        "war",
        "soldier",
        "robot",
        "future",
    ]
    titles = puzzle.catalog.table["title"]
    taste = [("red", "blue", "green")[next(i for i, w in enumerate(telling) if w in t.split()) % 3] for t in titles]
    return replace(puzzle, catalog=Catalog(puzzle.catalog.table.with_columns(genre=pl.Series(taste))))


@pytest.fixture(scope="session")
def rates(encoder_folder, told, tmp_path_factory):
    """A run of the task "rating", and its data."""
    folder = tmp_path_factory.mktemp("rates")
    return finetune(told, Rating(), folder, settings(encoder_folder, "transformer")), told


TASKS = [
    (Interest(negatives=1), "linear", "accuracy", 0.15),
    (Interest(negatives=1), "feed_forward", "auc", 0.2),
    (Interest(threshold=3.5), "attention", "auc", 0.1),
    (Ranking("bpr"), "attention", "ndcg", 0.1),
    (Ranking("margin"), "feed_forward", "ndcg", 0.1),
    (Ranking("softmax"), "transformer", "ndcg", 0.1),
    (Ranking("lambda"), "linear", "ndcg", 0.1),
]


@pytest.mark.parametrize(("task", "head", "figure", "gain"), TASKS)
def test_tasks_learn_what_nobody_knows_who_does_not_read(told, encoder_folder, tmp_path, task, head, figure, gain):
    learned = finetune(told, task, tmp_path, settings(encoder_folder, head))
    assert learned.outcome.best[figure] > learned.trivial[figure] + gain


def test_ratings_are_learned(rates):
    learned, _ = rates
    assert learned.outcome.best["rmse"] < learned.trivial["rmse"] - 0.1
    assert learned.outcome.best["mae"] < learned.trivial["mae"] - 0.05


def test_the_next_category_is_learned(told, encoder_folder, tmp_path):
    learned = finetune(told, Category.of(told.catalog, "genre"), tmp_path, settings(encoder_folder))
    assert learned.outcome.best["accuracy"] > learned.trivial["accuracy"] + 0.15
    assert learned.outcome.best["macro_f1"] > learned.trivial["macro_f1"] + 0.15


@pytest.mark.no_cover
def test_what_is_written_nowhere_is_learned_too(puzzle, encoder_folder, tmp_path):
    longer = replace(QUICK, steps=60, decay="constant")
    learned = finetune(puzzle, Interest(negatives=1), tmp_path, settings(encoder_folder, "linear", longer))
    assert learned.outcome.best["auc"] > max(learned.trivial["auc"], learned.outcome.first["auc"]) + 0.1


def test_rated_lists_are_ranked(told, encoder_folder, tmp_path):
    learned = finetune(told, Ranking("lambda", by_rating=True, size=6), tmp_path, settings(encoder_folder))
    assert learned.outcome.best["ndcg"] > learned.trivial["ndcg"]


def quality():
    """Everybody rates alike: an item's word says how."""
    rng = np.random.default_rng(0)
    words = {"space": 5.0, "ship": 1.0, "alien": 3.0, "horror": 4.0}
    titles = [f"{rng.choice(list(words))} {i}" for i in range(40)]
    user, item = np.repeat(np.arange(40), 8), rng.integers(0, 40, 320)
    rating = np.array([words[titles[i].split()[0]] for i in item])
    x = Interactions.of(user, item, 40, 40, rating=rating, time=rng.permutation(320))
    table = pl.DataFrame({"item_id": [f"i{i}" for i in range(40)], "title": titles})
    return Dataset(x, Catalog(table), Vocabulary([f"u{u}" for u in range(40)]))


def test_a_cross_encoder_learns(encoder_folder, tmp_path):
    asked = settings(encoder_folder, "feed_forward", reads="together")
    learned = finetune(quality(), Rating(), tmp_path / "run", replace(asked, pairing=Pairing(history=1)))
    assert learned.outcome.best["rmse"] < 0.9 * learned.trivial["rmse"]
    tuned = FineTuned.load(tmp_path / "run" / "model", quality().catalog)
    assert tuned.score(quality().histories(np.array([0, -1]))).shape == (2, 40)


@pytest.mark.no_cover
def test_a_decoder_learns_too(told, decoder_folder, tmp_path):
    learned = finetune(told, Category.of(told.catalog, "genre"), tmp_path, settings(decoder_folder))
    assert learned.outcome.best["accuracy"] > learned.trivial["accuracy"] + 0.15


@pytest.mark.parametrize("reads", ["apart", "together"])
def test_a_frozen_model_reads_each_text_once(told, encoder_folder, tmp_path, monkeypatch, reads):
    from warmstart.learn.backbone import Backbone

    read, vectors = [], Backbone.vectors

    def noting(self, texts, pairs=None):
        read.extend(zip(texts, pairs or texts, strict=True))
        return vectors(self, texts, pairs)

    monkeypatch.setattr(Backbone, "vectors", noting)
    first = finetune(told, Rating(), tmp_path, settings(encoder_folder, "linear", mode="frozen", reads=reads))
    assert len(read) == len(set(read))
    assert first.outcome.best["rmse"] < first.outcome.first["rmse"]


@pytest.mark.no_cover
def test_the_same_seed_gives_the_same_model(told, encoder_folder, tmp_path):
    short = replace(QUICK, steps=8)
    asked = told.histories(np.arange(3))

    def scores(name, training):
        finetune(told, Interest(), tmp_path / name, settings(encoder_folder, training=training, mode="lora"))
        return FineTuned.load(tmp_path / name / "model", told.catalog).score(asked)

    first = scores("a", short)
    np.testing.assert_array_equal(scores("b", short), first)
    assert np.abs(scores("c", replace(short, seed=1)) - first).max() > 1e-4


@pytest.mark.no_cover
def test_a_killed_run_goes_on_as_if_nothing_had_been(rates, encoder_folder, tmp_path):
    whole, data = rates

    class Killed(Exception):
        pass

    def kill(stage, step, steps, figures):
        if step == 13:
            raise Killed

    asked = settings(encoder_folder, "transformer")
    with pytest.raises(Killed):
        finetune(data, Rating(), tmp_path, asked, watch=kill)
    assert finetune(data, Rating(), tmp_path, asked).outcome == whole.outcome
    with pytest.raises(ConfigError, match="holds a run with other"):
        finetune(data, Rating(), tmp_path, replace(asked, tuning=Tuning("last")))


ONE = Training(steps=1, batch=8, validate_every=0, checkpoint_every=0)


def learn_either(data, kind, out, model, training=ONE):
    asked = settings(model, training=training)
    if kind == "retrieval":
        return finetune_retrieval(data, RetrievalTask(), out, asked)
    return finetune(data, Rating(), out, asked)


@pytest.mark.parametrize("kind", ["rating", "retrieval"])
def test_other_weights_of_the_same_name_are_another_run(puzzle, encoder_folder, tmp_path, kind):
    from safetensors.numpy import load_file, save_file

    model = shutil.copytree(encoder_folder, tmp_path / "model")
    learn_either(puzzle, kind, tmp_path / "run", model)
    (weights,) = model.glob("*.safetensors")
    save_file({k: v * 2 for k, v in load_file(weights).items()}, weights, {"format": "pt"})
    with pytest.raises(ConfigError, match=r"holds a run with other settings \(weights: "):
        learn_either(puzzle, kind, tmp_path / "run", model)


@pytest.mark.parametrize("kind", ["rating", "retrieval"])
def test_after_a_mistake_the_same_folder_takes_the_right_command(puzzle, encoder_folder, tmp_path, kind):
    with pytest.raises(ConfigError, match="is no folder and no model name"):
        learn_either(puzzle, kind, tmp_path / "run", "no such model")
    few = puzzle.with_interactions(puzzle.interactions.select(puzzle.interactions.item < 3))
    if kind == "retrieval":
        with pytest.raises(DataError, match="retrieval needs"):
            learn_either(few, kind, tmp_path / "run", encoder_folder)
    assert not (tmp_path / "run").exists()
    assert learn_either(puzzle, kind, tmp_path / "run", encoder_folder).outcome.steps == 1


def test_every_kind_of_run_says_what_came_out_by_the_same_names(rates, puzzle, encoder_folder, tmp_path):
    learn_either(puzzle, "retrieval", tmp_path, encoder_folder)
    learned, _ = rates
    for folder, figure, more in (
        (learned.folder, "rmse", {"trivial/rmse", "trivial/mae"}),
        (tmp_path, "ndcg@10", set()),
    ):
        result = Run.read(folder).card["result"]
        assert {"steps", "best_step", f"first/{figure}", f"best/{figure}"} | more <= result.keys()
    assert result.keys() == {"steps", "best_step", "first/ndcg@10", "best/ndcg@10"}


@pytest.mark.parametrize("loss", ["elsa", "pairs"])
def test_retrieval_makes_an_encoder(puzzle, encoder_folder, tmp_path, loss):
    from warmstart.text.transformer import TransformerEncoder

    training = replace(QUICK, steps=15, learning_rate=5e-3, validate_every=5)
    learned = finetune_retrieval(
        puzzle, RetrievalTask(loss, held_out=0.3), tmp_path, settings(encoder_folder, training=training)
    )
    assert learned.outcome.best["ndcg@10"] > learned.outcome.first["ndcg@10"]
    vectors = TransformerEncoder(tmp_path / "model").encode(["space ship", "love"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_retrieval_cannot_be_learned_frozen(puzzle, encoder_folder, tmp_path):
    with pytest.raises(ConfigError, match="tuning='frozen' leaves nothing to learn"):
        finetune_retrieval(puzzle, RetrievalTask(), tmp_path, settings(encoder_folder, mode="frozen"))


def answers(labels):
    n = len(labels)
    zero = np.zeros(n, np.int64)
    return Examples(zero, zero, zero[:, None], np.array(labels, np.float32)[:, None], zero)


@pytest.mark.parametrize(
    ("task", "labels", "message"),
    [
        (Interest(), [0, 1, 2], "label 2 is out of range; labels of this task are from 0 to 1"),
        (Interest(), [0, 1, 1], "class 'not interested' has 1 example"),
        (Category("genre", ("a", "b")), [0, 1, 2], "label 2 is out of range; labels of this task are from 0 to 1"),
        (Category("genre", ("a", "b")), [0, 1, 0.5], "label 0.5 is out of range"),
        (Category("genre", ("a", "b")), [0, 0, 1], "class 'b' has one example .*; drop rare classes .--rare drop"),
        (Category("genre", ("a", "b"), "drop"), [0, 0, 1], "1 class.* two are needed"),
        (Rating(), [1, np.inf], "label inf is out of range"),
        (Ranking(), [1, -1], "label -1 is out of range"),
    ],
)
def test_wrong_labels_are_told(task, labels, message):
    with pytest.raises(DataError, match=message):
        task.fitted(answers(labels), answers(labels[:1]))


def test_rare_classes_can_be_dropped():
    train, held = answers([0, 0, 1, 2, 2, 2]), answers([2, 1, 0])
    task, train, held = Category("genre", ("a", "b", "c"), "drop").fitted(train, held)
    assert task.classes == ("a", "c")
    assert task.shares == pytest.approx((0.4, 0.6))
    assert train.labels[:, 0].tolist() == [0, 0, 1, 1, 1]
    assert held.labels[:, 0].tolist() == [1, 0]


def test_data_that_cannot_be_learned_from_are_told(told, encoder_folder):
    asked = settings(encoder_folder)
    bare = told.catalog.table.with_columns(title=pl.lit(""), genre=pl.lit(None, pl.String))
    empty = replace(told, catalog=Catalog(bare))
    with pytest.raises(DataError, match="no item with events has a text"):
        prepare(empty, Interest(), asked)
    with pytest.raises(DataError, match="column 'genre' of the items table is empty"):
        Category.of(empty.catalog, "genre")
    with pytest.raises(DataError, match="no column 'colour'"):
        Category.of(told.catalog, "colour")
    x = told.interactions
    unrated = told.with_interactions(replace(x, rating=np.full(len(x), np.nan, np.float32)))
    for task in (Rating(), Interest(threshold=4), Ranking(by_rating=True)):
        with pytest.raises(DataError, match="no event carries a rating"):
            prepare(unrated, task, asked)


def test_labels_at_the_bounds_pass_and_stay_as_they_are():
    task, train, held = Interest().fitted(answers([0, 0, 1, 1]), answers([1]))
    assert (train.labels.ravel().tolist(), held.labels.ravel().tolist()) == ([0, 0, 1, 1], [1])
    assert task.start == pytest.approx((0.0,))  # half of them are interested: log-odds 0
    with pytest.raises(DataError, match=r"label 1\.5 is out of range"):
        check_labels(answers([0, 1]), answers([1.5]), whole=True, least=0, most=2)
