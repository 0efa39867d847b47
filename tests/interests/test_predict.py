"""What a person's next events will be about."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.errors import ConfigError
from warmstart.interests.members import Membership, of_paths
from warmstart.interests.predict import NextShares, PredictSettings, closeness, decayed

PLAIN = PredictSettings(half_life=0, own=1)
# items 0, 1 of concept 0; items 2, 3 of concept 1; items 4, 5 of concept 2
THREE = of_paths(np.repeat(np.arange(3), 2)[:, None], 3)


def events(rows, n_items=6):
    user = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    return Interactions.of(user, np.concatenate(rows).astype(int), len(rows), n_items, time=np.arange(len(user)))


def members(paths, n):
    return Membership(of_paths(np.array(paths)[:, None], n), np.full(n, -1, np.int32), np.zeros(n, np.int8))


def test_an_item_between_two_concepts_belongs_to_both():
    vectors = np.array([[0.0], [0.2], [1.0], [1.2], [0.6]], np.float32)
    close = closeness(vectors, members([0, 0, 1, 1, 0], 2), nearest=2, width=0.5).toarray()
    assert close.sum(1) == pytest.approx(np.ones(5))
    assert close[0, 0] > 0.8
    assert close[3, 1] > 0.8
    assert 0.3 < close[4, 0] < 0.9  # 0.6 lies between the centres 0.27 and 1.1


def test_with_one_neighbour_the_nearest_centre_takes_all():
    vectors = np.array([[0.0], [0.2], [1.0]], np.float32)
    close = closeness(vectors, members([0, 0, 1], 2), nearest=1)
    assert close.toarray().tolist() == [[1, 0], [1, 0], [0, 1]]


def test_without_a_map_shares_are_those_of_the_history():
    foresees = NextShares.fit(events([[0, 2], [4]]), THREE, PLAIN)
    shares = foresees.shares(Histories.of([[0, 1, 2, 4], [5]], 6))
    assert shares.tolist() == [[0.5, 0.25, 0.25], [0, 0, 1]]
    assert not len(foresees.weights)


def test_somebody_without_events_is_foreseen_to_take_what_everybody_takes():
    foresees = NextShares.fit(events([[0, 2], [0, 1]]), THREE, PLAIN)
    (shares,) = foresees.shares(Histories.of([[]], 6))
    assert shares == pytest.approx(np.array([3, 1.5, 1]) / 5.5)  # items 1 (one), 3, 4, 5 (half an event each)


def test_items_follow_from_shares_and_popularity_within_a_concept():
    foresees = NextShares.fit(events([[0], [0], [0], [1]]), THREE, PLAIN)
    (likely,) = foresees.items(np.array([[0.8, 0.2, 0.0]]))
    assert likely == pytest.approx([0.6, 0.2, 0.1, 0.1, 0, 0])


def test_what_others_take_next_is_foreseen_before_the_first_event_in_it():
    # those who begin in concept 0 end in 1; those who begin in 2 stay there
    turning, staying = [0, 1, 0, 1, 0, 1, 2, 3], [4, 5, 4, 5, 4, 5, 4, 5]
    x = events([turning, staying] * 20)
    foresees = NextShares.fit(x, THREE, PredictSettings(half_life=0, own=0.5, ridge=0.01))
    turned, stayed = foresees.shares(Histories.of([[0, 1, 0], [4, 5, 4]], 6))
    assert turned[1] == pytest.approx(0.5, abs=0.05)
    assert turned[0] == pytest.approx(0.5, abs=0.05)
    assert stayed[2] == pytest.approx(1, abs=0.05)


def test_nobody_with_eight_events_teaches_no_map():
    assert not len(NextShares.fit(events([[0, 1, 2], [3]]), THREE).weights)


@given(st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=6), st.integers(0, 1))
def test_shares_and_likely_items_are_distributions(rows, own):
    x = events([[0, 1, 2, 3, 4, 5, 0, 2], [5, 4, 3, 2, 1, 0, 1, 3]])
    foresees = NextShares.fit(x, THREE, PredictSettings(own=own))
    shares = foresees.shares(Histories.of(rows, 6))
    assert (shares >= 0).all()
    assert shares.sum(1) == pytest.approx(np.ones(len(rows)))
    assert foresees.items(shares).sum(1) == pytest.approx(np.ones(len(rows)))


def test_an_item_of_no_concept_says_nothing():
    belongs = sp.csr_matrix(np.array([[1.0, 0], [0, 1], [0, 0]]))
    foresees = NextShares.fit(events([[0, 1], [2]], 3), belongs, PLAIN)
    known, mute = foresees.shares(Histories.of([[0, 2], [2]], 3))
    assert known.tolist() == [1, 0]
    assert mute.tolist() == foresees.common.tolist()


def test_decayed_rows_sum_to_one_and_repeated_events_add_up():
    rows = decayed(Histories.of([[1, 0, 1], []], 2), 0).toarray()
    assert rows.ravel().tolist() == pytest.approx([1 / 3, 2 / 3, 0, 0])


@pytest.mark.parametrize("bad", [{"half_life": -1}, {"own": 1.5}, {"ridge": 0}])
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ConfigError, match="are usual"):
        PredictSettings(**bad)
