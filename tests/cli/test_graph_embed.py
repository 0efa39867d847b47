"""``warmstart graph embed``."""

import json

import numpy as np
import polars as pl
import pytest

from warmstart.learn.kge_vectors import GraphVectors


@pytest.fixture(scope="module")
def triples(tmp_path_factory):
    file = tmp_path_factory.mktemp("graph") / "kg.csv"
    rows = [(f"a{i}", r, f"a{(i + s) % 20}") for i in range(20) for r, s in (("next", 1), ("skip", 2))]
    back = [(t, "before", h) for h, r, t in rows if r == "next"]
    pl.DataFrame([*rows, *back], schema=["head", "relation", "tail"], orient="row").write_csv(file)
    return file


def asked(triples, out, *words):
    return ("graph", "embed", triples, "-o", out, "--dim", "4", "--epochs", "3", "--batch", "16", *words)


def test_vectors_and_figures_as_json(shell, triples, tmp_path):
    told = shell.json(*asked(triples, tmp_path / "run"))
    assert told["entities"] == 20
    assert (told["relations"], told["same_relations"]) == (2, 1)
    assert told["learned_from"] + told["held_out"] == 60
    assert 0 < told["hits@1"] <= told["mrr"] <= told["hits@10"] <= 1 or told["hits@1"] == 0 < told["mrr"]
    vectors = GraphVectors.load(told["vectors"])
    assert vectors.vectors(["a3"]).shape == (1, 8)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "done"


def test_the_same_again_and_as_text(shell, triples, tmp_path):
    first, again = (shell(*asked(triples, tmp_path / name, "--model", "rotate", "--seed", "3")) for name in "ab")
    assert first.stdout.splitlines()[1:] == again.stdout.splitlines()[1:]
    assert "mrr: 0." in first.stdout
    one, other = (GraphVectors.load(tmp_path / name / "model") for name in "ab")
    np.testing.assert_array_equal(one.entity, other.entity)


def test_nothing_held_out_gives_no_figures(shell, triples, tmp_path):
    told = shell.json(*asked(triples, tmp_path, "--test-share", "0"))
    assert (told["learned_from"], told["held_out"]) == (60, 0)
    assert "mrr" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "word2vec"), "'word2vec' is not one of"),
        (("--test-share", "1"), "test_share=1.0 is not in [0, 1)"),
        (("--n3", "-1"), "n3=-1.0 is below 0"),
        (("--dim", "0"), "dim=0 is below 1"),
    ],
)
def test_mistakes(shell, triples, tmp_path, words, said):
    assert said in shell(*asked(triples, tmp_path, *words), code=2).stderr


def test_a_graph_without_triples(shell, tmp_path):
    (tmp_path / "kg.csv").write_text("head,relation,tail\n")
    assert "error: " in shell("graph", "embed", tmp_path / "kg.csv", "-o", tmp_path / "run", code=2).stderr
