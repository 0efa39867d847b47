"""Keys and scopes: who may do what, and that a key is nowhere kept."""

import sqlite3

import pytest

from warmstart.errors import ConfigError, StoreUnavailable
from warmstart.serve.problems import Problem
from warmstart.serve.security import EVERYBODY, NOBODY, Keychain, digest, new_key, require


def test_each_scope_may_do_what_the_lesser_ones_may(guarded):
    service = guarded(require_keys=True)
    asked = [("GET", "/items/a"), ("POST", "/items"), ("GET", "/admin")]
    expected = {"read": [200, 403, 403], "write": [200, 200, 403], "admin": [200, 200, 200]}
    for scope, statuses in expected.items():
        key = service.key(scope)
        for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
            got = [service.client.request(*one, headers=headers).status_code for one in asked]
            assert got == statuses, scope
    refused = service.client.post("/items", headers={"X-API-Key": service.key("read")}).json()
    assert (refused["code"], refused["remedy"]) == ("forbidden", "use a key with write")


def test_a_client_of_aws_names_its_key_as_access_key_id(guarded):
    service = guarded(require_keys=True)
    sent = f"AWS4-HMAC-SHA256 Credential={service.key('read')}/20260101/eu/x/aws4_request, SignedHeaders=host"
    assert service.client.get("/items/a", headers={"Authorization": sent}).status_code == 200


def test_without_a_key_nothing_is_answered_where_keys_are_required(guarded):
    service = guarded(require_keys=True)
    for path in ("/items/a", "/admin"):
        response = service.client.get(path)
        assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"
    assert service.client.get("/health/live").status_code == 200


def test_wrong_keys_are_refused_in_every_way(guarded):
    service = guarded()
    key = service.key("admin")
    other = service.key("admin")
    mark, key_id, secret = key.split("_", 2)
    wrong = ["", "x", key[:-1], key + "x", f"wx_{key_id}_{secret}", f"ws__{secret}", f"ws_{key_id}_", "ws_0_0"]
    wrong += [f"ws_{other.split('_')[1]}_{secret}", digest(secret), f"ws_{key_id}_{digest(secret)}", f"{mark}_{key_id}"]
    for text in wrong:
        response = service.client.get("/admin", headers={"Authorization": f"Bearer {text}"})
        assert response.status_code == 401, text
        assert key not in response.text
    assert service.client.get("/admin", headers={"X-API-Key": "käse".encode()}).status_code == 401


def test_a_revoked_key_works_no_more_and_opens_nothing(guarded):
    service = guarded()
    key = service.key("admin")
    assert service.client.get("/admin", headers={"X-API-Key": key}).status_code == 200
    service.store.revoke(key.split("_")[1])
    assert service.client.get("/admin", headers={"X-API-Key": key}).status_code == 401
    assert service.client.get("/admin").status_code == 401  # the last key is gone; the door stays shut


def test_open_on_loopback_until_the_first_key_and_said_once(guarded, logged):
    service = guarded()
    with logged(service.settings) as written:
        assert [service.client.get("/admin").status_code for _ in range(3)] == [200] * 3
        assert written().count("no key exists") == 1
    service.key("read")
    assert service.client.get("/admin").status_code == 401


def test_open_nowhere_else(tmp_path, guarded):
    store = guarded().store
    assert Keychain(store, require_keys=False, is_loopback=True).holder(None) is EVERYBODY
    assert Keychain(store, require_keys=True, is_loopback=True).holder(None) is NOBODY
    assert Keychain(store, require_keys=False, is_loopback=False).holder(None) is NOBODY


def test_keys_are_looked_at_again_only_when_they_changed(guarded):
    service = guarded()
    key = service.key("read")
    asked = []

    class Counting:
        def versions(self):
            return service.store.versions()

        def keys(self):
            asked.append(1)
            return service.store.keys()

    keychain = Keychain(Counting(), require_keys=True, is_loopback=True, seconds=0.0)
    for _ in range(5):
        keychain.holder(key)
    assert len(asked) == 1
    service.key("read")
    keychain.holder(key)
    assert len(asked) == 2


def test_a_lost_database_keeps_the_keys_that_were_known(guarded):
    service = guarded()
    key = service.key("read")

    class Losing:
        lost = False

        def versions(self):
            if self.lost:
                raise StoreUnavailable("gone")
            return service.store.versions()

        def keys(self):
            return service.store.keys()

    store = Losing()
    keychain = Keychain(store, require_keys=False, is_loopback=True, seconds=0.0)
    assert keychain.holder(key).name == "test"
    store.lost = True
    assert keychain.holder(key).name == "test"
    assert keychain.holder(None) is NOBODY
    with pytest.raises(Problem) as caught:
        Keychain(store, require_keys=False, is_loopback=True).holder(None)
    assert caught.value.status == 503  # never read: neither open nor shut


def test_the_database_holds_hashes_alone(guarded, tmp_path):
    service = guarded()
    key = service.key("read")
    secret = key.split("_", 2)[2]
    service.store.close()
    rows = sqlite3.connect(tmp_path / "engine.db").execute("select * from keys")
    whole = str(rows.fetchall())
    assert digest(secret) in whole
    assert all(secret.encode() not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


@pytest.mark.parametrize("scopes", [[], ["all"], ["read", "root"]])
def test_unknown_scopes_are_refused(scopes):
    with pytest.raises(ConfigError, match=r"give some of read, write, admin"):
        new_key("x", scopes)


def test_a_route_cannot_ask_for_an_unknown_scope():
    with pytest.raises(ConfigError, match="scope 'reed' is unknown"):
        require("reed")


@pytest.mark.parametrize("said", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_where_no_key_is_needed_pages_of_other_sites_change_nothing(guarded, said):
    made = guarded()
    assert made.client.post("/items", content="a", headers=said).status_code == 403
    assert made.client.get("/items/a", headers=said).status_code == 200
    assert made.client.post("/items", content="a", headers={"Origin": "http://localhost"}).status_code == 200
    key = made.key("write")
    assert made.client.post("/items", content="a", headers=said | {"X-API-Key": key}).status_code == 200
