"""When a slice fell, what the slices are, and the page."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.split import given as given_split
from warmstart.data.toy import checkerboard, clusters
from warmstart.evaluate.intervals import paired
from warmstart.serve.judge import Judgement, _part, fate_of, slices, translated
from warmstart.serve.judge_page import page

ITEMS = 30


def part(n, share_lost, seed=0, spread=0.0):
    """A slice of n queries; the candidate misses a share of what the serving model finds."""
    rng = np.random.default_rng(seed)
    wanted = rng.integers(0, ITEMS, n)
    other = (wanted + 1) % ITEMS
    lost = rng.random(n) < share_lost
    gained = rng.random(n) < spread
    serving = np.where(gained, other, wanted)[:, None].astype(np.int32)
    candidate = np.where(lost, other, wanted)[:, None].astype(np.int32)
    targets = np.zeros((n, ITEMS), np.float32)
    targets[np.arange(n), wanted] = 1
    import scipy.sparse as sp

    lists = {"candidate": candidate, "serving": serving, "popularity": np.full((n, 1), -1, np.int32)}
    return _part("all", lists, np.ones(n, bool), sp.csr_matrix(targets), 0.02, seed=0)


def test_a_clear_fall_refuses_and_says_which_by_how_much():
    fell = part(400, 0.10)
    assert fell.fate == "fell"
    assert fell.change == pytest.approx(-0.10, abs=0.04)
    judgement = Judgement((fell,), 0.02)
    assert not judgement.passed
    assert judgement.reason.startswith("fell: 'all' by ")
    assert judgement.reason.endswith("400 queries); at most 2.0% is allowed")


def test_a_small_slice_that_may_have_fallen_by_chance_is_told_and_refuses_nothing():
    unsure = part(12, 0.25, seed=1, spread=0.2)
    assert unsure.test.difference < -0.02
    assert unsure.fate == "unsure"
    judgement = Judgement((unsure,), 0.02)
    assert judgement.passed
    assert judgement.reason == "no slice fell by more than 2.0%; too few queries to tell of all"


@pytest.mark.parametrize(("changed", "fate"), [(3, "unsure"), (4, "unsure"), (5, "fell")])
def test_four_queries_that_fell_are_never_sure_among_however_many(changed, fate):
    before = np.ones(8)
    after = np.where(np.arange(8) < changed, 0.0, 1.0)
    test = paired(after, before, level=0.9)
    assert test.high < 0  # a bootstrap alone would be sure
    assert fate_of(1.0, test, changed, 0.02) == fate


def test_a_sure_fall_within_the_margin_is_held():
    assert part(4_000, 0.01).fate == "held"
    assert part(4_000, 0.01).test.high < 0


@given(st.floats(0.0, 0.5), st.integers(1, 200), st.integers(0, 10))
def test_a_better_or_equal_model_never_fell(gain, n, seed):
    rng = np.random.default_rng(seed)
    serving = rng.random(n)
    assert fate_of(serving.mean(), paired(serving + gain, serving, 50, level=0.9), n, 0.0) == "held"


def test_slices_by_what_was_known_and_what_is_wanted():
    data = checkerboard(6, 12)
    x = data.interactions
    keep = (x.user > 0) & (x.item < 10) & ((x.user > 1) | (x.item == 3))
    train, late = data.with_interactions(x.select(keep)), x.select(~keep)
    split = given_split("late", train, late)
    found = slices(split, few_shot=1)
    assert {name: mask.sum() for name, (mask, _) in found.items()} == {
        "all": 6,
        "cold": 1,
        "few_shot": 1,
        "warm": 4,
        "new items": 6,
        "long tail": 6,
    }
    assert set(found["new items"][1].indices) == {10, 11}
    known = train.interactions.item_counts() > 0
    assert known[found["long tail"][1].indices].all()


def test_candidates_bound_the_targets():
    data = clusters(30, 20, 4, seed=0)
    half = data.interactions.position() % 2 == 0
    train, late = data.with_interactions(data.interactions.select(half)), data.interactions.select(~half)
    split = given_split("late", train, late, np.arange(5))
    assert split.targets.indices.max() < 5
    assert split.candidates.tolist() == [0, 1, 2, 3, 4]
    assert not split.targets.multiply(split.queries.matrix()).nnz


def test_histories_in_other_codes_keep_their_columns_aligned():
    x = Interactions.of(np.array([0, 0, 1]), np.array([0, 1, 2]), 2, 3, weight=np.array([1.0, 2.0, 3.0]))
    h = translated(Histories.of_users(x, np.array([0, 1, -1])), np.array([4, -1, 0]), 5)
    assert (h.item.tolist(), h.weight.tolist(), h.indptr.tolist(), h.n_items) == ([4, 0], [1.0, 3.0], [0, 1, 2, 2], 5)
    assert len(h.time) == len(h.kind) == len(h.rating) == 2


def test_the_page_names_the_slice_that_fell_and_escapes_what_it_is_told():
    fell = replace(part(400, 0.10), name="<b>new</b>")
    sizes = {"learned_events": 9_000, "held_events": 1_000, "queries": 400, "against": "<i>old</i>", "fair": False}
    text = page("abc", Judgement((part(400, 0.0), fell), 0.02).to_dict() | sizes)
    assert "&lt;b&gt;new&lt;/b&gt;" in text
    assert "<b>new" not in text
    assert "<i>old" not in text
    assert "▼ fell" in text
    assert "flattered" in text
    assert "<script" not in text


def test_a_report_is_plain_json_without_nan():
    import json

    nothing = part(5, 1.0, spread=1.0)  # both find nothing: a change of what is 0 cannot be told
    told = Judgement((nothing,), 0.02).to_dict()
    assert told["slices"][0]["change"] is None
    json.dumps(told, allow_nan=False)
    assert SimpleNamespace(**told).passed
