"""Made-up data by the command line."""

import polars as pl


def test_data_are_made_and_can_be_read(shell, tmp_path):
    made = shell.json("data", "make", "--events", "2000", "--items", "60", "--clusters", "6", "--to", tmp_path / "made")
    assert (made["users"], made["items"]) == (40, 60)
    parts = pl.read_parquet(tmp_path / "made" / "interactions" / "*.parquet")
    assert made["events"] == len(parts)
    found = shell.json("check", tmp_path / "made" / "interactions", "--items", tmp_path / "made" / "items.parquet")
    numbers = found["numbers"]
    assert (numbers["users"], numbers["items"], numbers["events"]) == (40, 60, made["events"])


def test_mistakes(shell, tmp_path):
    assert "clusters=500" in shell("data", "make", "--clusters", "500", "--to", tmp_path, code=2).stderr
    assert "events=50" in shell("data", "make", "--users", "100", "--events", "50", "--to", tmp_path, code=2).stderr
    shell("data", "make", "--events", "100", "--items", "50", "--to", tmp_path)
    again = shell("data", "make", "--events", "100", "--items", "50", "--to", tmp_path, code=2).stderr
    assert "1 parts of events already" in " ".join(again.split())
