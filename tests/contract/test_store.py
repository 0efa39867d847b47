"""What every store does, on SQLite and on PostgreSQL."""

import math
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warmstart.errors import ConfigError, DataError
from warmstart.store.erase import is_of
from warmstart.store.rows import Answer, Event, Experiment, Item, Key, Model, Retention, Shown, User
from warmstart.store.store import Store

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.builds(
    Event,
    event_id=st.sampled_from("abcdefgh"),
    user_id=st.sampled_from(["ann", "bob", "张三"]),
    item_id=TEXT,
    kind=TEXT,
    time=st.integers(-(2**62), 2**62),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    weight=st.none() | st.floats(0, 10),
    recommendation_id=st.none() | TEXT,
)


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        yield opened


def event(n, user="ann", item="alien", time=0, kind="click"):
    return Event(f"e{n}", user, item, kind, time or n)


def answer(name, user="ann", time=10, **more):
    places = [Shown("alien", 0.5, "als"), Shown("heat", float("nan"), "explore", 0.25, explored=True, variant="b")]
    return replace(Answer(name, user, time, "m1", "home", "warm", places), **more)


def test_items_are_put_read_and_replaced(store):
    fields = {"title": "异形", "year": 1979, "genres": ["horror", "space"], "score": 8.5, "seen": None}
    assert store.put_items([Item("alien", fields, added_at=5, updated_at=6), Item("heat", hidden=True)]) == 2
    assert store.item("alien") == Item("alien", fields, added_at=5, updated_at=6)
    assert store.item("heat").hidden
    assert store.item("nothing") is None
    store.put_items([Item("alien", {"title": "Alien"}, added_at=99, updated_at=7)])
    assert store.item("alien") == Item("alien", {"title": "Alien"}, added_at=5, updated_at=7)


def test_the_last_of_two_rows_of_one_item_counts(store):
    store.put_items([Item("alien", {"n": 1}), Item("alien", {"n": 2})])
    assert [dict(item.fields) for item in store.items()] == [{"n": 2}]


def test_items_come_in_pages_by_id(store):
    store.put_items([Item(f"i{n}") for n in range(7)])
    first = store.items(limit=4)
    assert [i.item_id for i in first] == ["i0", "i1", "i2", "i3"]
    assert [i.item_id for i in store.items(after="i3", limit=4)] == ["i4", "i5", "i6"]


def test_ids_are_compared_by_their_bytes_everywhere(store):
    ids = ["a", "B", "é", "Z", "z", "10", "9", "张"]
    store.put_items([Item(i) for i in ids])
    assert [i.item_id for i in store.items()] == sorted(ids)


def test_a_change_of_items_is_found_by_its_version(store):
    store.put_items([Item("alien"), Item("heat")])
    seen = store.versions()["items"]
    assert store.items_since(seen) == []
    store.put_items([Item("heat", {"title": "Heat"})])
    assert [i.item_id for i in store.items_since(seen)] == ["heat"]
    assert [i.item_id for i in store.items_since(0)] == ["alien", "heat"]


def test_a_deleted_item_is_gone_and_said_so(store):
    store.put_items([Item("alien", {"title": "Alien"})])
    seen = store.versions()["items"]
    assert store.delete_item("alien")
    assert not store.delete_item("alien")
    assert (store.item("alien"), store.items(), store.items_since(0)) == (None, [], [])
    assert store.deleted_since(seen) == ["alien"]
    store.put_items([Item("alien", {"title": "Alien again"})])
    assert store.deleted_since(seen) == []
    assert store.item("alien").fields == {"title": "Alien again"}


def test_users_are_put_and_read(store):
    store.put_users([User("ann", {"age": 30}, added_at=5, updated_at=5), User("bob")])
    assert store.user("ann") == User("ann", {"age": 30}, 5, 5)
    assert [u.user_id for u in store.users(after="ann")] == ["bob"]
    assert store.user("nobody") is None


def test_an_event_is_kept_once(store):
    assert store.add_events([event(1), event(2), event(1)]) == 2
    assert store.add_events([event(2), event(3)]) == 1
    assert store.add_events([replace(event(1), item_id="other")]) == 0
    assert [e.event_id for e in store.events()] == ["e1", "e2", "e3"]
    assert store.history("ann")[0].item_id == "alien"


def test_a_history_is_the_newest_events_oldest_first(store):
    store.add_events([event(1, time=30), event(2, time=10), event(3, time=20), event(4, time=10), event(5, "bob")])
    assert [e.event_id for e in store.history("ann")] == ["e2", "e4", "e3", "e1"]
    assert [e.event_id for e in store.history("ann", limit=2)] == ["e3", "e1"]
    assert store.history("nobody") == []


def test_what_was_shown_crowds_out_nothing_that_was_done(store):
    store.add_events([Event("done", "ann", "alien", "buy", 1)])
    store.add_events([Event(f"s{n}", "ann", f"i{n}", "impression", 2 + n) for n in range(9)])
    assert [e.event_id for e in store.history("ann", limit=3)] == ["s6", "s7", "s8"]
    assert [e.event_id for e in store.history("ann", limit=3, impressions=False)] == ["done"]


def test_events_are_numbered_as_they_arrive(store):
    assert store.last_seq() == 0
    store.add_events([event(1, time=99)])
    seen = store.last_seq()
    store.add_events([event(2, time=5), event(3, time=7)])
    assert [e.event_id for e in store.events(seen)] == ["e2", "e3"]
    assert [e.event_id for e in store.events(seen, limit=1)] == ["e2"]
    assert store.events(seen)[-1].seq == store.last_seq() > seen > 0


def test_counts_go_on_where_they_ended(store):
    store.add_events([event(1), event(2, item="heat"), event(3, kind="view")])
    counts, seen = store.item_counts()
    assert counts == {"alien": 2, "heat": 1}
    assert store.item_counts(seen) == ({}, seen)
    store.add_events([event(4, item="heat")])
    assert store.item_counts(seen)[0] == {"heat": 1}
    assert store.item_counts(kinds=["view"])[0] == {"alien": 1}
    assert store.item_counts(kinds=[])[0] == {}


def test_answers_are_kept_with_what_was_shown(store):
    whole = answer("r1", experiment="x", variant="b", fallback="no history", request={"k": 2}, milliseconds=1.5)
    assert store.add_answers([whole, whole]) == 1
    assert store.add_answers([answer("r1", time=99)]) == 0
    found = store.answer("r1")
    assert math.isnan(found.items[1].score)
    assert replace(found, items=()) == replace(whole, items=())
    assert found.items[0] == Shown("alien", 0.5, "als")
    assert (found.items[1].propensity, found.items[1].explored, found.items[1].variant) == (0.25, True, "b")
    assert store.answer("nothing") is None


def test_answers_are_found_by_time(store):
    store.add_answers([answer(f"r{n}", time=n) for n in range(5)])
    assert [a.recommendation_id for a in store.answers(1, 4)] == ["r1", "r2", "r3"]
    assert [a.recommendation_id for a in store.answers(0, 9, limit=2)] == ["r0", "r1"]


def test_one_model_serves(store):
    assert store.serving() is None
    for version in ("a", "b", "c"):
        store.put_model(Model(version, f"/models/{version}", created_at=1))
    assert store.promote("a").status == "serving"
    assert store.promote("b").promoted_at > 0
    assert store.promote("b").version == "b"
    assert {m.version: m.status for m in store.models()} == {"a": "retired", "b": "serving", "c": "candidate"}
    assert store.serving().version == "b"
    store.promote("a")  # roll back
    assert store.serving().version == "a"


def test_what_is_known_of_a_model_changes_and_its_serving_does_not(store):
    store.put_model(Model("a", "/a", until=7))
    store.promote("a")
    store.put_model(replace(store.serving(), report={"ndcg": 0.3}))
    assert (store.model("a").report, store.model("a").until) == ({"ndcg": 0.3}, 7)
    with pytest.raises(DataError, match="promote"):
        store.put_model(Model("a", "/a", "retired"))
    with pytest.raises(DataError, match="promote"):
        store.put_model(Model("z", "/z", "serving"))
    assert store.serving().version == "a"


def test_a_refused_model_never_serves(store):
    store.put_model(Model("a", "/a", report={"ndcg": 0.3}))
    assert store.refuse_model("a", "its folder is damaged")
    assert store.model("a").report == {"ndcg": 0.3, "refused": "its folder is damaged"}
    with pytest.raises(DataError, match="refused"):
        store.promote("a")
    with pytest.raises(DataError, match="no model 'b'"):
        store.promote("b")
    assert not store.refuse_model("b", "why")


def test_the_serving_model_cannot_be_refused(store):
    store.put_model(Model("a", "/a"))
    store.promote("a")
    assert not store.refuse_model("a", "a mistake")
    assert store.serving().version == "a"


def test_experiments_are_put_and_stopped(store):
    running = Experiment("x", ({"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}), scenario="home", created_at=3)
    store.put_experiment(running)
    store.put_experiment(replace(running, status="stopped", stopped_at=9))
    assert store.experiments() == [replace(running, status="stopped", stopped_at=9)]


def test_keys_are_put_and_revoked_once(store):
    store.put_key(Key("k1", "shop", "digest", ("read", "write"), created_at=4))
    assert store.keys() == [Key("k1", "shop", "digest", ("read", "write"), 4, 0)]
    assert store.revoke("k1")
    assert not store.revoke("k1")
    assert store.keys()[0].revoked_at > 0
    with pytest.raises(DataError):
        store.put_key(Key("k2", "other", "digest", ("read",)))


def test_a_document_is_written_and_replaced(store):
    assert store.state("popularity") == {}
    store.set_state("popularity", {"seq": 5, "counts": {"alien": 2.5}})
    store.set_state("popularity", {"seq": 6})
    assert store.state("popularity") == {"seq": 6}


def test_a_lock_has_one_holder_until_it_ends(store):
    assert store.lock("refit", "a", 60)
    assert not store.lock("refit", "b", 60)
    assert store.lock("refit", "a", 60)
    assert not store.unlock("refit", "b")
    assert store.unlock("refit", "a")
    assert store.lock("refit", "b", -1)  # ends at once
    assert store.lock("refit", "c", 60)
    assert store.lock("other", "a", 60)


def test_a_lock_of_a_clock_that_went_back_does_not_hold_for_ever(store, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400)
    assert store.lock("refit", "a", 3600)
    monkeypatch.setattr(time, "time", lambda: now)
    assert store.lock("refit", "b", 3600)


def test_each_change_raises_its_own_version(store):
    store.put_model(Model("a", "/a"))
    changes = {
        "items": lambda: store.put_items([Item("alien")]),
        "users": lambda: store.put_users([User("ann")]),
        "models": lambda: store.promote("a"),
        "experiments": lambda: store.put_experiment(Experiment("x", ())),
        "keys": lambda: store.put_key(Key("k", "n", "d", ())),
    }
    for name, change in changes.items():
        before = store.versions()
        change()
        assert store.versions() == before | {name: before[name] + 1}
    before = store.versions()
    store.add_events([event(1)])
    store.add_answers([answer("r")])
    assert store.versions() == before


def test_nothing_given_changes_nothing(store):
    before = store.versions()
    assert (store.put_items([]), store.put_users([]), store.add_events([]), store.add_answers([])) == (0, 0, 0, 0)
    assert store.versions() == before


@pytest.mark.parametrize("bad", [Event("e", "u\ud800", "i", "click", 1), Event("e", "u", "i", "click", 2**63)])
def test_a_value_no_database_holds_is_refused_and_nothing_kept(store, bad):
    with pytest.raises(DataError, match="correct the row"):
        store.add_events([event(1), bad])
    with pytest.raises(DataError, match="correct the row"):
        store.put_items([Item("a", {"x": object()})])
    assert (store.last_seq(), store.items(), store.versions()["items"]) == (0, [], 0)


def test_many_threads_read_and_write(store):
    def work(worker):
        for n in range(20):
            store.add_events([Event(f"{worker}-{n}", f"u{worker}", "alien", "click", n)])
            store.put_items([Item(f"i{worker}")])
            store.history(f"u{worker}")

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.events(limit=1000)) == 120
    assert store.versions()["items"] == 120
    assert all(len(store.history(f"u{worker}")) == 20 for worker in range(6))


def test_who_reads_on_from_the_last_number_misses_no_event(store):
    done, seen = threading.Event(), []

    def read_on():
        after = 0
        while True:
            last_round = done.is_set()
            for found in store.events(after):
                seen.append(found.event_id)
                after = found.seq
            if last_round:
                return
            time.sleep(0.001)

    def write(worker):
        for n in range(25):
            store.add_events([Event(f"{worker}-{n}", "ann", "alien", "click", n)])

    reader = threading.Thread(target=read_on)
    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert len(seen) == len(set(seen)) == 100


@given(rows=st.lists(EVENTS, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_history_is_what_was_written_in_order_of_time(store, rows):
    from warmstart.store.tables import EVENTS as TABLE

    with store.database.write() as connection:
        connection.execute(TABLE.delete())
    first = {}
    for row in rows:
        first.setdefault(row.event_id, row)
    assert store.add_events(rows) == len(first)
    for user in ("ann", "bob", "张三"):
        expected = sorted((e for e in first.values() if e.user_id == user), key=lambda e: e.time)
        assert [replace(e, seq=0) for e in store.history(user)] == expected


@given(fields=st.dictionaries(TEXT, JSON, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fields_come_back_as_they_were(store, fields):
    store.put_items([Item("alien", fields)])
    assert store.item("alien").fields == fields


def test_vectors_are_put_read_and_replaced(store):
    a, b = np.array([1, 2, 3], np.float32), np.array([0.1, 0, -5], np.float32)
    assert store.put_vectors("minilm", {"alien": a, "heat": b}) == 2
    store.put_vectors("minilm", {"heat": a})
    store.put_vectors("other", {"alien": b[:2]})
    found = store.vectors("minilm", ["heat", "alien", "nothing"])
    assert {name: v.tolist() for name, v in found.items()} == {"alien": [1, 2, 3], "heat": [1, 2, 3]}
    assert found["heat"].dtype == np.float32
    assert store.vectors("other")["alien"].tolist() == b[:2].tolist()
    assert store.vectors("nothing") == store.vectors("minilm", []) == {}


def test_the_nearest_are_those_of_the_largest_cosine(store):
    rng = np.random.default_rng(0)
    made = {f"i{n}": rng.normal(size=8).astype(np.float32) for n in range(50)} | {"zero": np.zeros(8, np.float32)}
    store.put_vectors("minilm", made)
    query = rng.normal(size=8).astype(np.float32)
    cosine = {n: float(v @ query / max(np.linalg.norm(v) * np.linalg.norm(query), 1e-9)) for n, v in made.items()}
    expected = sorted(cosine, key=lambda name: -cosine[name])
    found = store.nearest("minilm", query, 60)
    assert [name for name, _ in found] == expected
    assert [c for _, c in found] == pytest.approx([cosine[name] for name in expected], abs=1e-6)
    assert store.nearest("minilm", query, 3) == found[:3]
    assert store.nearest("nothing", query, 3) == []


@pytest.mark.parametrize("bad", [np.ones(2), np.ones((1, 3)), np.array([1, np.nan, 0])])
def test_a_vector_that_does_not_fit_is_refused(store, bad):
    store.put_vectors("minilm", {"alien": np.ones(3)})
    with pytest.raises(DataError, match="'minilm'"):
        store.put_vectors("minilm", {"heat": bad})
    with pytest.raises(DataError, match="'minilm'"):
        store.nearest("minilm", bad, 3)
    assert list(store.vectors("minilm")) == ["alien"]


def test_a_dropped_space_takes_its_vectors_along(store):
    store.put_vectors("minilm", {"alien": np.ones(3)})
    assert store.drop_space("minilm")
    assert not store.drop_space("minilm")
    store.put_vectors("minilm", {"heat": np.ones(5)})
    assert list(store.vectors("minilm")) == ["heat"]


def test_nothing_of_an_erased_person_is_left(store):
    store.put_users([User("ann", {"age": 30}), User("bob")])
    store.put_model(Model("before", "/a", until=store.last_seq()))
    store.add_events([event(1), event(2), replace(event(3), recommendation_id="r2"), event(4, "bob")])
    store.put_model(Model("after", "/b", until=store.last_seq()))
    store.add_answers([answer("r1"), answer("r2", user=None), answer("r3", user="bob"), answer("r4", user=None)])
    before = store.versions()
    receipt = store.erase_user("ann")
    assert receipt.counts == {"users": 1, "events": 3, "answers": 2}
    assert receipt.models == ("after",)
    assert store.receipts() == [receipt]
    assert "ann" not in repr(store.receipts())
    assert (is_of(receipt, "ann"), is_of(receipt, "bob")) == (True, False)
    assert (store.user("ann"), store.history("ann")) == (None, [])
    assert [a.recommendation_id for a in store.answers(0, 99)] == ["r3", "r4"]
    assert len(store.history("bob")) == 1
    assert store.versions() == before | {"users": before["users"] + 1, "erased": before["erased"] + 1}


def test_erasing_nobody_gives_a_receipt_of_nothing(store):
    store.put_model(Model("a", "/a", until=99))
    receipt = store.erase_user("nobody")
    assert receipt.counts == {"users": 0, "events": 0, "answers": 0}
    assert receipt.models == ()


def test_a_number_is_not_given_again_after_the_newest_rows_went(store):
    store.add_events([event(1, "bob"), event(2)])
    seen = store.last_seq()
    store.erase_user("ann")
    store.add_events([event(3, "bob")])
    assert [e.event_id for e in store.events(seen)] == ["e3"]


def test_what_is_older_than_it_is_kept_goes(store):
    day = 86_400
    store.add_events([event(n, time=n * day) for n in range(1, 6)])
    store.add_events([event(10 + n, time=n * day, kind="impression") for n in range(1, 6)])
    store.add_answers([answer(f"r{n}", time=n * day) for n in range(1, 6)])
    assert store.retain(Retention(), now=10**9) == {"events": 0, "impressions": 0, "answers": 0}
    removed = store.retain(Retention(events=4, answers=1.5), now=6 * day)
    assert removed == {"events": 1, "impressions": 4, "answers": 4}
    assert [e.event_id for e in store.events()] == ["e2", "e3", "e4", "e5", "e15"]
    assert [a.recommendation_id for a in store.answers(0, 10**9)] == ["r5"]


def test_many_old_rows_go_page_by_page(store, monkeypatch):
    monkeypatch.setattr("warmstart.store.retain.PAGE", 4)
    store.add_events([event(n) for n in range(1, 11)])
    assert store.retain(Retention(events=1), now=10**6)["events"] == 10
    assert store.last_seq() == 0


def test_a_negative_retention_is_refused():
    with pytest.raises(ConfigError, match="answers is -1 days"):
        Retention(answers=-1)
    with pytest.raises(ConfigError, match="events is nan days"):
        Retention(events=float("nan"))
