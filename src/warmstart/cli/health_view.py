"""The health report on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from warmstart.data.health import Finding, HealthReport

COLOURS = {"problem": "bold red", "warning": "yellow", "advice": "cyan", "info": "dim"}
COUNTS = ("users", "items", "events", "triples")
SHARES = (
    ("users without events", "share_users_without_events"),
    ("users with 5 events or fewer", "share_users_at_most_5"),
    ("items without events", "share_items_without_events"),
    ("items with 5 events or fewer", "share_items_at_most_5"),
    ("user-item pairs met", "density"),
    ("repeated events", "repeated"),
    ("items with a text", "text_coverage"),
)


def render_health(report: HealthReport, console: Console) -> None:
    """Print numbers, then findings, worst first.

    Examples
    --------
    >>> from warmstart.data.health import check
    >>> from warmstart.data.toy import checkerboard
    >>> console = Console(width=80, record=True, quiet=True)
    >>> render_health(check(checkerboard(), now=2e9), console)
    """
    console.print(_numbers(report))
    console.print(findings(report.findings))


def _numbers(report: HealthReport) -> Table:
    n = report.numbers
    table = Table(show_header=False, box=None)
    for name in COUNTS:
        table.add_row(name, f"{n[name]:,.0f}")
    for who in ("user", "item"):
        table.add_row(f"events per {who} (median)", f"{n[f'median_events_per_{who}']:,.0f}")
    for text, name in SHARES:
        table.add_row(text, f"{n[name]:.2%}")
    if "first" in n:
        first, last = (datetime.fromtimestamp(n[end], UTC).date() for end in ("first", "last"))
        table.add_row("time", f"{first} to {last}, {n['days']:,.0f} days")
    if report.ingest is not None and report.ingest.rejects:
        table.add_row("refused rows are in", escape(report.ingest.rejects))
    return table


def findings(found: Sequence[Finding]) -> Table:
    """What was found, and what to do about it."""
    table = Table("", "what", "what to do", box=None, header_style="bold")
    for finding in found:
        colour = COLOURS[finding.severity]
        table.add_row(f"[{colour}]{finding.severity}[/]", escape(finding.text), escape(finding.advice))
    return table
