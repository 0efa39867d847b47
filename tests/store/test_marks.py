"""Marks of erased persons: told by their id, and by nothing else."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import DataError
from warmstart.store.append import append, rows_of
from warmstart.store.marks import Marks, digest, lasting
from warmstart.store.rows import Event
from warmstart.store.store import Store
from warmstart.store.tables import ERASED


def marks(store):
    with store.database.read() as connection:
        return connection.execute(ERASED.select()).all()


def test_a_mark_names_nobody_and_is_kept_once_a_person(tmp_path):
    with Store.open(tmp_path / "store.db") as store:
        for user in ("ann", "bob", "ann"):
            store.erase_user(user)
        rows = marks(store)
        assert len(rows) == 2
        assert "ann" not in str(rows)
        assert {row.salt for row in rows} == {rows[0].salt}
        assert digest("ann", rows[0].salt) in {row.digest for row in rows}


def test_nobody_is_hashed_where_nobody_was_erased(tmp_path, monkeypatch):
    def never(user, salt):
        raise AssertionError(user)

    monkeypatch.setattr("warmstart.store.marks.digest", never)
    with Store.open(tmp_path / "store.db") as store, Marks(store.database).write({"ann"}) as (_, erased):
        assert erased == {}


def test_everybody_is_hashed_once_a_salt(tmp_path, monkeypatch):
    hashed = []

    def counted(user, salt):
        hashed.append(user)
        return digest(user, salt)

    with Store.open(tmp_path / "store.db") as store:
        before = int(time.time())
        store.erase_user("ann")
        monkeypatch.setattr("warmstart.store.marks.digest", counted)
        known = Marks(store.database)
        for _ in range(3):
            with known.write({"ann", "bob"}) as (_, erased):
                assert set(erased) == {"ann"}
                assert before <= erased["ann"] <= time.time()
        assert sorted(hashed) == ["ann", "bob"]


def test_an_erasure_after_the_look_is_seen_before_anything_is_written(tmp_path):
    with Store.open(tmp_path / "store.db") as store:
        known = Marks(store.database)
        with known.write({"ann"}) as (_, erased):
            assert erased == {}
        store.erase_user("ann")
        with known.write({"ann"}) as (_, erased):
            assert set(erased) == {"ann"}


def test_a_failed_transaction_leaves_nothing(tmp_path):
    with Store.open(tmp_path / "store.db") as store:
        with pytest.raises(DataError), Marks(store.database).write({"ann"}) as (connection, _):
            append(connection, rows_of([Event("e", "ann", "a", "view", 5), Event("f", "ann", "a", "view", 2**70)]))
        assert store.last_seq() == 0


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob", None]), st.integers(-1, 9))), st.integers(0, 9))
def test_only_what_is_younger_than_the_erasure_lasts(said, at):
    rows = [{"user_id": user, "time": time} for user, time in said]
    wanted = [row for row in rows if not (row["user_id"] == "ann" and row["time"] <= at)]
    assert lasting(rows, {"ann": at}, "time") == wanted
