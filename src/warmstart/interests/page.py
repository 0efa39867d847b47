"""Interests of a person, or the concepts of a catalogue, as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from warmstart.document import asset, document, section, table, tile
from warmstart.interests.branches import BETWEEN, branches, percent
from warmstart.interests.drawing import legend, map_svg, short
from warmstart.interests.map import Map, MapSettings, layout, sampled
from warmstart.interests.profile import FADING, RISING, STEADY, Interest, newest_items
from warmstart.interests.shown import Person, Shown

MARKED = 1_000  # items of a history on the map, the newest
EVIDENCE, FOLDED = 6, 100  # titles that are told of an interest at once, and when unfolded
TRENDS = {RISING: "▲ rising", FADING: "▼ fading", STEADY: "– steady"}


def page(shown: Shown, features: np.ndarray, settings: MapSettings | None = None) -> str:
    """The whole page: a person's interests where there is a person, the map, the tree with shares.

    Titles, names and ids are untrusted and escaped; nothing is fetched. Laying out 2,000 items takes some seconds.

    Parameters
    ----------
    shown
        Concepts, catalogue, counts, person.
    features
        float32, shape (n_items, d): of the items, as the concepts were made of.
    settings
        Of the map.
    """
    keep = np.zeros(0, np.int64) if shown.person is None else newest_items(shown.person.row, MARKED)
    asked = settings or MapSettings()
    items = sampled(shown.counts, keep, asked)
    placed = Map(items, layout(shown.concepts.vectors(features, items), asked))
    title = "Concepts" if shown.person is None else f"Interests of {shown.person.name}"
    body = "" if shown.person is None else cards(shown.person, shown) + section("Interests", told(shown.person, shown))
    body += section("Map", figure(shown, placed)) + section("Shares", branches(shown))
    style, script = (asset(name, "warmstart.interests") for name in ("page.css", "page.js"))
    kicker = "What a catalogue is about" if shown.person is None else "What sets a person apart"
    return document(title, kicker, header(shown, title), body, style, script)


def header(shown: Shown, title: str) -> str:
    """What the page is about, and how large that is."""
    members = shown.concepts.members
    sizes = " &rsaquo; ".join(f"{len(members.at(level)):,}" for level in range(members.levels))
    order = ", coarse to fine" if members.levels > 1 else ""
    words = f"{len(shown.catalog.items):,} items &middot; {sizes} concepts{order}"
    return f"<h1>{escape(title)}</h1>\n<p>{words}</p>"


def cards(person: Person, shown: Shown) -> str:
    """Events, interests, the strongest of them, how many rise."""
    tiles = [tile("events", f"{len(person.row):,}", f"{len(np.unique(person.row)):,} different items")]
    n = len(person.interests)
    tiles.append(tile("interests", str(n), "more often than everybody" if n else "nothing stands out yet"))
    if n:
        first = person.interests[0]
        tiles.append(tile("strongest", f"{100 * first.weight:.0f} %", shown.concepts.names[first.concept]))
        turns = [sum(i.trend == turn for i in person.interests) for turn in (RISING, FADING)]
        tiles.append(tile("rising, fading", f"{turns[0]}, {turns[1]}", "newer half of the events against the older"))
    return f'<section aria-label="In short" class="tiles">{"".join(tiles)}</section>\n'


def told(person: Person, shown: Shown) -> str:
    """The interests as a table with bars and evidence."""
    if not len(person.row):
        return "<p>No event of this person is known, and so no interest. After the first few events some will be.</p>"
    if not person.interests:
        return "<p>Nothing is taken more often than everybody takes it.</p>"
    most = person.interests[0].weight
    rows = [interest_row(i, shown, most) for i in person.interests]
    head = ("interest", "weight", "share of the events", "trend", "evidence, newest first")
    caption = "Taken more often than by everybody. Newer events count more; a name leads to the map."
    return f'<div class="interests">{table(head, rows, caption)}</div>'


def interest_row(interest: Interest, shown: Shown, most: float) -> Sequence[str]:
    """Cells of one interest, the first of which lights its items on the map."""
    concept = interest.concept
    name = f'<a href="#map" data-c="{concept}">{escape(shown.concepts.names[concept])}</a>'
    level = f"<small>concept {concept}{within(concept, shown)}</small>"
    bar = f'<i style="width:{100 * interest.weight / most:.1f}%"></i>'
    weight = f'<span class="bar {shown.colour(concept)}" aria-hidden="true">{bar}</span>{100 * interest.weight:.0f} %'
    everybody = f"<small>everybody {percent(interest.common)}</small>"
    share = f'{percent(interest.share)}<span class="narrow"> of the events</span>{everybody}'
    trend = f'<span class="{interest.trend}">{TRENDS[interest.trend]}</span>'
    return [f"{shown.glyph(concept)}{name}{level}", weight, share, trend, evidence(interest.evidence, shown)]


def within(concept: int, shown: Shown) -> str:
    """Where a finer concept lies."""
    coarse = shown.coarse(concept)
    return "" if coarse == concept else f", within {coarse} {escape(short(shown.concepts.names[coarse]))}"


def evidence(items: Sequence[int], shown: Shown) -> str:
    """Titles, the newest first; those beyond the first six are folded, those beyond a hundred counted."""
    titles = [escape(shown.catalog.title(item)) for item in items[:FOLDED]]
    first, rest = BETWEEN.join(titles[:EVIDENCE]), BETWEEN.join(titles[EVIDENCE:])
    older = f"{BETWEEN}{len(items) - FOLDED:,} older" if len(items) > FOLDED else ""
    more = f"<details><summary>and {len(items) - EVIDENCE:,} more</summary>{rest}{older}</details>" if rest else ""
    return f'<div class="evidence">{first}{more}</div>'


def figure(shown: Shown, placed: Map) -> str:
    """The map with its legend, and what it shows in words."""
    lines = ["Items near each other are alike in what they are about and in who takes them; directions mean nothing."]
    if len(placed.items) < len(shown.catalog.items):
        lines.append(f"{len(placed.items):,} of {len(shown.catalog.items):,} items, well-known ones more likely.")
    if shown.person is not None and len(shown.person.row):
        many = len(np.unique(shown.person.row))
        which = f"the newest {MARKED:,} of {many:,} items" if many > MARKED else "items"
        lines.append(f"Large marks with a rim are {which} of {escape(shown.person.name)}.")
    lines.append("Point at a mark for its title, or step with the arrow keys; choose a concept to light its items.")
    drawn = f'<div class="stage">{map_svg(shown, placed)}<div class="tip" role="status" hidden></div></div>'
    caption = f"<figcaption>{' '.join(lines)}</figcaption>"
    return f'<figure class="chart" id="map"><div class="drawing">{drawn}{caption}</div>{legend(shown)}</figure>'
