import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.errors import ConfigError, DataError
from warmstart.learn.backbone import Backbone
from warmstart.learn.cross_export import cached_cross
from warmstart.learn.finetune import MODEL, Finetuning, Source, finetune
from warmstart.learn.finetune_retrieval import RetrievalTask, finetune_retrieval
from warmstart.learn.heads import HeadSettings
from warmstart.learn.loop import learn
from warmstart.learn.pairs import Pairing
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.ranking import Ranking
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning
from warmstart.learn.teach import Teaching, TeachingObjective
from warmstart.text.choose import encoder_from_name
from warmstart.text.templates import item_texts

QUICK = Training(steps=30, batch=24, learning_rate=3e-3, validate_every=10, checkpoint_every=10)


@pytest.fixture(scope="module")
def teacher(puzzle, encoder_folder, tmp_path_factory):
    """A cross-encoder that has learned a little of the puzzle."""
    settings = Finetuning(
        Source(str(encoder_folder), 48),
        Tuning("full"),
        Training(steps=20, batch=16, learning_rate=3e-3, validate_every=0, checkpoint_every=0),
        HeadSettings("feed_forward", "together", 16),
        Pairing(history=5, judged=50),
    )
    return finetune(puzzle, Ranking(negatives=3), tmp_path_factory.mktemp("teacher"), settings).folder / MODEL


class Oracle:
    """Knows the puzzle's answer: who shares its taste with an item takes it. In the place of a cross-encoder."""

    template, history = None, 12

    def __init__(self, data, texts):
        signs = [next(w for w in t.lower().replace(".", " ").split() if w in SIGNS) for t in texts]
        self.taste = {t: SIGNS.index(s) % 3 for t, s in zip(texts, signs, strict=True)}

    def scores(self, pairs, seconds=np.inf):
        return np.array([4.0 * self._share(*pair) for pair in pairs], np.float32)

    def _share(self, person, text):
        words = person.lower().replace(",", " ").replace(".", " ").replace("(", " ").split()
        met = [SIGNS.index(w) % 3 for w in words if w in SIGNS]
        return met.count(self.taste[text]) / max(len(met), 1)


SIGNS = ["space", "ship", "alien", "horror", "cowboy", "west", "love", "comedy", "war", "soldier", "robot", "future"]


def make(data, folder, teacher, **settings):
    return TeachingObjective(Backbone(folder, Tuning()), data, teacher, Teaching(**({"held_out": 0.3} | settings)))


def run_of(folder):
    return Run.begin(folder, "distil", {"training": vars(QUICK)}, "data")


def test_a_student_of_who_knows_learns_whom_items_are_for(puzzle, encoder_folder, tmp_path):
    objective = make(puzzle, encoder_folder, Oracle(puzzle, item_texts(puzzle.catalog)))
    out = learn(objective, QUICK, run_of(tmp_path))
    assert out.best["ndcg@10"] > out.first["ndcg@10"] + 0.05


def test_a_student_comes_nearer_to_a_cross_encoder(puzzle, encoder_folder, teacher, tmp_path):
    objective = make(puzzle, encoder_folder, cached_cross(teacher))
    some = np.arange(0, len(objective.examples), 9)

    def distance():
        import torch

        lesson = objective.lesson(some)
        return float(objective.loss(torch.from_numpy(objective.backbone.encode(lesson.texts)), lesson).detach())

    before = distance()
    learn(objective, replace(QUICK, steps=12, validate_every=0, checkpoint_every=0), run_of(tmp_path))
    assert distance() < 0.9 * before


def test_the_loss_by_hand(puzzle, encoder_folder, teacher):
    import torch

    objective = make(puzzle, encoder_folder, cached_cross(teacher))
    lesson = objective.lesson(np.array([0, 7, 7]))
    vectors = objective.backbone.encode(lesson.texts)
    scale, total = float(objective.scale.detach().exp()), 0.0
    for q in range(3):
        person = sum(w * v for w, v in zip(lesson.history[q], vectors, strict=True))
        margin = person @ vectors[lesson.first[q]] - person @ vectors[lesson.second[q]]
        total += (lesson.margin[q] - scale * margin) ** 2 / 3
    assert float(objective.loss(torch.from_numpy(vectors), lesson).detach()) == pytest.approx(total, rel=1e-4)


def test_a_lesson_is_what_came_before_and_the_teacher_said(puzzle, encoder_folder, teacher):
    objective = make(puzzle, encoder_folder, cached_cross(teacher))
    at = np.array([3, 20, 41])
    lesson, examples = objective.lesson(at), objective.examples.take(at)
    x = objective.data.interactions
    begin = np.concatenate([[0], np.cumsum(x.user_counts())])
    for q in range(3):
        start = begin[examples.user[q]]
        known = {objective.texts[i] for i in x.item[start : start + examples.cut[q]]}
        assert {lesson.texts[i] for i in np.flatnonzero(lesson.history[q])} == known
        assert lesson.texts[lesson.first[q]] == objective.texts[x.item[examples.event[q]]]
        assert lesson.texts[lesson.first[q]] not in known
    np.testing.assert_allclose(lesson.history.sum(1), 1, atol=1e-6)
    assert not np.isin(objective.data.interactions.item, objective.held).any()
    assert not np.isin(examples.items, objective.held).any()


def test_every_weight_and_the_scale_get_gradients(puzzle, encoder_folder, teacher):
    objective = make(puzzle, encoder_folder, cached_cross(teacher))
    objective.train(True)
    loss = objective.backward(Draw(0, 0, 0, 16, Processes()))
    assert loss > 0
    weights = dict(objective.parameters())
    assert weights["head.scale"].grad != 0
    assert sum(float(p.grad.abs().sum()) > 0 for p in weights.values() if p.grad is not None) > 20


def test_mistakes_are_told(puzzle, encoder_folder, teacher):
    with pytest.raises(ConfigError, match="history=0 is below 1"):
        Teaching(history=0)
    x = puzzle.interactions
    lonely = puzzle.with_interactions(x.select(x.position() == 0))
    with pytest.raises(DataError, match="no user has two events"):
        make(lonely, encoder_folder, cached_cross(teacher))


def test_a_run_leaves_an_encoder_for_recipes(puzzle, encoder_folder, teacher, tmp_path):
    settings = Finetuning(Source(str(encoder_folder)), Tuning("last", layers=1), replace(QUICK, steps=2))
    task = RetrievalTask("distil", held_out=0.3, teacher=str(teacher))
    learned = finetune_retrieval(puzzle, task, tmp_path / "run", settings)
    assert learned.outcome.steps == 2
    assert encoder_from_name(str(learned.folder / MODEL)).spec()["kind"] == "onnx"
    assert Run.read(tmp_path / "run").card["settings"]["task"]["teacher"] == str(teacher)


@pytest.mark.parametrize("change", ["teacher", "history"])
def test_another_teacher_of_the_same_name_and_another_history_are_another_run(
    puzzle, encoder_folder, teacher, tmp_path, change
):
    settings = Finetuning(Source(str(encoder_folder)), Tuning("last", layers=1), replace(QUICK, steps=1))
    own = shutil.copytree(teacher, tmp_path / "teacher")
    task = RetrievalTask("distil", held_out=0.3, teacher=str(own))
    finetune_retrieval(puzzle, task, tmp_path / "run", settings)
    if change == "teacher":
        (weights,) = (own / "encoder").glob("*.safetensors")
        save_file({k: v * 2 for k, v in load_file(weights).items()}, weights, {"format": "pt"})
    else:
        settings = replace(settings, pairing=Pairing(history=3))
    with pytest.raises(ConfigError, match=rf"holds a run with other settings \({change}: "):
        finetune_retrieval(puzzle, task, tmp_path / "run", settings)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"loss": "distil"}, "has nobody to learn from; name a cross-encoder as teacher"),
        ({"teacher": "x"}, "beside loss='elsa'"),
        ({"loss": "distil", "teacher": "x", "dims": (8,)}, "beside loss='distil'"),
    ],
)
def test_a_teacher_and_its_loss_belong_together(task, words):
    with pytest.raises(ConfigError, match=words):
        RetrievalTask(**task)


def test_the_command_refuses_a_teacher_of_other_tasks(tmp_path):
    words = ["finetune", "none.csv", "--task", "ranking", "--teacher", "x", "--out", str(tmp_path / "run")]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 2
    assert "no meaning for task 'ranking'" in " ".join(told.output.split())
