"""The test of explanations, on explanations that are known to be true, and known to be false."""

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.data.toy import checkerboard
from warmstart.errors import DataError
from warmstart.evaluate.faithful import faithfulness
from warmstart.experts.linear import FittedPriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.fusion.asking import Asking
from warmstart.fusion.evidence import Support, columns_of
from warmstart.fusion.fuse import FittedFusion
from warmstart.fusion.gate import Gate
from warmstart.fusion.heads import Head
from warmstart.fusion.leave_out import LeaveOut
from warmstart.fusion.simulate import LONG, NEW, SHORT

N = 20
HISTORIES = Histories.of([[0, 1, 2, 3, 4, 5], [0, 1, 6, 7], [], [0, 1]], N)


@pytest.fixture(scope="module")
def ask():
    """Items 0 and 1 alone speak for item 19; item 2 for its rivals."""
    b = np.zeros((N, N), np.float32)
    b[:2, 19], b[2, 8:12] = 3.0, 1.0
    b += np.float32(1e-3) * np.random.default_rng(0).standard_normal((N, N)).astype(np.float32)
    b[15:17] = 0.0
    empty = np.empty((N, 0), np.float32)
    expert = FittedPriorMeanEASE(
        b, np.arange(N, dtype=np.int32), empty[None], empty, np.empty((0, 0), np.float32), np.zeros(N, np.int8)
    )
    columns = columns_of(["people"], ())
    head = Head(Gate(np.array([columns.index("people.z")]), np.ones(1)))
    fusion = FittedFusion(Asking(), tuple(columns), dict.fromkeys((NEW, SHORT, LONG), head), [])
    return LeaveOut(fusion, Panel({"people": expert}), Support.fit(checkerboard(N, N)))


def saying(*codes):
    """An explanation that cites the same of everybody."""
    return lambda h, item, allowed: [np.array(codes)] * len(item)


def test_what_carries_an_item_always_wins(ask):
    found = faithfulness(ask, saying(0, 1), HISTORIES, k=1)
    assert found.won.tolist() == [1.0, 1.0]
    assert found.query.tolist() == [0, 1]  # the third has no history, the fourth no other events to draw
    assert (found.listed, found.explained, found.explained_share) == (3, 3, 1.0)
    assert found.drop.min() > 1 > found.random.max()
    assert (found.share().mean, found.share().n) == (1.0, 2)


def test_what_does_not_carry_it_loses(ask):
    found = faithfulness(ask, saying(4, 5), HISTORIES.take(np.array([0])), k=1, draws=200)
    assert found.won[0] < 0.5
    assert found.drop[0] < found.random[0]


def test_an_equal_drop_counts_half(ask):
    nothing = faithfulness(ask, saying(15), Histories.of([[15, 16]], N), k=1, draws=4)  # neither speaks for anything
    assert nothing.won.tolist() == [0.5]
    assert nothing.drop.tolist() == nothing.random.tolist() == [0.0]


def test_who_gets_no_explanation_is_counted(ask):
    found = faithfulness(ask, lambda h, item, allowed: [None] * len(item), HISTORIES, k=2)
    assert (found.listed, found.explained, found.explained_share, len(found.won)) == (6, 0, 0.0, 0)
    assert np.isnan(found.share().mean)
    assert found.to_dict()["drop"] is None


def test_the_same_seed_draws_the_same(ask):
    first, second, other = (
        faithfulness(ask, saying(0, 4), HISTORIES, k=3, draws=2, seed=seed).random.tolist() for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_nobody_to_ask(ask):
    with pytest.raises(DataError, match="nobody has a history"):
        faithfulness(ask, saying(0), Histories.of([[]], N))
