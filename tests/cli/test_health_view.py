"""What ``warmstart check`` shows."""

import io

from rich.console import Console

from warmstart.cli.health_view import render_health
from warmstart.data.health import check
from warmstart.data.ingest import read_with_report
from warmstart.data.toy import clusters


def shown(report):
    console = Console(file=io.StringIO(), width=160, color_system=None)
    render_health(report, console)
    return console.file.getvalue()


def test_numbers_and_advice_are_shown():
    text = shown(check(clusters(), now=2e9))
    assert "users" in text
    assert "200" in text
    assert "10.0% of the catalogue has no event" in text
    assert "use a multilingual encoder" in text
    assert "2020-01-01 to 2020-12-3" in text


def test_text_of_users_is_no_markup(tmp_path):
    events = {"user": ["u", None], "item": ["[red]i", "j"]}
    data, ingest = read_with_report(events, items={"item_id": ["a"], "[bold]_count": [3]}, rejects=tmp_path / "r.csv")
    text = shown(check(data, ingest))
    assert "'[bold]_count'" in text
    assert "r.csv" in text
    assert text.index("problem") < text.index("warning")
