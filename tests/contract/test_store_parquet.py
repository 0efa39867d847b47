"""Every store out to Parquet and into every store."""

import json
import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from warmstart.data.ingest import read
from warmstart.errors import ArtefactError, DataError
from warmstart.store.rows import Answer, Event, Experiment, Item, Key, Model, Shown, User
from warmstart.store.store import Store


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        yield opened


@pytest.fixture
def other(tmp_path):
    with Store.open(tmp_path / "other.db") as opened:
        yield opened


def fill(store):
    store.put_items([Item("alien", {"title": "异形", "genres": ["horror"], "year": 1979}, added_at=1, updated_at=2)])
    store.put_items([Item("gone"), Item("heat", hidden=True, added_at=3, updated_at=4)])
    store.delete_item("gone")
    store.put_users([User("ann", {"age": 30}, 5, 6)])
    store.add_events([Event(f"e{n}", "ann", "alien", "rate", n, value=n / 2, weight=0.5) for n in range(5)])
    store.add_events([Event("e9", "bob", "heat", "click", 2**40, recommendation_id="r1")])
    places = [Shown("alien", 0.5, "als"), Shown("heat", 0.25, "explore", 0.2, explored=True)]
    store.add_answers([Answer("r1", None, 7, "m1", "home", "cold", places, "no history", request={"k": 2})])
    store.put_model(Model("m1", "/m1", created_at=8, until=store.events(limit=3)[-1].seq, report={"ndcg": 0.3}))
    store.put_model(Model("m2", "/m2", created_at=9))
    store.promote("m1")
    store.put_experiment(Experiment("x", ({"name": "a", "share": 1.0},), created_at=10))
    store.put_key(Key("k", "shop", "digest", ("read",)))
    store.put_vectors("minilm", {"alien": np.array([1, 2, 0.5], np.float32)})
    store.erase_user("bob")


def content(store):
    """Everything an export holds, with events by order and not by number."""
    return {
        "items": store.items(),
        "users": store.users(),
        "events": [replace(event, seq=0) for event in store.events()],
        "answers": store.answers(0, 2**62),
        "models": [replace(model, until=0) for model in store.models()],
        "experiments": store.experiments(),
        "vectors": {name: vector.tolist() for name, vector in store.vectors("minilm").items()},
        "receipts": store.receipts(),
    }


def test_a_store_goes_out_and_comes_back_as_it_was(store, other, tmp_path):
    fill(store)
    rows = store.export_parquet(tmp_path / "out")
    assert rows == {
        "erased": 1, "items": 2, "users": 1, "events": 5, "answers": 0, "models": 2, "experiments": 1, "vectors": 1,
        "receipts": 1,
    }  # fmt: skip
    other.add_events([Event("x", "eve", "heat", "click", 1)])  # so that numbers differ
    assert other.import_parquet(tmp_path / "out") == rows
    wanted = content(store)
    wanted["events"].insert(0, Event("x", "eve", "heat", "click", 1))
    assert content(other) == wanted
    until = other.model("m1").until
    assert [e.event_id for e in other.events() if e.seq <= until] == ["x", "e0", "e1", "e2"]
    assert (other.model("m2").until, other.keys()) == (0, [])


def test_importing_twice_changes_nothing(store, tmp_path):
    fill(store)
    store.add_answers([Answer("r2", "ann", 7, "m1", "home", "warm", [Shown("alien", 0.5, "als")])])
    store.export_parquet(tmp_path / "out")
    before = content(store)
    store.import_parquet(tmp_path / "out")
    store.import_parquet(tmp_path / "out")
    assert content(store) == before


def test_who_was_erased_does_not_come_back_with_an_older_export(store, other, tmp_path):
    now = int(time.time())
    store.put_users([User("ann", {"age": 30}, 5, 6), User("bob", {"age": 40}, 5, 6)])
    store.add_events([Event("e1", "bob", "heat", "click", 5), Event("e2", "ann", "heat", "click", 5)])
    store.add_events([Event("e3", "ann", "heat", "click", 6, recommendation_id="r1")])
    store.add_events([Event("e4", "ann", "heat", "click", now + 60)])  # by a clock that is ahead
    for name, user in (("r1", None), ("r2", None), ("r3", "ann"), ("r4", "bob")):
        store.add_answers([Answer(name, user, 7, "m1", "home", "warm", [Shown("alien", 0.5, "als")])])
    store.put_model(Model("m", "/m", until=store.events(limit=3)[-1].seq))
    store.export_parquet(tmp_path / "out")
    for one in (store, other):
        one.erase_user("ann")
        assert one.import_parquet(tmp_path / "out")["events"] == 4
        assert [e.event_id for e in one.events()] == ["e1", "e4"]
        assert [u.user_id for u in one.users()] == ["bob"]
        assert [a.recommendation_id for a in one.answers(0, 99)] == ["r2", "r4"]
    assert other.model("m").until == other.history("bob")[0].seq


def test_erasures_go_with_an_export(store, other, tmp_path):
    store.erase_user("ann")
    store.export_parquet(tmp_path / "out")
    other.erase_user("bob")  # with a salt of its own
    assert other.import_parquet(tmp_path / "out")["erased"] == 1
    data = read({"user_id": ["ann", "bob", "eve"], "item_id": ["heat"] * 3})
    assert other.seed(data)["events"] == 1
    before = other.versions()
    other.import_parquet(tmp_path / "out")
    assert other.versions()["erased"] == before["erased"]
    other.erase_user("ann")
    assert other.seed(read({"user_id": ["ann", "eve"], "item_id": ["up"] * 2}))["events"] == 1


def test_exports_of_the_first_version_are_read(store, other, tmp_path):
    fill(store)
    store.export_parquet(tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    del manifest["rows"]["erased"]
    (tmp_path / "out/manifest.json").write_text(json.dumps(manifest))
    shutil.rmtree(tmp_path / "out/erased")
    assert other.import_parquet(tmp_path / "out")["erased"] == 0
    assert content(other) == content(store)


def test_a_serving_model_stays(store, other, tmp_path):
    fill(store)
    store.export_parquet(tmp_path / "out")
    other.put_model(Model("own", "/own"))
    other.promote("own")
    other.import_parquet(tmp_path / "out")
    assert {m.version: m.status for m in other.models()} == {"own": "serving", "m1": "retired", "m2": "candidate"}


def test_an_export_has_pages(store, other, tmp_path, monkeypatch):
    monkeypatch.setattr("warmstart.store.parquet.PAGE", 3)
    monkeypatch.setattr("warmstart.store.restore.STEP", 2)
    fill(store)
    store.export_parquet(tmp_path / "out")
    assert [p.name for p in sorted((tmp_path / "out/events").iterdir())] == ["00000.parquet", "00001.parquet"]
    other.import_parquet(tmp_path / "out")
    assert content(other) == content(store)


def test_an_empty_store_goes_out_and_comes_back(store, other, tmp_path):
    assert set(store.export_parquet(tmp_path / "out").values()) == {0}
    assert set(other.import_parquet(tmp_path / "out").values()) == {0}


def test_others_can_read_an_export(store, tmp_path):
    fill(store)
    store.export_parquet(tmp_path / "out")
    items = pl.read_parquet(tmp_path / "out/items/*.parquet")
    assert items.columns == ["item_id", "fields", "hidden", "added_at", "updated_at"]
    assert json.loads(items["fields"][0]) == {"title": "异形", "genres": ["horror"], "year": 1979}
    text = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"digest" in text  # of the receipt; that of the key is not there
    assert b"shop" not in text


def test_an_export_overwrites_nothing(store, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("x")
    with pytest.raises(DataError, match="holds something already"):
        store.export_parquet(tmp_path / "out")
    assert (tmp_path / "out/mine").read_text() == "x"
    with pytest.raises(DataError, match="cannot be written"):
        store.export_parquet("/proc/nowhere/out")


def damage(folder, how):
    events = folder / "events/00000.parquet"
    if how == "no manifest":
        (folder / "manifest.json").unlink()
    elif how == "newer":
        text = (folder / "manifest.json").read_text()
        (folder / "manifest.json").write_text(text.replace('"format": 1', '"format": 2'))
    elif how == "cut":
        events.write_bytes(events.read_bytes()[:-50])
    elif how == "lost file":
        events.unlink()
    elif how == "lost column":
        pl.read_parquet(events).drop("kind").write_parquet(events)
    elif how == "null":
        pl.read_parquet(events).with_columns(kind=pl.lit(None, pl.String)).write_parquet(events)
    elif how == "type":
        pl.read_parquet(events).with_columns(time=pl.lit("noon")).write_parquet(events)
    else:
        items = folder / "items/00000.parquet"
        pl.read_parquet(items).with_columns(fields=pl.lit("{")).write_parquet(items)


@pytest.mark.parametrize(
    "how", ["no manifest", "newer", "cut", "lost file", "lost column", "null", "type", "broken JSON"]
)
def test_a_damaged_export_is_refused_with_one_line(tmp_path, other, how):
    with Store.open(tmp_path / "store.db") as store:
        fill(store)
        store.export_parquet(tmp_path / "out")
    damage(tmp_path / "out", how)
    with pytest.raises(ArtefactError, match=r"^[^\n]+$"):
        other.import_parquet(tmp_path / "out")
    assert other.last_seq() == 0


def test_writing_goes_on_while_an_export_is_made_and_imported(store, other, tmp_path):
    store.add_events([Event(f"old{n}", "ann", "alien", "click", n) for n in range(5000)])
    done, written = threading.Event(), []

    def write():
        while not done.is_set():
            store.add_events([Event(f"e{len(written)}", "ann", "alien", "click", 1)])
            written.append(store.last_seq())

    thread = threading.Thread(target=write)
    thread.start()
    while len(written) < 3:
        time.sleep(0.001)
    before = len(written)
    rows = store.export_parquet(tmp_path / "out")["events"]
    after = len(written) + 1
    store.import_parquet(tmp_path / "out")
    done.set()
    thread.join()
    assert 5000 + before <= rows <= 5000 + after
    assert len(written) > before
    assert store.item_counts()[0]["alien"] == 5000 + len(written)
    other.import_parquet(tmp_path / "out")
    assert [event.event_id for event in other.events(limit=10**6)][5000:] == [f"e{n}" for n in range(rows - 5000)]
