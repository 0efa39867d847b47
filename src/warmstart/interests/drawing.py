"""The map of a catalogue as inline SVG: an item a mark, coloured and shaped by concept, a person's events on top."""

from __future__ import annotations

from html import escape

import numpy as np

from warmstart.interests.map import Map
from warmstart.interests.shown import Shown

WIDTH, HEIGHT, EDGE = 1000, 700, 26
DOT, EVENT = 4.0, 8.0
LETTER, LINE = 11.5, 25  # width of a letter and height of a line of the labels, at most
FEW = 100  # events around which labels are laid; more leave no room
REACH = 0.07  # of the map's side, within which marks of a concept crowd around its label


def map_svg(shown: Shown, placed: Map) -> str:
    """The map: what belongs to the same concept in one group, labels of the coarse ones, events last."""
    paths = shown.concepts.members.paths
    at = np.column_stack([EDGE + placed.xy[:, 0] * (WIDTH - 2 * EDGE), EDGE + placed.xy[:, 1] * (HEIGHT - 2 * EDGE)])
    coarse = paths[placed.items, 0]
    groups = []
    for concept in np.unique(coarse).tolist():
        dots = [_dot(shown, int(placed.items[i]), at[i]) for i in np.flatnonzero(coarse == concept)]
        groups.append(f'<g class="{shown.colour(concept)}">{"".join(dots)}</g>')
    who = "" if shown.person is None else f", with the events of {escape(shown.person.name)} marked"
    told = f"Map of {len(at):,} items, coloured by concept; items that are alike lie near each other{who}"
    kind = "map" if shown.person is None else "map with-events"
    return (
        f'<svg class="{kind}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" tabindex="0" aria-label="{told}">'
        f'<g class="dots">{"".join(groups)}</g><g class="events">{_events(shown, placed, at)}</g>'
        f'<g class="labels" aria-hidden="true">{_labels(shown, placed, at)}</g></svg>'
    )


def legend(shown: Shown) -> str:
    """The coarse concepts with their signs, numbers and names; each lights its items on the map."""
    most = sorted(shown.signed)
    lines = [
        f'<li><button type="button" data-c="{c}" aria-pressed="false">{shown.glyph(c)}<b>{c}</b> '
        f"<span>{escape(shown.concepts.names[c])}</span></button></li>"
        for c in most
    ]
    rest = len(shown.concepts.members.at(0)) - len(most)
    if rest:
        lines.append(f"<li>and {rest:,} concepts that hold fewer events, in grey</li>")
    return f'<ul class="legend">{"".join(lines)}</ul>'


def _dot(shown: Shown, item: int, at: np.ndarray) -> str:
    return _mark(shown, item, at, DOT, "")


def _mark(shown: Shown, item: int, at: np.ndarray, r: float, more: str) -> str:
    """One item; which concepts hold it, as numbers, and its title."""
    row = shown.concepts.members.weights[[item]].indices.tolist()
    path = shown.mark(int(shown.concepts.members.paths[item, 0]), float(at[0]), float(at[1]), r)
    held = " ".join(str(c) for c in sorted(row))
    return f'<path data-c="{held}" d="{path}"><title>{escape(shown.catalog.title(item))}{more}</title></path>'


def _events(shown: Shown, placed: Map, at: np.ndarray) -> str:
    """Marks of the person's items, an item once, at its newest event; newer ones on top."""
    if shown.person is None:
        return ""
    row, out = shown.person.row, []
    newest = {int(item): n for n, item in enumerate(row.tolist(), start=1)}
    where = {int(item): i for i, item in enumerate(placed.items.tolist())}
    for item, n in sorted(newest.items(), key=lambda pair: pair[1]):
        if item in where:
            told = f" \N{MIDDLE DOT} event {n:,} of {len(row):,}"
            one = _mark(shown, item, at[where[item]], EVENT, told)
            out.append(f'<g class="{shown.colour(int(shown.concepts.members.paths[item, 0]))}">{one}</g>')
    return "".join(out)


def _labels(shown: Shown, placed: Map, at: np.ndarray) -> str:
    """Number and first words of each coarse concept where its marks are densest, moved until none covers another."""
    coarse, out = shown.concepts.members.paths[placed.items, 0], []
    held = () if shown.person is None else np.flatnonzero(np.isin(placed.items, shown.person.row))
    taken = [(float(x), float(y), EVENT, EVENT) for x, y in at[held]] if len(held) <= FEW else []
    for concept in shown.signed:
        mine = placed.xy[coarse == concept]
        if not len(mine):
            continue
        near = ((mine[:, None] - mine[None]) ** 2).sum(2) < REACH**2
        x, y = at[coarse == concept][near.sum(1).argmax()]
        text = short(shown.concepts.names[concept])
        half = LETTER * (len(text) + len(str(concept)) + 1) / 2
        x = float(np.clip(x, half + 4, max(WIDTH - half - 4, half + 4)))
        y = free(taken, x, float(y), half)
        taken.append((x, y, half, LINE / 2))
        out.append(
            f'<text class="{shown.colour(concept)}" x="{x:.0f}" y="{y:.0f}">'
            f'<tspan class="no">{concept}</tspan> <tspan class="words">{escape(text)}</tspan></text>'
        )
    return "".join(out)


def free(taken: list[tuple[float, float, float, float]], x: float, y: float, half: float) -> float:
    """The height nearest to y at which a label of this half width covers nothing that is placed.

    Parameters
    ----------
    taken
        Middle across and down, half width and half height of what is placed.

    Examples
    --------
    >>> free([], 50, 100, 20), free([(50, 100, 20, 12)], 60, 100, 20), free([(50, 100, 20, 12)], 200, 100, 20)
    (100.0, 125.0, 100.0)
    """
    for step in range(4 * HEIGHT // LINE):
        tried = y + LINE / 2 * ((step + 1) // 2) * (1 if step % 2 else -1)
        apart = all(abs(tried - b) >= LINE / 2 + high or abs(x - a) >= half + wide for a, b, wide, high in taken)
        if apart and LINE / 2 <= tried <= HEIGHT - LINE / 2:
            return tried
    return y


def short(name: str, most: int = 24) -> str:
    """The first two words of a name.

    Examples
    --------
    >>> short("sci-fi, action, alien, space"), short("items like A very long title of a film")
    ('sci-fi, action', 'items like A very long…')
    """
    text = ", ".join(name.split(", ")[:2])
    return text if len(text) <= most else text[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
