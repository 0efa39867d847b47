"""What a catalogue is about, and what sets a person apart in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmstart.cli.options import EngineFolder, Json, Known
from warmstart.cli.recommend import History, User, named, note_unknown, open_engine, show
from warmstart.cli.screen import progress, say
from warmstart.errors import ConfigError

if TYPE_CHECKING:
    from warmstart.engine import Engine
    from warmstart.interests.profile import ProfileSettings

Level = Annotated[int | None, typer.Option(help="0 = coarse, up to 2 = fine; all where it is left out.")]
Most = Annotated[int, typer.Option("-k", "--most", min=1, help="Interests a person at most.")]
Html = Annotated[
    Path | None, typer.Option("--html", dir_okay=False, help="Write them, with map and tree, as a self-contained page.")
]


def concepts(engine: EngineFolder, level: Level = None, html: Html = None, as_json: Json = False) -> None:
    """List what a catalogue is about: concepts from coarse to fine, named in words, with typical items."""
    loaded = open_engine(engine, None)
    show(loaded.concepts(level), as_json)
    if html is not None:
        write_page(html, loaded)


def interests(
    engine: EngineFolder,
    user: User = None,
    history: History = None,
    data: Known = None,
    most: Most = 8,
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Tell interests in words: concepts that a person takes more often than everybody does, and the evidence."""
    from warmstart.interests.profile import ProfileSettings

    if not user and not history:
        raise ConfigError("nobody was named; give --user with --data, or --history")
    if html is not None and max(len(user or ()), len(history or ())) > 1:
        raise ConfigError("--html shows one person; give one --user, or one --history")
    loaded = open_engine(engine, data)
    note_unknown(loaded, user or ())
    rows = [named(h, loaded) for h in history] if history else None
    settings = ProfileSettings(most=most)
    show(loaded.interests(users=user, histories=rows, settings=settings), as_json)
    if html is not None:
        write_page(html, loaded, user[0] if user else None, rows[0] if rows else None, settings)


def write_page(
    place: Path,
    engine: Engine,
    user: str | None = None,
    history: list[str] | None = None,
    settings: ProfileSettings | None = None,
) -> None:
    """The page of ``--html``: of one person, or of nobody the catalogue."""
    with progress() as tell:
        tell("drawing the map", 0, 0)
        text = engine.interests_page(user, history, settings)
    place.write_text(text, encoding="utf-8")
    say(f"page: {place}")
