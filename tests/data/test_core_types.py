"""The core types: what they refuse, and what survives a round trip."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data.catalog import Catalog
from warmstart.data.dataset import Dataset
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.toy import checkerboard, clusters
from warmstart.data.vocab import Vocabulary
from warmstart.errors import ArtefactError, DataError

ROWS = st.lists(st.lists(st.integers(0, 6), max_size=5), min_size=1, max_size=6)


def test_vocabulary():
    items = Vocabulary(["a", "b"])
    assert items.extended(["b", "c", "c"]).ids == ("a", "b", "c")
    assert items == Vocabulary(("a", "b")) != Vocabulary(["b", "a"])
    assert hash(items) == hash(Vocabulary(["a", "b"]))
    assert (len(items), "a" in items, repr(items)) == (2, True, "Vocabulary(2 ids)")
    with pytest.raises(DataError, match="id 'a' occurs twice"):
        Vocabulary(["a", "b", "a"])


def test_catalog():
    old = Catalog(pl.DataFrame({"item_id": ["a"], "name": ["Alien"]}))
    new = old.extended(pl.DataFrame({"item_id": ["b"], "year": [1979]}))
    assert (new.title(0), new.title(1), new.table["year"].to_list()) == ("Alien", "b", [None, 1979])
    with pytest.raises(DataError, match="'a' is already in the catalogue"):
        new.extended(pl.DataFrame({"item_id": ["a"]}))
    with pytest.raises(DataError, match="has no column 'item_id'"):
        Catalog(pl.DataFrame({"title": ["x"]}))
    with pytest.raises(DataError, match="occurs twice"):
        Catalog(pl.DataFrame({"item_id": ["a", "a"]}))


def test_graph_and_interactions_refuse():
    with pytest.raises(DataError, match="the graph has no column 'tail'"):
        KnowledgeGraph(pl.DataFrame({"head": ["a"], "relation": ["b"]}))
    with pytest.raises(DataError, match="weight of 0 or less"):
        Interactions.of(np.array([0]), np.array([0]), 1, 1, weight=np.array([0.0]))


@given(
    events=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=20),
)
@settings(max_examples=80, deadline=None)
def test_events_are_sorted_and_ties_keep_their_order(events):
    user, item, time = (np.array([e[k] for e in events], dtype=np.int64) for k in range(3))
    x = Interactions.of(user, item, 4, 4, time=time)
    assert [*zip(x.user.tolist(), x.time.tolist(), x.item.tolist(), strict=True)] == [
        (u, t, i) for u, i, t in sorted(events, key=lambda e: (e[0], e[2]))
    ]
    assert x.user_counts().sum() == len(events)
    assert all(x.position()[k] == 0 or x.user[k] == x.user[k - 1] for k in range(len(x)))


@given(rows=ROWS)
@settings(max_examples=80, deadline=None)
def test_histories_keep_their_rows(rows):
    h = Histories.of(rows, n_items=7)
    assert [h.row(q).tolist() for q in range(len(h))] == rows
    assert [h.take(np.array([q])).row(0).tolist() for q in range(len(h))] == rows
    assert h.recent(1).tolist() == [r[-1] if r else -1 for r in rows]
    assert (h.matrix().sum(axis=1).ravel() == [len(set(r)) for r in rows]).all()
    assert (h.matrix(binary=False).sum(axis=1).ravel() == [len(r) for r in rows]).all()


def test_histories_of_users_and_their_attributes():
    data = clusters()
    h = data.histories(np.array([3, -1]))
    assert h.lengths[1] == 0
    assert h.row(0).tolist() == data.interactions.item[data.interactions.user == 3].tolist()
    assert h.attributes["age"].to_list() == [data.user_table["age"][3], None]
    assert checkerboard().histories(np.array([0])).attributes is None


def test_a_dataset_fits_together():
    data = checkerboard(4, 4)
    with pytest.raises(DataError, match="interactions count 4 items, the catalogue 1"):
        replace(data, catalog=Catalog(pl.DataFrame({"item_id": ["a"]})))
    with pytest.raises(DataError, match="users table has 1 rows for 4 users"):
        replace(data, user_table=pl.DataFrame({"age": [1]}))
    fewer = data.with_interactions(data.interactions.select(data.interactions.user == 0))
    assert fewer.fingerprint() != data.fingerprint()
    assert data.with_features(np.eye(4)).features.shape == (4, 4)


@pytest.mark.parametrize("data", [checkerboard(), clusters()], ids=["plain", "everything"])
def test_a_round_trip(data, tmp_path):
    data.save(tmp_path)
    back = Dataset.load(tmp_path)
    assert back.fingerprint() == data.fingerprint()
    assert back.catalog.table.equals(data.catalog.table)
    assert (back.graph is None) == (data.graph is None)
    assert data.user_table is None or back.user_table.equals(data.user_table)


def test_a_changed_folder_is_noticed(tmp_path):
    with pytest.raises(ArtefactError, match="is not a saved dataset"):
        Dataset.load(tmp_path)
    checkerboard().save(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(ArtefactError, match="has format 99"):
        Dataset.load(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"fingerprint": "0"}))
    with pytest.raises(ArtefactError, match="was changed after it was saved"):
        Dataset.load(tmp_path)
