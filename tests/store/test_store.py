import pytest

from warmstart.errors import ConfigError
from warmstart.store.rows import Event, Item
from warmstart.store.store import Store


def test_what_was_stored_is_there_after_opening_again(tmp_path):
    with Store.open(tmp_path / "deep" / "store.db") as store:
        store.put_items([Item("alien", {"title": "Alien", "genres": ["horror", "space"]})])
        store.add_events([Event("e1", "ann", "alien", "click", 5)])
    with Store.open(f"sqlite:///{tmp_path}/deep/store.db") as store:
        assert store.item("alien").fields == {"title": "Alien", "genres": ["horror", "space"]}
        assert [e.item_id for e in store.history("ann")] == ["alien"]


@pytest.mark.parametrize("url", ["mysql://shop", "sqlite://", "sqlite:///:memory:", "sqlite:///x.db?mode=ro", "://"])
def test_an_address_that_cannot_be_used_is_refused(url):
    with pytest.raises(ConfigError, match=r"write sqlite:///"):
        Store.open(url)
