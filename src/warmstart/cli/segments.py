"""Segments of people, in words."""

from __future__ import annotations

from warmstart.cli.options import EngineFolder, Json, Known
from warmstart.cli.recommend import History, User, named, note_unknown, open_engine, show


def segments(
    engine: EngineFolder, user: User = None, history: History = None, data: Known = None, as_json: Json = False
) -> None:
    """List segments of people who take alike, in words; with --user or --history those that each belongs to."""
    loaded = open_engine(engine, data)
    note_unknown(loaded, user or ())
    show(loaded.segments(users=user, histories=[named(h, loaded) for h in history] if history else None), as_json)
