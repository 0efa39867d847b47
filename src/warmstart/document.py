"""HTML pages that stand alone: nothing is fetched, readable in light and dark, on a phone and on paper."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable
from html import escape
from importlib import resources


def document(title: str, kicker: str, header: str, body: str, style: str = "", script: str = "") -> str:
    """A page in the project's style; its policy lets no other script run than its own, and fetches nothing.

    Parameters
    ----------
    title, kicker
        Plain texts.
    header, body
        HTML already.
    style, script
        Of this page alone.
    """
    style = asset("document.css") + style
    runs = f"<script>{script}</script>\n" if script else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="kicker">{escape(kicker)}</p>
{header}
</header>
<main>
{body}</main>
{runs}</body>
</html>
"""


def policy(script: str) -> str:
    """What a page may do: draw itself, and run the one script that is known by its hash.

    Examples
    --------
    >>> policy("")
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    """
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    runs = f"script-src 'sha256-{own}'; " if script else ""
    return f"default-src 'none'; {runs}style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def asset(name: str, package: str = "warmstart") -> str:
    """The text of a style sheet or script of a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def tile(label: str, value: str, note: str, kind: str = "") -> str:
    """One number of a score card.

    Examples
    --------
    >>> tile("NDCG@10", "0.31", "good")
    '<div class="tile "><p>NDCG@10</p><p class="value">0.31</p><p>good</p></div>'
    """
    lines = f'<p>{escape(label)}</p><p class="value">{escape(value)}</p><p>{escape(note)}</p>'
    return f'<div class="tile {kind}">{lines}</div>'


def section(title: str, body: str) -> str:
    """A titled part of the page."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]], caption: str) -> str:
    """An HTML table; header texts are escaped, cells are HTML already, the first of a row names it."""
    columns = "".join(f'<th scope="col">{escape(h)}</th>' for h in head)
    lines = []
    for first, *rest in rows:
        lines.append(f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{c}</td>" for c in rest) + "</tr>")
    inner = f"<caption>{escape(caption)}</caption><thead><tr>{columns}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0"><table>{inner}</table></div>'


def number(value: float, digits: int) -> str:
    """A number for a cell, a dash for NaN.

    Examples
    --------
    >>> number(1234.5, 1), number(float("nan"), 3)
    ('1,234.5', '-')
    """
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"
