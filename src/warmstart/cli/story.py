"""What the demo tells: what it is measured on, who is recommended what and why, and what to try next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from rich.console import Console
from rich.markup import escape

from warmstart.cli.recommend import with_titles
from warmstart.cli.screen import listing

if TYPE_CHECKING:
    from warmstart.data.dataset import Dataset
    from warmstart.data.split import Split
    from warmstart.engine import Engine

FILM = "1356"  # Star Trek: First Contact, 82 ratings, all hidden
THREE = ("1", "364", "588")  # Toy Story, The Lion King, Aladdin
WORDS = "science fiction about aliens and space travel"
MANY = 150  # events of a long-time user, about
PLACES = 10  # of the list of new films in which the film is looked for


def open_with(console: Console, data: Dataset, split: Split) -> None:
    """Say what is measured."""
    x = split.train.interactions
    cold = int((x.item_counts() == 0).sum())
    console.rule("[bold]warmstart demo", align="left")
    console.print(
        f"MovieLens latest-small (2016): {data.n_users:,} users, {data.n_items:,} films, "
        f"{len(data.interactions):,} ratings.\n"
        f"Learned from {len(x):,} of them. Held out: the last fifth of every known user, a fifth of the users "
        f"(0 to 10 of their ratings are shown), and all ratings of a twentieth of the films; with those whose few "
        f"ratings were among the rest held out, {cold:,} films have none left.",
        highlight=False,
    )


def show_people(console: Console, engine: Engine, data: Dataset) -> None:
    """Recommendations with reasons for three people."""
    user = long_time_user(data)
    past = data.interactions.item[data.interactions.user == user]
    said = ", ".join(data.catalog.title(int(i)) for i in past[-3:])
    name = data.users.ids[user]
    _recommend(console, engine, f"User {name}, {len(past)} films, the last of them {said}", users=[name])
    known = [i for i in THREE if i in data.catalog.items]
    titles = ", ".join(data.catalog.title(int(c)) for c in data.catalog.items.codes(known))
    _recommend(console, engine, f"Somebody who has seen three films: {titles}", histories=[known])
    _recommend(console, engine, f'Somebody who says: "{WORDS}"', texts=[WORDS])


def long_time_user(data: Dataset) -> int:
    """Code of the user whose number of events is nearest to ``MANY``.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> long_time_user(example())
    0
    """
    return int(np.argmin(np.abs(data.interactions.user_counts() - MANY)))


def _recommend(
    console: Console,
    engine: Engine,
    title: str,
    users: list[str] | None = None,
    histories: list[list[str]] | None = None,
    texts: list[str] | None = None,
) -> None:
    rows = engine.recommend(users=users, histories=histories, texts=texts, k=5, explain=True)
    console.print(f"\n[bold]{escape(title)}[/]", highlight=False)
    console.print(listing(with_titles(rows, engine).select("rank", "title", "source", "reasons")))


def show_new_film(console: Console, engine: Engine, data: Dataset, split: Split, film: str) -> None:
    """Who is recommended a film that nobody has met, and who of them had in truth rated it."""
    x, catalog = split.train.interactions, data.catalog
    names = data.users.names(np.unique(x.user).tolist())
    new = catalog.items.names(np.flatnonzero(x.item_counts() == 0).tolist())
    rows = engine.recommend(users=names, candidates=new, k=PLACES).filter(pl.col("item_id") == film)
    rows = rows.sort("rank", "query")
    code = int(catalog.items.codes([film])[0])
    raters = set(data.users.names(data.interactions.user[data.interactions.item == code].tolist()))
    told = [names[q] for q in rows["query"]]
    console.print(
        f"\n[bold]Who is recommended {escape(catalog.title(code))}, of which the engine has seen no rating[/]"
    )
    base = np.mean([n in raters for n in names])
    right = f"; {np.mean([n in raters for n in told]):.0%} of these had in truth rated it" if told else ""
    line = f"Of {len(names)} users {len(told)} find it among the first {PLACES} of {len(new):,} new films{right}"
    console.print(f"{line} (of all users: {base:.0%}).", highlight=False)
    had = [n in raters for n in told]
    first = pl.DataFrame({"user": told, "place among new films": rows["rank"], "had rated it": had}).head(5)
    if told:
        console.print(listing(first))
        why = engine.recommend(users=told[:1], candidates=[film], k=1, explain=True, exclude_seen=False)
        place = engine.explain(film, user=told[0]).rank
        among_all = "" if place is None else f" (among all films it stands at rank {place:,} for them)"
        reasons = "; ".join(why["reasons"][0])
        console.print(f"User {told[0]}: {reasons}{among_all}", markup=False, highlight=False)


def close_with(console: Console, out: Path, data: Dataset, film: str, seconds: float) -> None:
    """What was written, and what to try next."""
    user = data.users.ids[long_time_user(data)]
    console.print(f"\nWritten in {seconds:.0f} s: {out}/report.html, {out}/engine/, {out}/data/", highlight=False)
    console.print("[bold]Try next[/] (after `. .venv/bin/activate` where the project's own environment is used)")
    for command in (
        f"warmstart recommend {out}/engine --data {out}/data --user {user} --explain",
        f'warmstart recommend {out}/engine --text "a romantic comedy set in Paris" -k 5',
        f"warmstart explain {out}/engine --data {out}/data --user {user} --item {film}",
        f"warmstart similar {out}/engine --item {film}",
        f"warmstart evaluate {out}/data --split cold_items --report {out}/cold_items.html",
    ):
        console.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)
