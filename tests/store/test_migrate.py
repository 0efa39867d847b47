import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from warmstart.errors import ArtefactError
from warmstart.store.database import Database
from warmstart.store.migrate import current, scripts, to_newest, upgrade
from warmstart.store.rows import Event
from warmstart.store.store import Store
from warmstart.store.tables import METADATA

FIRST = {
    "answers": "('r1', 'ann', 5, 'm1', 'home', 'warm', '[]', NULL, NULL, NULL, '{}', 1.5)",
    "items": "('alien', '{\"title\": \"Alien\"}', FALSE, 1, 2, 0, 1)",
    "users": "('ann', '{\"age\": 30}', 1, 2)",
    "models": "('m1', '/m1', 'serving', 1, 2, 0, '{}')",
    "states": "('popularity', '{\"seq\": 5}')",
}


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request, tmp_path):
    """A database without any table."""
    url = tmp_path / "store.db" if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    database = Database(url)
    yield database
    database.close()


def test_the_tables_are_what_the_migrations_make(empty):
    to_newest(empty)
    with empty.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
        assert found == []
        for table in METADATA.sorted_tables:  # which alembic does not compare
            look = inspect(connection)
            assert look.get_pk_constraint(table.name)["constrained_columns"] == [c.name for c in table.primary_key]
            nullable = {c["name"]: c["nullable"] for c in look.get_columns(table.name)}
            assert nullable == {c.name: c.nullable for c in table.columns}


def test_what_the_first_version_held_is_still_there(empty):
    with empty.write() as connection:
        upgrade(connection, empty.name, "0001")
        for table, row in FIRST.items():
            connection.execute(text(f"INSERT INTO {table} VALUES {row.replace(':', chr(92) + ':')}"))
        columns = "event_id, user_id, item_id, kind, time"
        connection.execute(text(f"INSERT INTO events ({columns}) VALUES ('e1', 'ann', 'alien', 'click', 5)"))
        assert current(connection) == "0001"
    to_newest(empty)
    store = Store(empty)
    assert store.item("alien").fields == {"title": "Alien"}
    assert store.user("ann").attributes == {"age": 30}
    assert store.history("ann") == [Event("e1", "ann", "alien", "click", 5, seq=store.last_seq())]
    assert (store.answer("r1").model, store.serving().version, store.state("popularity")) == ("m1", "m1", {"seq": 5})
    assert store.versions()["items"] == 0
    with empty.read() as connection:
        assert current(connection) == scripts().get_current_head()


def test_each_migration_follows_one_other():
    found = list(scripts().walk_revisions())
    assert [script.revision for script in reversed(found)] == [f"{n:04}" for n in range(1, len(found) + 1)]
    assert len(scripts().get_heads()) == 1


def test_a_database_of_a_newer_version_is_refused_as_it_is(empty):
    to_newest(empty)
    with empty.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        ArtefactError, match=r"has schema 9999, and this warmstart knows none after 0.*; upgrade warmstart$"
    ):
        to_newest(empty)
    with empty.read() as connection:
        assert current(connection) == "9999"


def test_two_processes_that_open_it_together_make_one_schema(empty):
    from concurrent.futures import ThreadPoolExecutor

    urls = [empty.file.path if empty.file else empty.engine.url.render_as_string(hide_password=False)] * 4
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(Store.open, urls))
    for store in stores:
        assert store.versions()["items"] == 0
        store.close()
