"""Settings: where values come from, what is refused, what is never shown."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from warmstart.errors import ConfigError
from warmstart.serve.settings import Settings
from warmstart.serve.settings_sources import MASK, shown

SECRET, PASSWORD = "q7Zr2mPw9XcVb4NkLs8TdYf3Hg6Jh1Ea", "correct horse battery"
PUBLIC = {"engine": "e", "host": "0.0.0.0", "require_keys": True, "secret_key": SECRET, "admin_password": PASSWORD}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("WARMSTART_")]:
        monkeypatch.delenv(name)


def test_arguments_beat_the_environment_which_beats_the_file(monkeypatch, tmp_path):
    (tmp_path / "warmstart.toml").write_text('engine = "of file"\nport = 1\nworkers = 3\nfew_shot = 7\n')
    monkeypatch.setenv("WARMSTART_PORT", "2")
    monkeypatch.setenv("WARMSTART_WORKERS", "4")
    settings = Settings.read({"workers": 5, "host": None})
    assert (settings.engine, settings.port, settings.workers, settings.few_shot) == (Path("of file"), 2, 5, 7)
    origins = settings.origins
    assert [origins[n] for n in ("engine", "port", "workers", "host")] == [
        "warmstart.toml",
        "WARMSTART_PORT",
        "argument",
        "default",
    ]


def test_a_file_can_be_named_and_must_then_be_there(monkeypatch, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('engine = "e"\nlanguage = "zh"\n')
    assert Settings.read({"config": other}).language == "zh"
    monkeypatch.setenv("WARMSTART_CONFIG", str(other))
    assert Settings.read().language == "zh"
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        Settings.read({"config": tmp_path / "nowhere.toml"})


def test_unknown_names_are_refused_with_the_remedy(monkeypatch, tmp_path):
    file = tmp_path / "warmstart.toml"
    file.write_text('engine = "e"\nrequire_key = true\n')
    with pytest.raises(ConfigError, match=r"'require_key' is no setting; did you mean require_keys\?"):
        Settings.read()
    file.write_text('engine = "e"\n')
    monkeypatch.setenv("WARMSTART_REQUIRE_KEY", "1")
    with pytest.raises(ConfigError, match=r"WARMSTART_REQUIRE_KEY is no setting; did you mean WARMSTART_REQUIRE_KEYS"):
        Settings.read()
    monkeypatch.delenv("WARMSTART_REQUIRE_KEY")
    monkeypatch.setenv("WARMSTART_CACHE", "elsewhere")  # of the weights, no setting of the service
    assert Settings.read().engine == Path("e")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, r"engine is missing; give it as argument, as WARMSTART_ENGINE, or in warmstart\.toml"),
        ({"engine": "e", "port": 70_000}, r"port: .*65535"),
        ({"engine": "e", "event_weights": "view=-1"}, r"event_weights\.view: .*greater than or equal to 0"),
        ({"engine": "e", "event_weights": "view=much"}, r"event_weights\.view: .*number"),
        ({"engine": "e", "language": "fr"}, r"language: .*'en' or 'zh'"),
        ({"engine": "e", "explore_share": 0.9}, r"explore_share: "),
        ({"engine": "e", "no_such": 1}, r"no_such: Extra inputs"),
    ],
)
def test_values_are_checked_in_one_line(given, told):
    with pytest.raises(ConfigError, match=told) as caught:
        Settings.read(given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lacking", ["require_keys", "secret_key", "admin_password"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "shop.example"])
def test_a_public_host_needs_every_lock(lacking, host):
    whole = PUBLIC | {"host": host}
    assert Settings.read(whole).hosts == ("*",)
    with pytest.raises(ConfigError, match=f"is public and lacks .*{lacking}"):
        Settings.read({k: v for k, v in whole.items() if k != lacking})


@pytest.mark.parametrize("weak", ["short", "a" * 64, "abab" * 16])
def test_a_weak_secret_is_no_lock(weak):
    with pytest.raises(ConfigError, match="secret_key of 32 characters") as caught:
        Settings.read(PUBLIC | {"secret_key": weak})
    assert weak not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_needs_no_lock_and_answers_loopback_names_alone(host):
    settings = Settings.read({"engine": "e", "host": host})
    assert settings.is_loopback
    assert "localhost" in settings.hosts
    assert "*" not in settings.hosts


def test_lists_and_weights_are_read_from_text(monkeypatch):
    monkeypatch.setenv("WARMSTART_ALLOWED_HOSTS", "a.example, b.example")
    monkeypatch.setenv("WARMSTART_EVENT_WEIGHTS", "buy=9,share=2")
    settings = Settings.read({"engine": "e"})
    assert settings.allowed_hosts == ("a.example", "b.example")
    weights = settings.event_weights
    assert (weights["buy"], weights["share"], weights["view"], weights["skip"]) == (9, 2, 1, 0)


def test_the_database_is_beside_the_engine_unless_named():
    assert Settings.read({"engine": "at/shop"}).database == "sqlite:///at/shop.db"
    assert Settings.read({"engine": "e", "database_url": "sqlite:///x.db"}).database == "sqlite:///x.db"


def test_secrets_are_never_shown():
    url = "postgresql+psycopg://me:hidden1@db/shop?password=hidden2"
    settings = Settings.read(PUBLIC | {"database_url": url})
    rows = {row["setting"]: row for row in shown(settings)}
    assert set(rows) == set(Settings.model_fields)
    assert all(row["meaning"] for row in rows.values())
    assert rows["secret_key"]["value"] == rows["admin_password"]["value"] == MASK
    whole = str(list(rows.values())) + repr(settings) + str(settings)
    for secret in (SECRET, PASSWORD, "hidden1", "hidden2"):
        assert secret not in whole
    assert rows["database_url"]["value"].startswith("postgresql+psycopg://me:*")
    with pytest.raises(ValidationError) as caught:
        Settings(engine="e", host="0.0.0.0", secret_key=SECRET, admin_password="hidden3")
    assert "hidden3" not in str(caught.value)
    assert SECRET not in str(caught.value)
