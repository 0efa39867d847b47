"""The demo on a small part of its data: the same words, files and order."""

import json

from typer.testing import CliRunner

from warmstart.cli.main import app


def test_demo_tells_measures_and_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["demo", "--fast"])
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    for part in (
        "NDCG@10 by slice",
        "popularity",
        "EASE",
        "content",
        "never seen",
        "Somebody who has seen three films: Toy Story, Lion King, The, Aladdin",
        "Somebody who says",
        "Who is recommended Star Trek: First Contact, of which the engine has seen no rating",
        "Try next",
    ):
        assert part in said, part
    assert "because of" in said
    assert "simulating sparsity" in result.stderr
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "://" not in page.replace("http://www.w3.org", "")
    manifest = json.loads((tmp_path / "demo" / "engine" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]
    commands = [line.strip() for line in result.stdout.splitlines() if line.startswith("  warmstart ")]
    assert len(commands) == 5
    again = CliRunner().invoke(app, commands[0].split()[1:])
    assert again.exit_code == 0, again.output
