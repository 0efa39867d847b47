"""Data folders for the independent harness: the same films without a graph, with it, with its tails shuffled.

``python bench/graph/folders.py DATA OUT`` reads ``ml100k_plots``, ``ml-latest-small`` of DATA and writes ``OUT/none``
(no graph), ``OUT/true``, ``OUT/shuffled``, ``OUT/columns`` (a graph out of the film table) and ``OUT/ranges`` (the same
with ranges and ties), each with a folder ``ml100k_plots`` in it: what ``BENCH_DATA`` takes.

The links that come with these data carry the ids of MovieLens at large, not those of MovieLens 100K: film 480 is
Jurassic Park there and North by Northwest here. ``true`` links by the films' IMDb numbers instead.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.graph_columns import ColumnSettings, graph_from_columns
from warmstart.data.ingest import read
from warmstart.data.link_agreement import link_agreement
from warmstart.evaluate.control import shuffle_graph

NAME, LINKS = "ml100k_plots", "kg_item_links.csv"
COLUMNS = ["directors", "cast", "categories", "year"]


def main(data: Path, out: Path) -> None:
    """Write the folders."""
    links = relinked(data)
    own = data / NAME
    whole = read(own / "interactions.csv", items=own / "items.csv", graph=own / "kg.csv", links=links)
    assert whole.graph is not None
    given = read(own / "interactions.csv", items=own / "items.csv", graph=own / "kg.csv", links=own / LINKS)
    assert given.graph is not None
    for name, graph in (("links as given", given.graph), ("links by IMDb number", whole.graph)):
        print(f"{name}: {link_agreement(graph, whole.catalog)}")  # noqa: T201
    folder(data, out / "none", None)
    folder(data, out / "true", whole.graph)
    folder(data, out / "shuffled", shuffled(whole))
    folder(data, out / "columns", graph_from_columns(whole.catalog, COLUMNS).graph)
    ranged = graph_from_columns(whole.catalog, COLUMNS, ColumnSettings(ranges=10, ties=6))
    folder(data, out / "ranges", ranged.graph)
    print(f"{links.height:,} films are linked")  # noqa: T201


def relinked(data: Path) -> pl.DataFrame:
    """Film of MovieLens 100K and its entity, by IMDb number: columns ``item_id``, ``entity_id``."""
    number = pl.col("imdb_id").str.strip_prefix("tt").cast(pl.Int64, strict=False).alias("imdb")
    films = pl.read_csv(data / NAME / "items.csv", infer_schema=False).select("item_id", number).drop_nulls()
    others = pl.read_csv(data / "ml-latest-small" / "items.csv", infer_schema=False)
    others = others.select(pl.col("item_id").alias("other"), number).drop_nulls()
    links = pl.read_csv(data / NAME / LINKS, infer_schema=False).rename({"item_id": "other"})
    found = links.join(others, on="other").join(films, on="imdb").sort("item_id", "entity_id")
    return (
        found.unique("item_id", keep="first")
        .unique("entity_id", keep="first")
        .select("item_id", "entity_id")
        .sort("item_id")
    )


def shuffled(whole: Dataset) -> KnowledgeGraph | None:
    """The control."""
    return shuffle_graph(whole).graph


def folder(data: Path, out: Path, graph: KnowledgeGraph | None) -> None:
    """Films, events and people as they are, and a graph that speaks of films by their ids."""
    place = out / NAME
    place.mkdir(parents=True, exist_ok=True)
    for name in ("interactions.csv", "items.csv", "users.csv"):
        (place / name).unlink(missing_ok=True)
        (place / name).symlink_to((data / NAME / name).resolve())
    if graph is not None:
        graph.triples.select("head", "relation", "tail").write_csv(place / "kg.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
