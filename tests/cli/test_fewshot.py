"""``warmstart fewshot``: the learning curve from the command line."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.cli.fewshot import verdicts
from warmstart.learn.fewshot import FewShot
from warmstart.learn.fewshot_curve import Curve

QUICK = ("--encoder", "tfidf", "--seeds", 2, "--part", "all")


@pytest.fixture(scope="module")
def asked(shell):
    """The command's first words, on the shop's tables."""
    f = shell.folder
    return ("fewshot", f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who", *QUICK)


def test_prints_a_curve_a_verdict_and_a_page(shell, asked, tmp_path):
    said = shell(*asked, "--shots", "2,5", "--methods", "linear,stacked", "--html", tmp_path / "curve.html")
    assert "ndcg@10, mean and 95 % t-interval over 2 seeds" in said.stdout
    for name in ("popularity", "popularity (everybody)", "cosine", "factorisation", "linear", "stacked"):
        assert name in said.stdout
    assert "k=5: " in said.stdout
    page = (tmp_path / "curve.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "<script" not in page
    assert page.count("<tr>") == 7


def test_json_holds_every_seed(shell, asked):
    found = shell.json(*asked, "--shots", 4, "--methods", "ridge")
    assert found["measure"] == "ndcg@10"
    assert found["settings"]["shots"] == [4]
    assert len(found["methods"]["ridge"]["4"]["seeds"]) == 2
    assert found["methods"]["ridge"]["4"]["low"] <= found["methods"]["ridge"]["4"]["mean"]


def test_with_and_without_augmentation(shell, asked):
    found = shell.json(*asked, "--shots", 3, "--methods", "ridge", "--augment", "swap,deletion", "--rate", 0.3)
    with_it, without = (found["methods"][name]["3"]["seeds"] for name in ("ridge + augmented", "ridge"))
    assert with_it != without


def test_labelled_pairs(shell, asked):
    found = shell.json(*asked, "--labels", "pairs", "--shots", "1,8")
    assert found["measure"] == "auc"
    assert set(found["methods"]) == {"popularity", "cosine", "factorisation", "ridge", "discriminant", "linear"}


def test_lengths_that_few_people_have_are_left_out_and_told(shell, asked):
    events = pl.read_csv(shell.folder / "events.csv")
    most = events["who"].value_counts()["count"].max()
    said = shell(*asked, "--methods", "ridge")
    assert most < 64
    assert "k=1: " in said.stdout
    assert "k=64" not in said.stdout
    assert "64 left out: too few users (all) have more events; --shots asks for them" in " ".join(said.stderr.split())


def test_a_floor_that_is_best_is_named_and_figures_stay_within_their_range():
    values = {
        "popularity": np.array([[0.2, 0.2]]),
        "popularity (everybody)": np.array([[0.3, 0.3]]),
        "cosine": np.array([[0.1, 1.0]]),
        "ridge": np.array([[0.25, 0.26]]),
        "linear": np.array([[np.nan, np.nan]]),
    }
    curve = Curve(FewShot((1,)), values, values, {}, floors=("popularity", "cosine"))
    one = "k=1: cosine, a floor, is best; of the methods ridge, its interval lies above: none"
    assert verdicts(curve) == [one]
    assert (curve.spread("cosine", 1).low, curve.spread("cosine", 1).high) == (0, 1)
    better = replace(curve, values=values | {"ridge": np.array([[0.8, 0.81]])})
    assert verdicts(better) == ["k=1: ridge is best; its interval lies above: popularity"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shots", "1,many"), "--shots '1,many' holds what is no whole number"),
        (("--shots", "4000"), "nobody has more than"),
        (("--methods", "magic"), "method 'magic' is not known"),
        (("--augment", "swop"), "augmentation 'swop' is not known"),
        (("--paraphrase", "a", "--back-translate", "b,c"), "one run measures one of them"),
        (("--back-translate", "b"), "does not name two models"),
        (("--labels", "pairs", "--methods", "stacked"), "is not for labelled pairs"),
    ],
)
def test_mistakes_are_told_in_one_line(shell, asked, words, said):
    result = shell(*asked, *words, code=2)
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_without_texts_there_is_nothing_to_learn_from(shell):
    words = ("fewshot", shell.folder / "events.csv", "--map", "user_id=who", "--shots", 2, *QUICK)
    assert "no item has a text" in " ".join(shell(*words, code=2).stderr.split())
