"""The page of settings cannot fall behind them."""

import importlib.util
import re
from pathlib import Path

from warmstart.serve.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def test_every_setting_is_documented_as_it_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("docs_settings", DOCS / "settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert module.filled(page) == page, "docs/operations.md is behind the settings; run: make docs"
    table = page.split("<!-- settings -->")[1].split("<!-- end -->")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.M) == list(Settings.model_fields)
