"""The comparison of a refit as one self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from warmstart.document import document, number, section, table, tile

SYSTEMS = ("candidate", "serving", "popularity")
FATES = {"held": ("equal", "held"), "unsure": ("equal", "too few queries to tell"), "fell": ("worse", "▼ fell")}
HELP = (
    "Every value is the mean NDCG@10 over the queries of its slice, with a 95 % bootstrap interval; all systems answer "
    "the same queries from the same items, ranked in full.",
    "Queries are the people who took something in the newest events, with what was known of them before; the new model "
    "has learned from none of those events, and popularity moves up to them, not through them.",
    "Cold people had no event before, few_shot ones few; new items had none, the long tail is what lies outside the "
    "best-known fifth of the catalogue.",
    "A slice fell if on average it lost more than the margin and the 90 % interval of the paired difference lies below "
    "0 (sure with 95 %, one-sided). Where the interval reaches 0, or fewer than five queries changed, chance alone may "
    "have lost as much: that is told, and refuses nothing.",
)


def page(version: str, report: Mapping[str, Any]) -> str:
    """The whole page as text.

    Parameters
    ----------
    version
        Of the new model.
    report
        As the table of models keeps it.
    """
    learned, held, queries = (f"{report[name]:,}" for name in ("learned_events", "held_events", "queries"))
    sizes = f"{learned} events learned, {held} held out, {queries} queries"
    header = f"<h1>{escape(version)}</h1>\n<p>beside {escape(str(report['against']))} &middot; {sizes}</p>"
    body = _card(report) + section("Slice by slice", _table(report)) + section("How to read this", _help(report))
    return document(f"Refit {version}", "Refit", header, body)


def _card(report: Mapping[str, Any]) -> str:
    whole = report["slices"][0]
    values = {name: whole["values"][name]["mean"] for name in SYSTEMS}
    fallen = [part["name"] for part in report["slices"] if part["fate"] == "fell"]
    tiles = [
        tile("verdict", "passed" if report["passed"] else "fell", "no slice fell" if not fallen else ", ".join(fallen)),
        tile("NDCG@10", f"{values['candidate']:.3f}", f"{values['serving']:.3f} served before"),
        tile("change", _share(whole["change"]), "over all queries"),
        tile("popularity", f"{values['popularity']:.3f}", "what everybody is shown"),
    ]
    return f'<section aria-label="Score card" class="tiles">{"".join(tiles)}</section>\n'


def _table(report: Mapping[str, Any]) -> str:
    rows = []
    for part in report["slices"]:
        kind, said = FATES[part["fate"]]
        test = part["test"]
        span = f"{number(_known(test['low']), 4)} to {number(_known(test['high']), 4)}"
        told = f'<span class="{kind}">{said} {_share(part["change"])}</span><small>{span}</small>'
        cells = [_cell(part["values"][name]) for name in SYSTEMS]
        rows.append([escape(part["name"]), f"{part['test']['n']:,}", *cells, told])
    head = ["slice", "queries", "new model", "serving model", "popularity", "new less serving"]
    return table(head, rows, f"NDCG@10; a slice may lose {report['margin']:.1%}.")


def _cell(value: Mapping[str, Any]) -> str:
    mean, low, high = (_known(value[name]) for name in ("mean", "low", "high"))
    return f"<span>{number(mean, 4)}</span><small>{number(low, 4)} to {number(high, 4)}</small>"


def _help(report: Mapping[str, Any]) -> str:
    lines = list(HELP)
    if not report["fair"]:
        lines.append("The serving model may have learned from the held-out events: its values are flattered.")
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"
