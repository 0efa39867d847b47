"""A panel asked of few items: of a very large catalogue by entries alone, with the same answers."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from warmstart.data.histories import Histories
from warmstart.data.toy import clusters
from warmstart.experts import asked
from warmstart.experts.asked import Asked
from warmstart.experts.beside import Entries, Rows
from warmstart.experts.columns import prune
from warmstart.experts.content import ContentMap
from warmstart.experts.linear import PriorMeanEASE
from warmstart.experts.panel import Panel
from warmstart.experts.popularity import Popularity
from warmstart.experts.transitions import Transitions

N = 60


@pytest.fixture(scope="module")
def panel():
    data = clusters(80, N, 3, seed=1)
    z = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
    experts = {"popularity": Popularity(), "map": ContentMap(), "people": PriorMeanEASE(), "next": Transitions()}
    fitted = Panel.fit(experts, data.with_features(z)).experts
    people = fitted["people"]
    few = sp.csr_matrix(prune(people.data, np.arange(N), keep=20))
    few.eliminate_zeros()
    return Panel(fitted | {"people": replace(people, data=few)})


@pytest.mark.parametrize("rows", [[[0, 4, 9], [], [7]], [[i] for i in range(12)]])
def test_entries_stand_for_rows_where_the_catalogue_is_very_large(panel, rows, monkeypatch):
    h, items = Histories.of(rows, N), np.tile(np.arange(N), (len(rows), 1))
    whole = panel.score(h)
    assert isinstance(Asked(panel, h).beside("people"), Rows)
    monkeypatch.setattr(asked, "LARGE", 10)
    large = Asked(panel, h)
    for name in ("people", "next"):
        assert isinstance(large.beside(name), Entries)
    found = large.at(items)
    for name, scores in whole.items():
        np.testing.assert_allclose(found[name], scores, atol=1e-4, err_msg=name)


def test_what_is_put_forward_is_the_same(panel, monkeypatch):
    h = Histories.of([[0, 4, 9], [7, 2]], N)
    allowed = np.random.default_rng(1).random((2, N)) < 0.9
    sample = np.arange(0, N, 5)
    few = [_forward(panel, h, allowed, sample, large, monkeypatch) for large in (10**6, 10)]
    assert few[0] == few[1]


def _forward(panel, h, allowed, sample, large, monkeypatch):
    monkeypatch.setattr(asked, "LARGE", large)
    found = Asked(panel, h).best(allowed, 8, sample)
    return {(int(q), int(i)) for query, item in found for q, i in zip(query, item, strict=True)}
