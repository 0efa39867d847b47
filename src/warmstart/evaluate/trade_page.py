"""What more of the long tail costs, as one self-contained HTML page."""

from __future__ import annotations

from html import escape

from warmstart.document import document, number, section, table, tile
from warmstart.evaluate.beyond import DEEP
from warmstart.evaluate.figures import INK, MARKERS, MUTED, SERIES, canvas, finish, svg_of
from warmstart.evaluate.html import cell
from warmstart.evaluate.intervals import Paired
from warmstart.evaluate.trade import NDCG, TAIL_RECALL, Line, Trade


def page(found: Trade) -> str:
    """The whole page: the score card, the curve, the table.

    Examples
    --------
    >>> import numpy as np
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> from warmstart.evaluate.trade import trade
    >>> split = last_n(example())
    >>> page(trade({"none": np.full((3, 2), -1)}, {"none": "as it is"}, split, n_boot=9)).splitlines()[0]
    '<!doctype html>'
    """
    header = f"<h1>The long tail</h1>\n<p>{escape(found.split)} &middot; full ranking</p>"
    caption = (
        "Further right is better overall, higher is better in the tail; right of the line is allowed; dotted: peers."
    )
    figure = f"<figure>{drawn(found)}<figcaption>{caption}</figcaption></figure>"
    body = card(found) + section("Head against tail", f'<div class="figures">{figure}</div>') + priced(found)
    return document(f"The long tail: {found.split}", "The price of the tail", header, body)


def card(found: Trade) -> str:
    """What is chosen, what it costs and what it brings."""
    chosen, first, peer = found.chosen, found.lines[0], found.best_peer
    mean = chosen.values[TAIL_RECALL].mean
    tiles = [
        tile("chosen", chosen.name, f"the most tail recall at a loss of at most {found.allowed:.1%}"),
        tile(f"NDCG@{found.k}", f"{chosen.values[NDCG].mean:.4f}", f"without {first.values[NDCG].mean:.4f}"),
        tile(f"tail recall@{DEEP}", f"{mean:.4f}", f"without {first.values[TAIL_RECALL].mean:.4f}"),
    ]
    if peer is not None and peer.values[TAIL_RECALL].mean > 0:
        against = peer.values[TAIL_RECALL].mean
        tiles.append(tile("of the best peer's", f"{mean / against:.2f} x", f"{peer.name}: {against:.4f}"))
    return f'<section aria-label="Score card" class="tiles">{"".join(tiles)}</section>\n'


def drawn(found: Trade) -> str:
    """Every option as a point, those of a sort joined, peers as the height they reach, as an SVG element."""
    figure, axes = canvas("trade", height=4.6)
    first = found.lines[0]
    options = [line for line in found.lines[1:] if not line.peer]
    for i, kind in enumerate(dict.fromkeys(line.kind for line in options), 1):
        way = [at_of(line) for line in (first, *options) if line is first or line.kind == kind]
        axes.plot(*zip(*way, strict=True), "-" + MARKERS[i % 8], color=SERIES[i % 8], lw=1.6, label=kind)
    axes.plot(*at_of(first), "*", color=SERIES[0], ms=14)
    axes.axvline(at_of(first)[0] * (1 - found.allowed), color=INK, lw=1)
    left = axes.get_xlim()[0]
    for peer in (line for line in found.lines if line.peer):
        ndcg, height = at_of(peer)
        axes.axhline(height, color=MUTED, lw=1, ls=":")
        axes.annotate(f"{peer.name} (NDCG {ndcg:.3f})", (left, height), color=MUTED, fontsize=9, va="bottom")
    for line in {line.name: line for line in (first, found.chosen)}.values():
        axes.annotate(line.name, at_of(line), textcoords="offset points", xytext=(7, 5))
    finish(axes, f"NDCG@{found.k}", f"recall@{DEEP} of the long tail", axis="both", legend=False)
    if options:
        axes.legend(frameon=False, ncols=2, labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1.0))
    return svg_of(figure, "trade", f"Recall of the long tail against NDCG@{found.k}, for each option")


def at_of(line: Line) -> tuple[float, float]:
    """Where a line is drawn: NDCG, and recall of the tail."""
    return line.values[NDCG].mean, line.values[TAIL_RECALL].mean


def priced(found: Trade) -> str:
    """All figures of every line, with what changed against the lists without."""
    names = list(found.lines[0].values)
    head = ["lists", *(told(name, found.k) for name in names), "coverage", "Gini", "novelty, bits"]
    rows = [
        [
            f"{'&#9670; ' if line == found.chosen else ''}{escape(line.name)}",
            *(moved(line, name) for name in names),
            *(number(line.lists[name], 3) for name in ("coverage", "gini", "novelty")),
        ]
        for line in found.lines
    ]
    caption = (
        "Means over queries; below them the change against the first line with its paired 95 % bootstrap interval. "
        f"Marked: the most tail recall at a loss of at most {found.allowed:.1%}."
    )
    return section("The price", table(head, rows, caption))


def told(measure: str, k: int) -> str:
    """The name of a measure in a table.

    Examples
    --------
    >>> told("ndcg", 10), told("head", 10), told("tail_recall_50", 10)
    ('NDCG@10', 'head NDCG@10', 'tail recall@50')
    """
    plain = {NDCG: f"NDCG@{k}", "recall_50": f"recall@{DEEP}", TAIL_RECALL: f"tail recall@{DEEP}"}
    return plain.get(measure, f"{measure} NDCG@{k}")


def moved(line: Line, measure: str) -> str:
    """A mean over its change as a table cell."""
    change, value = line.changes[measure], line.values[measure]
    if not value.n or change == Paired(0.0, 0.0, 0.0, 1.0, change.n):
        return cell(value)
    moves = f"{change.difference:+.4f} ({change.low:+.4f} to {change.high:+.4f})"
    return f"<span>{value.mean:.4f}</span><small>{moves}</small>"
