"""What events do for an item, in a world where only two of them can do anything."""

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.data.toy import checkerboard
from warmstart.experts.linear import FittedPriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.fusion.asking import Asking
from warmstart.fusion.evidence import Support, columns_of
from warmstart.fusion.fuse import FittedFusion
from warmstart.fusion.gate import Gate
from warmstart.fusion.heads import Head
from warmstart.fusion.leave_out import LeaveOut
from warmstart.fusion.samples import allowed_items
from warmstart.fusion.simulate import LONG, NEW, SHORT

N = 12
NOTHING = np.empty(0, np.int64)


@pytest.fixture
def ask():
    """Items 0 and 1 speak for item 9, item 1 a little for item 8, item 2 for rivals, and no other for anything."""
    b = np.zeros((N, N), np.float32)
    b[0, 9], b[1, 9], b[1, 8], b[2, 4:8] = 2.0, 1.0, 0.5, 1.0
    empty = np.empty((N, 0), np.float32)
    expert = FittedPriorMeanEASE(
        b, np.arange(N, dtype=np.int32), empty[None], empty, np.empty((0, 0), np.float32), np.zeros(N, np.int8)
    )
    columns = columns_of(["people"], ())
    head = Head(Gate(np.array([columns.index("people.z")]), np.ones(1)))
    fusion = FittedFusion(Asking(), tuple(columns), dict.fromkeys((NEW, SHORT, LONG), head), [])
    return LeaveOut(fusion, Panel({"people": expert}), Support.fit(checkerboard(N, N)))


def asked(row):
    h = Histories.of([row], N)
    return h, allowed_items(h, np.ones(N, bool))[0]


def test_only_what_speaks_for_an_item_lowers_it(ask):
    h, allowed = asked([0, 2, 1, 3])
    drops = ask.drops(h, [np.array([i]) for i in (0, 1, 2, 3)], np.array([9]), allowed)[:, 0]
    assert drops[0] > drops[1] > 0
    assert drops[2] < 0  # without it the rivals fall
    assert drops[3] == 0


def test_standings_are_deviations_from_the_rivals(ask):
    h, allowed = asked([0, 1])
    whole, without = ask.standings(h, [NOTHING, np.array([1])], np.array([8, 9]), allowed)
    rivals = np.concatenate([np.zeros(8), [0.5, 3.0]])  # ten items are allowed
    assert whole == pytest.approx((rivals[-2:] - rivals.mean()) / rivals.std(), rel=1e-5)
    rivals = np.concatenate([np.zeros(9), [2.0]])
    assert without == pytest.approx([-rivals.mean() / rivals.std(), (2 - rivals.mean()) / rivals.std()], rel=1e-5)


def test_what_is_left_out_is_no_rival(ask):
    """The rivals are those of the whole history: an item taken out of it is not recommended because of that."""
    h, allowed = asked([0, 1, 9])
    assert not allowed[9]
    left = ask.standings(h, [NOTHING, np.array([9])], np.array([8]), allowed)[:, 0]
    assert left[0] == left[1]


def test_a_history_that_is_emptied_is_that_of_a_new_user(ask):
    h, allowed = asked([0])
    stand = ask.standings(h, [NOTHING, np.array([0])], np.array([9, 5]), allowed)
    assert stand[0, 0] > 2
    assert stand[1].tolist() == [0.0, 0.0]


def test_every_event_of_an_item_is_left_out(ask):
    h, allowed = asked([0, 2, 0])
    one = asked([0, 2])[0]
    gone = [np.array([0])]
    assert ask.drops(h, gone, np.array([9]), allowed) == pytest.approx(ask.drops(one, gone, np.array([9]), allowed))


def test_blocks_change_nothing(ask, monkeypatch):
    h, allowed = asked([0, 1, 2, 3])
    sets = [np.array([i % 4]) for i in range(40)]
    whole = ask.drops(h, sets, np.array([8, 9]), allowed)
    monkeypatch.setattr("warmstart.fusion.samples.BLOCK", 1)  # 16 queries a block
    assert ask.drops(h, sets, np.array([8, 9]), allowed) == pytest.approx(whole)
