import json

import numpy as np
import pytest
import scipy.sparse as sp
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.data.toy import clusters
from warmstart.errors import DataError
from warmstart.evaluate.robustness import Ordeal, judge, lift_of, withstand
from warmstart.learn.attacks import Attack
from warmstart.learn.held_items import HeldItems

WORDS = np.array(["space", "war", "love", "robot", "horse", "train", "doll", "paint"])


class Reader:
    """Knows whole words alone: a vector counts the known words of a text."""

    def encode(self, texts):
        counts = np.array([[t.split().count(w) for w in WORDS] for t in texts], np.float32)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


@pytest.fixture(scope="module")
def world():
    """Eight tastes of a word each; three known and three new items a taste."""
    texts = [f"{word} {word} {word} {word} {word}" for word in WORDS for _ in range(6)]
    item = np.arange(48)
    known, held = item[item % 6 < 3], item[item % 6 >= 3]
    history = sp.csr_matrix(np.kron(np.eye(8), np.ones(3)).astype(np.float32))
    return texts, HeldItems(known, held, history, np.arange(8), history, history)


def test_what_is_lost_is_what_the_encoder_cannot_read(world):
    texts, held = world
    attacks = {"typos": Attack("typos", 1.0), "drop": Attack("drop", 0.5)}
    found = withstand(Reader(), texts, held, attacks, draws=2)
    assert found.clean.tolist() == [1.0] * 8
    assert found.loss("drop") == 0  # one word stays, and one is enough
    assert found.loss("typos") > 0.3
    change = found.change("typos")
    assert change.high < 0
    assert change.difference == pytest.approx(-found.loss("typos"))
    assert found.draws["typos"].mean() == pytest.approx(found.attacked["typos"].mean())
    assert found.spread("drop") == 0
    assert found.spread("typos") > 0


def test_known_items_keep_their_texts(world):
    texts, held = world
    seen = []

    class Noting(Reader):
        def encode(self, texts):
            seen.append(list(texts))
            return super().encode(texts)

    withstand(Noting(), texts, held, {"typos": Attack("typos", 1.0)}, draws=2)
    assert [len(s) for s in seen] == [48, 24, 24]
    assert seen[1] != seen[2]


def test_stuffing_lifts_items_of_other_tastes(world):
    texts, held = world
    found = withstand(Reader(), texts, held, {"stuff": Attack("stuff", 0.4, keywords=tuple(WORDS))})
    lift = found.lift["stuff"]
    assert lift.items == 24
    assert lift.places > 0
    assert lift.after > lift.before


def test_lift_counts_places_among_honest_rivals():
    honest = np.array([[5.0, 4.0, 3.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
    assert lift_of(honest, honest).places == 0
    best = lift_of(honest, np.full((2, 4), 9.0))  # everybody in turn becomes the first
    assert best.places == pytest.approx(np.mean([0, 1, 2, 3]))
    assert lift_of(honest, np.zeros((2, 4))).places == pytest.approx(-np.mean([0, 1, 2, 3]))


def test_encoders_side_by_side(encoder_names):
    data = clusters(seed=1)
    found = judge(encoder_names, data, Ordeal(held_out=0.3, draws=1))
    assert list(found) == encoder_names
    one, other = found.values()
    assert one.clean.shape == other.clean.shape
    assert set(one.attacked) == {"typos", "drop", "stuff"}
    assert other.against(one).difference == pytest.approx(other.clean.mean() - one.clean.mean())


def test_nobody_to_ask(world):
    texts, held = world
    nobody = HeldItems(held.items, held.held, held.train, held.users[:0], held.history[:0], held.targets[:0])
    with pytest.raises(DataError, match="hold out more"):
        withstand(Reader(), texts, nobody, {})


@pytest.fixture(scope="module")
def encoder_names():
    return ["tfidf", "wordllama"]


def test_the_command_prints_and_writes_json(encoder_names, tmp_path):
    folder = tmp_path / "data"
    clusters(seed=1).save(folder)
    ask = ["robustness", encoder_names[0], str(folder), "--held-out", "0.3", "--draws", "1"]
    shown = CliRunner().invoke(app, [*ask, "--beside", encoder_names[1]])
    assert shown.exit_code == 0, shown.output
    for word in ("clean", "typos", "drop", "stuff", "places won", "less that of tfidf"):
        assert word in shown.stdout
    assert "nan" not in shown.stdout  # between draws, of a single one
    answer = json.loads(CliRunner().invoke(app, [*ask, "--json"]).stdout)
    assert answer["against_first"] == {}
    assert set(answer["models"]["tfidf"]["attacks"]) == {"typos", "drop", "stuff"}
    assert 0 < answer["models"]["tfidf"]["clean"]["mean"] < 1
    bad = CliRunner().invoke(app, [*ask, "--rate", "0"])
    assert bad.exit_code == 2
    assert "rate=0.0 is not in (0, 1]" in bad.stderr
