"""Folders that hold several tables: MovieLens, RecBole, or one file a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from warmstart.data.atomic import ATOMIC
from warmstart.data.movielens import find_movielens
from warmstart.data.rdf import RDF
from warmstart.data.readers import Source, parts_of
from warmstart.errors import DataError

STEMS = {
    "events": ("interactions", "events", "ratings"),
    "items": ("items", "movies", "books", "products"),
    "users": ("users",),
    "graph": ("kg", "graph", "triples"),
    "links": ("kg_item_links", "item_links"),
}
SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".csv.gz")


def find_tables(folder: Path) -> Mapping[str, Source]:
    """Role (``events``, ``items``, ``users``, ``graph``, ``links``) -> source, for whatever the folder holds.

    Raises
    ------
    DataError
        If the folder holds no table of events under a customary name, or two RecBole files of one kind.
    """
    if (films := find_movielens(folder)) is not None:
        return films
    found = _atomic(folder)
    found = found if "events" in found else _by_stem(folder)
    if "events" not in found and parts_of(folder):
        return found | {"events": folder}
    if "events" not in found:
        names = sorted(path.name for path in folder.iterdir())[:10]
        raise DataError(
            f"'{folder}' has no table of events; it has {names}; name one interactions.csv, or give its path"
        )
    return found


def _atomic(folder: Path) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for suffix, role in ATOMIC.items():
        paths = sorted(folder.glob(f"*{suffix}"))
        if len(paths) > 1:
            raise DataError(
                f"'{folder}' has {len(paths)} files *{suffix}: {[p.name for p in paths[:5]]}; give one by path"
            )
        if paths:
            found[role] = paths[0]
    return found


def _by_stem(folder: Path) -> dict[str, Source]:
    candidates = {
        role: [
            path
            for stem in stems
            for suffix in ("", *SUFFIXES, *(RDF if role == "graph" else ()))
            if ((path := folder / (stem + suffix)).is_file() and suffix) or parts_of(path)
        ]
        for role, stems in STEMS.items()
    }
    return {role: paths[0] for role, paths in candidates.items() if paths}
