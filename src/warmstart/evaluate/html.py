"""A report as one self-contained HTML page without a script."""

from __future__ import annotations

import math
from html import escape

from warmstart.document import document, number, section, table, tile
from warmstart.evaluate.figures import by_fifth, by_history, by_popularity, gains, trust_curve
from warmstart.evaluate.intervals import Interval
from warmstart.evaluate.report import EVERYBODY, Comparison, Control, Report
from warmstart.evaluate.slices import ACTIVITY, NICHE

MARKS = {"better": "▲ better", "worse": "▼ worse", "equal": "≈ no clear difference"}
EXTRAS = {
    "coverage": "share of the catalogue shown",
    "gini": "inequality of exposure (0 = even)",
    "novelty": "surprise of the items, bits",
    "popularity_percentile": "mean popularity percentile",
    "tail_recall": "recall of the long tail",
    "tail_recall_50": "recall of the long tail among 50",
    "miscalibration": "distance from the history's categories, nats",
}
COSTS = {"fit_seconds": "fit, s", "queries_per_second": "queries per s", "peak_memory_mb": "peak memory, MB"}


def page(report: Report, title: str = "Evaluation") -> str:
    """The whole page as text.

    Examples
    --------
    >>> from warmstart.data.example import example
    >>> from warmstart.data.split import last_n
    >>> from warmstart.evaluate.run import evaluate
    >>> from warmstart.experts.popularity import Popularity
    >>> page(evaluate(Popularity(), last_n(example()), n_boot=20)).splitlines()[0]
    '<!doctype html>'
    """
    name, split = escape(report.systems[0].name), escape(report.split)
    sections = (card(report), slices(report), plots(report), overview(report), lists_and_costs(report), notes(report))
    sizes = ", ".join(f"{n:,} {escape(what.replace('_', ' '))}" for what, n in report.sizes.items())
    header = f"<h1>{name}</h1>\n<p>{split} &middot; {sizes} &middot; full ranking</p>"
    return document(f"{title}: {report.systems[0].name}, {report.split}", title, header, "".join(sections))


def card(report: Report) -> str:
    """The score card: the main number, what it gains on the best baseline, and where it is below the floor."""
    main = report.value()
    tiles = [tile(f"NDCG@{report.k}", f"{main.mean:.3f}", f"95 % interval {main.low:.3f} to {main.high:.3f}")]
    if report.comparisons:
        first = report.comparisons[0]
        base = main.mean - first.test.difference
        lift = f"{100 * first.test.difference / base:+.0f} %" if base > 0 else f"{first.test.difference:+.3f}"
        tiles.append(tile(f"on {first.baseline}, the best baseline", lift, MARKS[first.verdict], first.verdict))
        won = sum(c.verdict == "better" for c in report.comparisons)
        lost = sum(c.verdict == "worse" for c in report.comparisons)
        kind = "worse" if lost else "better" if won else "equal"
        tiles.append(tile("slices won", f"{won} of {len(report.comparisons)}", f"{lost} lost", kind))
    below = report.below_floor
    said = ", ".join(below) if below else "in every slice at least as good"
    tiles.append(tile("below popularity", str(len(below)), said, "worse" if below else "better"))
    tiles.append(tile("queries a second", f"{report.systems[0].costs['queries_per_second']:,.0f}", "asked in batches"))
    return f'<section aria-label="Score card" class="tiles">{"".join(tiles)}</section>\n'


def slices(report: Report) -> str:
    """NDCG of every system in every population, with intervals and tests."""
    tests = {c.population: c for c in report.comparisons}
    head = ["slice", "queries", *(s.name for s in report.systems), *(["on the best baseline"] if tests else [])]
    rows = []
    for name, n in report.populations.items():
        values = [s.values[name]["ndcg"] for s in report.systems]
        best = max((v.mean for v in values if v.n), default=math.nan)
        cells = [escape(name), f"{n:,}", *(cell(v, best=v.mean == best) for v in values)]
        rows.append([*cells, verdict(tests[name])] if name in tests else cells)
    caption = f"NDCG@{report.k}, mean and 95 % bootstrap interval over queries; the best of a row is bold."
    return section("Slice by slice", table(head, rows, caption))


def overview(report: Report) -> str:
    """All ranking measures over all queries."""
    measures = list(report.systems[0].values[EVERYBODY])
    rows = [[escape(s.name), *(cell(s.values[EVERYBODY][m]) for m in measures)] for s in report.systems]
    head = ["system", *(f"{m}@{report.k}" for m in measures)]
    return section("All measures", table(head, rows, "Means and 95 % bootstrap intervals over all queries."))


def lists_and_costs(report: Report) -> str:
    """What the lists are like and what they cost."""
    extras = [e for e in EXTRAS if any(not math.isnan(s.beyond.get(e, math.nan)) for s in report.systems)]
    head = ["system", *(EXTRAS[e] for e in extras), *COSTS.values()]
    rows = [
        [
            escape(s.name),
            *(number(s.beyond.get(e, math.nan), 3) for e in extras),
            *(number(s.costs[c], 1) for c in COSTS),
        ]
        for s in report.systems
    ]
    caption = "Memory is the largest the process had been by then, earlier systems included."
    return section("The lists, and what they cost", table(head, rows, caption))


def plots(report: Report) -> str:
    """The figures that there is something to draw for."""
    drawn = [
        (
            "Gain on the best baseline",
            gains(report),
            "Right of the line is better, with 95 % intervals; grey is no clear difference.",
        ),
        ("By length of the history", by_history(report), "Bands are 95 % bootstrap intervals."),
        ("By activity", by_fifth(report, ACTIVITY), "Fifths of the queries, from the fewest events to the most."),
        ("By taste", by_fifth(report, NICHE), "Fifths of the queries, from the least known items to the best known."),
        (
            "By popularity of the wanted item",
            by_popularity(report),
            "Only the wanted items of a group count; head, mid and tail share the training events 50 : 30 : 20.",
        ),
        (
            "Text against data",
            "" if report.trust is None else trust_curve(report.trust),
            "Whom the fusion trusts as evidence grows.",
        ),
    ]
    figures = [
        f"<figure><h3>{title}</h3>{svg}<figcaption>{caption}</figcaption></figure>"
        for title, svg, caption in drawn
        if svg
    ]
    return section("In pictures", f'<div class="figures">{"".join(figures)}</div>') if figures else ""


def notes(report: Report) -> str:
    """How to read the page, and the outcome of the control."""
    lines = [
        "Systems rank the whole catalogue (or the named candidates); nothing is sampled.",
        "Tests are paired bootstraps over queries at 5 %, with Holm's correction over the rows of activity and niche, "
        "and over all other rows of the slice table.",
        "Activity 1/5 is the fifth with the fewest events; niche 1/5 the one with the least known items.",
        "Head, mid and tail items share the training events 50 : 30 : 20; never seen items have none.",
        "Recall of the long tail counts wanted items outside the fifth of the catalogue with the most events.",
    ]
    if report.control is not None:
        lines.append(control_line(report.control))
    return section("How to read this", "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")


def control_line(control: Control) -> str:
    """What the shuffled-text control found, in one sentence.

    Examples
    --------
    >>> from warmstart.evaluate.intervals import Paired
    >>> one = Interval(0.3, 0.2, 0.4, 9)
    >>> control_line(Control("ndcg@10", one, one, Paired(0, -0.1, 0.1, 1.0, 9)))
    'Control: with texts shuffled among items ndcg@10 is 0.3000, not 0.3000: NO CLEAR LOSS, no use of text is shown.'
    """
    said = "it loses, as it must" if control.lost else "NO CLEAR LOSS, no use of text is shown"
    means = f"{control.shuffled.mean:.4f}, not {control.intact.mean:.4f}"
    return f"Control: with texts shuffled among items {control.measure} is {means}: {said}."


def cell(value: Interval, *, best: bool = False) -> str:
    """A mean over its interval.

    Examples
    --------
    >>> cell(Interval(0.5, 0.4, 0.6, 9))
    '<span>0.5000</span><small>0.4000 to 0.6000</small>'
    """
    if not value.n:
        return "-"
    mean = f"<strong>{value.mean:.4f}</strong>" if best else f"<span>{value.mean:.4f}</span>"
    return f"{mean}<small>{value.low:.4f} to {value.high:.4f}</small>"


def verdict(comparison: Comparison) -> str:
    """The outcome of a test as a table cell."""
    test = comparison.test
    detail = f"on {escape(comparison.baseline)}, p = {comparison.adjusted:.3f}"
    said = f"{test.difference:+.4f} {MARKS[comparison.verdict]}"
    return f'<span class="{comparison.verdict}">{said}</span><small>{detail}</small>'
