"""The fusion learns in worlds in which not every expert can."""

from dataclasses import dataclass

import numpy as np
import pytest

from warmstart.data.toy import clusters
from warmstart.errors import DataError
from warmstart.experts.content import ContentCosine
from warmstart.experts.popularity import Popularity
from warmstart.experts.silent import Silent
from warmstart.fusion.able import world_panel
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.worlds import episodes

LEARNED = []


@dataclass(frozen=True)
class Patient:
    """Content that takes long, and needs so many people."""

    least: int = 0

    def learns(self, data):
        return data.n_users >= self.least

    def fit(self, data):
        LEARNED.append(data)
        return ContentCosine().fit(data) if len(data.interactions) > 300 else None


@pytest.fixture(scope="module")
def data():
    toy = clusters(60, 40, 4, seed=1)
    return toy.with_features(np.eye(40, 8, dtype=np.float32))


def test_a_slow_expert_is_spared_where_only_items_nobody_met_are_asked_for(data):
    experts = {"slow": Patient(), "popularity": Popularity()}
    for world in episodes(data):
        panel = world_panel(experts, world)
        assert list(panel.experts) == ["slow", "popularity"]
        silent = isinstance(panel.experts["slow"], Silent)
        assert silent == (world.kind == "items" or len(world.train.interactions) <= 300)


def test_no_world_is_lost_where_a_slow_expert_has_too_little_to_learn_from(data):
    fusion = Fusion().fit({"slow": Patient(), "popularity": Popularity()}, data)
    always = Fusion().fit({"quick": ContentCosine(), "popularity": Popularity()}, data)
    assert {"slow.z", "popularity.z"} <= set(fusion.columns)
    asked = [{(c.state, c.low, c.queries) for c in f.cells} for f in (fusion, always)]
    assert asked[0] == asked[1]


def test_a_slow_expert_that_cannot_learn_at_all_is_not_asked(data):
    LEARNED.clear()
    fusion = Fusion().fit({"slow": Patient(least=1000), "popularity": Popularity()}, data)
    assert not LEARNED
    assert "slow.z" not in fusion.columns


def test_a_slow_expert_that_learns_in_no_world_has_no_say_at_all(data):
    @dataclass(frozen=True)
    class Late(Patient):
        def fit(self, data):
            return None

    fusion = Fusion().fit({"slow": Late(), "popularity": Popularity()}, data)
    assert not [c for c in fusion.columns if c.startswith("slow")]


def test_without_anybody_who_can_learn_the_remedy_is_told(data):
    with pytest.raises(DataError, match="Popularity"):
        Fusion().fit({"slow": Patient(least=1000)}, data)


def test_the_graph_can_be_left_out(data):
    experts = {"content": ContentCosine(), "popularity": Popularity()}
    assert {"degree", "paths", "path_weight"} <= set(Fusion().fit(experts, data).columns)
    assert not {"degree", "paths", "path_weight"} & set(Fusion(graph=False).fit(experts, data).columns)
