"""Keys from the command line, and what ``serve`` says before it serves."""

import json

import pytest
from typer.testing import CliRunner

from warmstart.cli.main import app
from warmstart.serve.security import Keychain, digest
from warmstart.store.store import Store


@pytest.fixture
def ask(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def asking(*words):
        return CliRunner().invoke(app, list(words))

    return asking


def test_a_key_is_made_listed_and_revoked(ask):
    made = ask("keys", "create", "engine", "--name", "shop", "--scopes", "read,write")
    key = made.stdout.strip()
    assert (made.exit_code, key[:3]) == (0, "ws_")
    assert "cannot be shown again" in made.stderr
    with Store.open("sqlite:///engine.db") as store:
        assert Keychain(store, require_keys=True, is_loopback=False).holder(key).scopes == {"read", "write"}
    listed = json.loads(ask("keys", "list", "engine", "--json").stdout)
    assert [(row["name"], row["scopes"], row["revoked"]) for row in listed] == [("shop", "read,write", "")]
    assert digest(key.split("_", 2)[2]) not in str(listed)
    assert ask("keys", "revoke", "engine", "--id", listed[0]["id"]).exit_code == 0
    assert json.loads(ask("keys", "list", "engine", "--json").stdout)[0]["revoked"]
    again = ask("keys", "revoke", "engine", "--id", listed[0]["id"])
    assert (again.exit_code, "unknown or was revoked" in again.stderr) == (2, True)


def test_lists_are_for_people_too(ask):
    assert "no keys" in ask("keys", "list", "engine").stdout
    made = json.loads(ask("keys", "create", "engine", "--name", "a", "--scopes", "admin", "--json").stdout)
    assert made["key"].startswith(f"ws_{made['key_id']}_")
    assert made["key_id"] in ask("keys", "list", "engine").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("keys", "create", "engine", "--name", "x", "--scopes", "root"), "give some of read, write, admin"),
        (
            (
                "keys",
                "list",
            ),
            "engine is missing",
        ),
        (("keys", "list", "engine", "--database-url", "mysql://x"), "mysql"),
        (("serve", "--show-settings"), "engine is missing"),
        (("serve", "engine", "--port", "99999", "--show-settings"), "65535"),
        (("serve", "engine", "--host", "0.0.0.0"), "is public and lacks require_keys"),
        (("serve", "engine", "--log-format", "xml"), "'json' or 'text'"),
        (("serve", "engine", "--config", "nowhere.toml"), "nowhere.toml cannot be read"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_two(ask, words, told):
    result = ask(*words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_settings_are_shown_with_their_source_and_without_secrets(ask, monkeypatch):
    monkeypatch.setenv("WARMSTART_ADMIN_PASSWORD", "correct horse battery")
    monkeypatch.setenv("WARMSTART_PORT", "9000")
    result = ask("serve", "engine", "--workers", "3", "--show-settings", "--json")
    rows = {row["setting"]: row for row in json.loads(result.stdout)}
    assert (rows["workers"]["value"], rows["workers"]["source"]) == ("3", "argument")
    assert (rows["port"]["value"], rows["port"]["source"]) == ("9000", "WARMSTART_PORT")
    assert rows["admin_password"]["source"] == "WARMSTART_ADMIN_PASSWORD"
    assert "correct horse" not in result.stdout + ask("serve", "engine", "--show-settings").stdout
