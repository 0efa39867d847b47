"""Draw docs/img/graph-around.svg out of a handful of films."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from warmstart.data.graph_columns import graph_from_columns
from warmstart.data.neighbourhood import neighbourhood
from warmstart.explain.graph_drawing import around_svg

PICTURE = Path(__file__).parent / "img" / "graph-around.svg"
FILMS = (
    ("Alien", "Ridley Scott", "Sigourney Weaver|Ian Holm|Harry Dean Stanton", "Horror|Science fiction", 1979),
    ("Aliens", "James Cameron", "Sigourney Weaver|Lance Henriksen", "Action|Science fiction", 1986),
    ("Blade Runner", "Ridley Scott", "Harrison Ford|Rutger Hauer", "Science fiction", 1982),
    ("Thelma & Louise", "Ridley Scott", "Geena Davis|Susan Sarandon", "Drama", 1991),
    ("Brazil", "Terry Gilliam", "Jonathan Pryce|Ian Holm", "Science fiction|Drama", 1985),
    ("Paris, Texas", "Wim Wenders", "Harry Dean Stanton|Nastassja Kinski", "Drama", 1984),
    ("Ghostbusters", "Ivan Reitman", "Bill Murray|Sigourney Weaver", "Comedy", 1984),
    ("Mad Max", "George Miller", "Mel Gibson", "Action|Science fiction", 1979),
    ("The Shining", "Stanley Kubrick", "Jack Nicholson|Shelley Duvall", "Horror", 1980),
)


def picture() -> str:
    """The neighbourhood of the first film."""
    rows = [(f"film {n}", *film) for n, film in enumerate(FILMS)]
    films = pl.DataFrame(rows, schema=["item_id", "title", "directors", "cast", "genre", "year"], orient="row")
    graph = graph_from_columns(films, ["directors", "cast", "genre", "year"]).graph
    titles = dict(films.select("item_id", "title").rows())
    found = neighbourhood(graph.index, "film 0", frozenset(titles))
    return around_svg(found, graph.names() | titles, frozenset(titles))


if __name__ == "__main__":
    PICTURE.write_text(picture() + "\n", encoding="utf-8")
