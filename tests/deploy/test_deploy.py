"""Files that cannot be built here can at least name what is there, and hold no secret."""

import re
from pathlib import Path

import pytest
import yaml

from warmstart.serve.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = ("Dockerfile", "compose.yaml", "warmstart.service")
OWN = {"WARMSTART_ENGINE_FOLDER"}  # of the compose file itself: what is mounted


@pytest.mark.parametrize("name", FILES)
def test_each_says_that_it_was_not_built_and_names_settings_that_exist(name):
    text = (DEPLOY / name).read_text(encoding="utf-8")
    head = text.split("\n\n")[0]
    assert re.search(r"[Ww]ritten carefully,? but NOT (built|run)", head.replace("\n# ", " "))
    known = {f"WARMSTART_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"WARMSTART_[A-Z_]+", text)) <= known | OWN


def test_the_compose_file_starts_with_no_lock_missing_and_no_secret_of_its_own():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    said = services["warmstart"]["environment"] | services["database"]["environment"]
    for secret in ("WARMSTART_SECRET_KEY", "WARMSTART_ADMIN_PASSWORD", "POSTGRES_PASSWORD"):
        assert re.fullmatch(rf"\$\{{{secret}:\?[^}}]+\}}", said[secret])
    assert said["WARMSTART_REQUIRE_KEYS"] == "true"
    assert all(port.startswith("127.0.0.1:") for port in services["warmstart"]["ports"])
    assert "ports" not in services["database"]


def test_the_settings_of_the_unit_are_read_by_the_service(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text = (DEPLOY / "warmstart.service").read_text(encoding="utf-8")
    for line in re.findall(r"^Environment=(.+)$", text, re.M):
        for pair in line.split():
            monkeypatch.setenv(*pair.split("=", 1))
    settings = Settings.read({"host": "127.0.0.1"})
    assert (settings.require_keys, settings.https_only, settings.trusted_proxies) == (True, True, ("127.0.0.1",))
    assert settings.database == "sqlite:////var/lib/warmstart/warmstart.db"
