"""When experts are asked of every item, and when of those that matter."""

import numpy as np
import pytest

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.experts.content import ContentCosine, ContentMap
from warmstart.experts.factors import Factors
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.experts.popularity import Popularity
from warmstart.experts.segments import Segments
from warmstart.experts.split import SplitPanel
from warmstart.experts.transitions import Transitions
from warmstart.fusion import asking
from warmstart.fusion.asking import LEAST, Asking, drawn
from warmstart.fusion.scores import Sampled, Whole

N = 3 * LEAST


@pytest.fixture(scope="module")
def panel():
    return Panel.fit({"popularity": Popularity()}, clusters(50, N, 3, seed=0))


def asked(panel, allowed, **settings):
    return Asking(**settings).scores(panel, Histories.of([[]] * len(allowed), N), allowed)


def test_a_small_catalogue_is_asked_whole(panel):
    assert isinstance(asked(panel, np.ones((1, N), bool)), Whole)
    assert isinstance(asked(panel, np.ones((1, N), bool), large=N), Whole)
    assert isinstance(asked(panel, np.ones((1, N), bool), large=N - 1), Sampled)


def test_the_sample_is_the_same_for_all_who_may_have_nearly_everything(panel):
    allowed = np.ones((2, N), bool)
    allowed[0, :5] = False
    samples = [asked(panel, rows, large=10, sample=LEAST + 20).sample for rows in (allowed, allowed[1:])]
    assert samples[0] is samples[1]
    assert len(set(samples[0].tolist())) == LEAST + 20


def test_where_a_filter_leaves_little_the_sample_is_drawn_from_it(panel):
    allowed = np.zeros((2, N), bool)
    allowed[:, : LEAST + 10] = True
    sample = asked(panel, allowed, large=10, sample=LEAST + 5).sample
    assert sample.max() < LEAST + 10
    allowed[:, LEAST - 1 :] = False
    assert isinstance(asked(panel, allowed, large=10), Whole)


def test_people_with_pools_that_have_little_in_common_are_asked_whole(panel):
    allowed = np.zeros((2, N), bool)
    allowed[0, : LEAST + 10], allowed[1, -LEAST - 10 :] = True, True
    assert isinstance(asked(panel, allowed, large=10, sample=LEAST + 5), Whole)


def test_a_narrow_pool_does_not_have_others_asked_whole(panel):
    wide, narrow, other = np.ones(N, bool), np.arange(N) < LEAST + 10, np.arange(N) >= N - LEAST - 10

    def groups(*rows, **settings):
        return [part.tolist() for part in Asking(large=10, sample=LEAST + 20, **settings).groups(panel, np.stack(rows))]

    assert groups(wide, wide) == [[0, 1]]
    assert groups(narrow, wide, narrow) == [[1], [0, 2]]
    assert groups(narrow, wide, other) == [[1], [0], [2]]
    assert groups(narrow, narrow) == [[0, 1]]
    handful = np.arange(N) < LEAST - 1
    assert groups(handful, wide, narrow, handful) == [[1], [0, 3], [2]]
    assert [len(part) for part in Asking(large=10, sample=LEAST - 1).groups(panel, np.stack([wide, narrow]))] == [2]
    assert [part.tolist() for part in Asking().groups(panel, np.stack([wide, narrow]))] == [[0, 1]]


def test_two_panels_as_one_are_asked_whole(panel):
    split = SplitPanel(panel.experts, panel, np.zeros(N, bool), 0)
    assert isinstance(asked(split, np.ones((1, N), bool), large=10), Whole)


def test_tables_are_few_where_a_very_large_catalogue_is_not_scored_whole(monkeypatch):
    monkeypatch.setattr(asking, "LARGE", N - 1)
    experts = {"popularity": Popularity(), "people": PriorMeanEASE(kappa=0.0), "segments": Segments(numbers=(2,))}
    panel = Panel.fit(experts, clusters(50, N, 3, seed=0))
    whole, how = 3, Asking(large=10, sample=2 * LEAST)
    every, shelf = np.ones(N, bool), np.arange(N) < LEAST
    found = [how.tables(panel, pool) for pool in (every, np.stack([every, every]))]
    assert found == [2, 2]  # of segments, and one in passing
    assert how.tables(panel, shelf) == whole  # so few are scored among all
    assert how.tables(panel, np.stack([every, shelf])) == whole
    assert Asking(large=10, sample=LEAST - 1).tables(panel, every) == whole
    assert how.tables(SplitPanel(panel.experts, panel, every, 0), every) == 2 * whole
    monkeypatch.setattr(asking, "LARGE", N)
    assert how.tables(panel, every) == whole


def test_draws_are_without_repeats():
    assert len(set(drawn(50, 20).tolist())) == 20
    assert not drawn(50, 20).flags.writeable


def test_of_a_large_catalogue_every_expert_puts_somebody_forward():
    """Also one that leaves it to others to look for items, where there are none."""
    data = clusters(80, 300, 4, seed=1)
    data = data.with_features(np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32))
    h = data.histories(np.arange(3))
    for expert in (ContentCosine(), PriorMeanEASE(), Transitions()):
        panel = Panel.fit({"it": expert}, data)
        query, _ = Asking(large=10, sample=250).scores(panel, h, np.ones((3, 300), bool)).candidates(20)
        assert np.bincount(query, minlength=3).min() >= 10, expert


def test_who_says_nothing_puts_nobody_forward():
    data = clusters(80, 300, 4, seed=1)
    data = data.with_features(np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32))
    panel = Panel.fit({"map": ContentMap(), "factors": Factors(dim=4)}, data)
    h = Histories.of([[], [1, 2]], 300)
    query, _ = Asking(large=10, sample=250).scores(panel, h, np.ones((2, 300), bool)).candidates(20)
    assert set(query) == {1}
