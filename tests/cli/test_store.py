"""The database from the command line."""

import json

import pytest
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.store.erase import is_of
from warmstart.store.rows import Event, Item, Model
from warmstart.store.store import Store


@pytest.fixture
def ask(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with Store.open(tmp_path / "engine.db") as store:
        store.put_items([Item("alien", {"title": "Alien"})])
        store.add_events([Event(f"e{n}", "ann", "alien", "click", n) for n in range(3)])
        store.put_model(Model("m1", "engine", until=99))

    def asking(*words):
        return CliRunner().invoke(app, ["store", *words])

    return asking


def test_a_store_is_exported_and_imported_elsewhere(ask, tmp_path):
    out = ask("export", "engine", "--to", "copy", "--json")
    assert (out.exit_code, json.loads(out.stdout)["events"]) == (0, 3)
    assert ask("import", "--from", "copy", "--database-url", "sqlite:///other.db").exit_code == 2  # no engine named
    told = ask("import", "engine", "--from", "copy", "--database-url", "sqlite:///other.db")
    assert (told.exit_code, "events" in told.stdout) == (0, True)
    with Store.open(tmp_path / "other.db") as store:
        assert [event.event_id for event in store.history("ann")] == ["e0", "e1", "e2"]


def test_a_store_is_filled_once(ask, tmp_path):
    (tmp_path / "ratings.csv").write_text("user,item,rating,time\nbob,heat,4,1000000000\nbob,alien,2,1000000060\n")
    (tmp_path / "films.csv").write_text("item,title\nheat,Heat\nalien,Other\n")
    words = ("fill", "ratings.csv", "--items", "films.csv", "--engine", "engine", "--json")
    assert json.loads(ask(*words).stdout) == {"items": 1, "users": 0, "events": 2}
    assert json.loads(ask(*words).stdout) == {"items": 0, "users": 0, "events": 0}
    with Store.open(tmp_path / "engine.db") as store:
        assert [(e.kind, e.value, e.item_id) for e in store.history("bob")] == [
            ("rate", 4, "heat"),
            ("rate", 2, "alien"),
        ]
        assert store.item("alien").fields == {"title": "Alien"}


def test_a_person_is_erased_with_a_receipt(ask, tmp_path):
    receipt = json.loads(ask("erase", "engine", "--user", "ann", "--json").stdout)
    assert (receipt["counts"]["events"], receipt["models"]) == (3, ["m1"])
    with Store.open(tmp_path / "engine.db") as store:
        assert store.history("ann") == []
        assert is_of(store.receipts()[0], "ann")
    assert "receipt" in ask("erase", "engine", "--user", "ann").stdout


def test_what_is_too_old_is_removed(ask, tmp_path):
    assert json.loads(ask("retain", "engine", "--json").stdout)["events"] == 0
    (tmp_path / "warmstart.toml").write_text("retention_events_days = 30\n")
    assert json.loads(ask("retain", "engine", "--json").stdout)["events"] == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("export", "engine", "--to", "."), "holds something already"),
        (("import", "engine", "--from", "nothing"), "is no export of a store"),
        (("retain", "engine", "--database-url", "sqlite://"), "names no file of SQLite"),
    ],
)
def test_a_mistake_is_one_line(ask, words, told):
    got = ask(*words)
    assert (got.exit_code, told in got.stderr, got.stderr.count("\n")) == (2, True, 1)
