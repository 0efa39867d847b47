import numpy as np
import pytest
import scipy.sparse as sp

from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError, DataError
from warmstart.learn import multiple_negatives as module
from warmstart.learn.backbone import Backbone
from warmstart.learn.cached import cached_backward
from warmstart.learn.loop import learn
from warmstart.learn.mining import categories_of
from warmstart.learn.multiple_negatives import MultipleNegatives, MultipleNegativesObjective, multiple_negatives
from warmstart.learn.processes import Draw, Processes
from warmstart.learn.retrieval import Retrieval, RetrievalObjective
from warmstart.learn.run import Run
from warmstart.learn.settings import Training, Tuning
from warmstart.text.templates import item_texts

torch = pytest.importorskip("torch")


def make(data, folder, tuning=None, kinds=True, **settings):
    settings = MultipleNegatives(**({"held_out": 0.3, "temperature": 0.1} | settings))
    categories = categories_of(data.catalog) if kinds else None
    return MultipleNegativesObjective(
        Backbone(folder, tuning), item_texts(data.catalog), data.interactions, settings, 0, categories
    )


@pytest.mark.parametrize("hard", [0, 8])
def test_learns_whom_items_are_for(puzzle, encoder_folder, tmp_path, hard):
    training = Training(steps=40, batch=48, learning_rate=5e-3, validate_every=10, checkpoint_every=0)
    run = Run.begin(tmp_path, "pairs", {"training": vars(training)}, "data")
    out = learn(make(puzzle, encoder_folder, hard=hard), training, run)
    assert out.best["ndcg@10"] > out.first["ndcg@10"] + 0.05


def test_validates_as_retrieval_does(puzzle, encoder_folder):
    mine = make(puzzle, encoder_folder)
    other = RetrievalObjective(mine.backbone, mine.texts, puzzle.interactions, Retrieval(held_out=0.3))
    assert mine.held.tolist() == other.held.tolist()
    assert mine.validate() == other.validate()


def test_nothing_is_mined_from_held_out_items(puzzle, encoder_folder):
    objective = make(puzzle, encoder_folder)
    held = np.isin(puzzle.interactions.item, objective.held)
    x = puzzle.interactions
    rest = Interactions.of(x.user[~held], x.item[~held], x.n_users, x.n_items)
    again = module.positives(rest.matrix()[:, objective.items], objective.settings.positives)
    np.testing.assert_allclose(objective.pairs.toarray(), again.toarray(), rtol=1e-5)


def test_loss_of_a_small_batch_by_hand():
    a = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    c = torch.tensor([[3.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    out = torch.tensor([[False, False, True], [False, False, False]])
    e, h = np.exp(2.0), np.exp(2.0 / np.sqrt(2))
    there = [np.log((e + 1) / e), np.log((e + 1 + h) / e)]  # item 0 has the last candidate ruled out
    back = [np.log((e + 1) / e)] * 2
    expected = np.mean(np.add(there, back)) / 2
    assert float(multiple_negatives(a, c, out, 0.5)) == pytest.approx(expected, rel=1e-6)


def test_other_partners_are_no_negatives():
    pairs = sp.csr_matrix(np.array([[0, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], np.float32))
    out = module._ruled_out(pairs, np.array([0, 1]), np.array([1, 0, 2, 3]))
    # of item 0: its partner 1 stays, itself and its other partner 2 go; of item 1: its partner 0 stays
    assert out.tolist() == [[False, True, True, False], [True, False, False, False]]


def test_draws_follow_the_weights():
    rng = np.random.default_rng(0)
    choices = sp.csr_matrix(np.array([[0, 1, 3], [0, 0, 0]], np.float32))
    drawn = module._one_of(choices, np.zeros(4000, np.int64), rng)
    assert np.bincount(drawn, minlength=3) / 4000 == pytest.approx([0, 0.25, 0.75], abs=0.03)
    assert module._one_of(choices, np.array([1]), rng).tolist() == [-1]


def test_gradients_of_chunks_are_those_of_the_whole(puzzle, encoder_folder, monkeypatch):
    got = []
    for chunk in (3, 1000):
        objective = make(puzzle, encoder_folder, Tuning(dropout=0.0))
        monkeypatch.setattr(module, "cached_backward", lambda *a, c=chunk: cached_backward(*a, chunk=c))
        objective.backward(Draw(0, 0, 0, 20, Processes()))
        got.append({name: p.grad.numpy() for name, p in objective.parameters() if p.grad is not None})
    for name in got[0]:
        np.testing.assert_allclose(got[0][name], got[1][name], atol=1e-5, err_msg=name)


class Rank(Processes):
    """One of two processes whose other half was computed before."""

    def __init__(self, rank, parts):
        super().__init__()
        self.rank, self.count, self.parts = rank, 2, parts

    def gather(self, part):
        self.parts[self.rank] = part
        return torch.cat([self.parts.get(r, torch.zeros_like(part)) for r in (0, 1)])


def test_two_processes_follow_one_with_twice_the_batch(puzzle, encoder_folder):
    alone = make(puzzle, encoder_folder)
    loss = alone.backward(Draw(0, 3, 0, 16, Processes()))
    parts, half = {}, [make(puzzle, encoder_folder) for _ in range(2)]
    half[1].backward(Draw(0, 3, 0, 8, Rank(1, parts)))  # leaves its vectors
    half[1].backbone.model.zero_grad()
    losses = [half[r].backward(Draw(0, 3, 0, 8, Rank(r, parts))) for r in (0, 1)]
    assert losses == pytest.approx([loss, loss], rel=1e-5)
    together = [dict(h.parameters()) for h in half]
    for name, p in alone.parameters():
        if p.grad is not None:
            mean = (together[0][name].grad + together[1][name].grad) / 2
            torch.testing.assert_close(mean, p.grad, atol=1e-6, rtol=1e-3)


def test_people_with_one_event_teach_nothing(puzzle, encoder_folder):
    x = Interactions.of(np.arange(90), np.arange(90), 90, 90)
    with pytest.raises(DataError, match="no two items"):
        MultipleNegativesObjective(Backbone(encoder_folder), item_texts(puzzle.catalog), x)


@pytest.mark.parametrize("bad", [{"temperature": 0.0}, {"positives": 0}, {"hard": -1}, {"held_out": 1.0}])
def test_settings_are_checked(bad):
    with pytest.raises(ConfigError):
        MultipleNegatives(**bad)
