"""What a catalogue is about, and what sets a person apart in it."""

from __future__ import annotations

from typing import Annotated

import typer

from warmstart.cli.options import EngineFolder, Json, Known, ids
from warmstart.cli.recommend import History, User, note_unknown, open_engine, show
from warmstart.errors import ConfigError

Level = Annotated[int | None, typer.Option(help="0 = coarse, up to 2 = fine; all where it is left out.")]
Most = Annotated[int, typer.Option("-k", "--most", min=1, help="Interests a person at most.")]


def concepts(engine: EngineFolder, level: Level = None, as_json: Json = False) -> None:
    """List what a catalogue is about: concepts from coarse to fine, named in words, with typical items."""
    show(open_engine(engine, None).concepts(level), as_json)


def interests(
    engine: EngineFolder,
    user: User = None,
    history: History = None,
    data: Known = None,
    most: Most = 8,
    as_json: Json = False,
) -> None:
    """Tell interests in words: concepts that a person takes more often than everybody does, and the evidence."""
    from warmstart.interests.profile import ProfileSettings

    if not user and not history:
        raise ConfigError("nobody was named; give --user with --data, or --history")
    loaded = open_engine(engine, data)
    note_unknown(loaded, user or ())
    rows = [ids(h) for h in history] if history else None
    show(loaded.interests(users=user, histories=rows, settings=ProfileSettings(most=most)), as_json)
