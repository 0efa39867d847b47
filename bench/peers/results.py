"""The page of results: what was found, in tables of Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.evaluate.baselines import FLOOR
from warmstart.evaluate.report import EVERYBODY

from .contest import FILE
from .entrants import OWN, VARIANT, entrants
from .machine import machine
from .tasks import SCENARIOS

HEAD = """# Beside other libraries

Written by `make bench-peers DATA=folder`. NDCG@10 and recall@10 over the full catalogue, never sampled, with 95 %
bootstrap intervals over queries. **Bold**: best of its column or row. `▲` `▼` `≈`: warmstart is better, worse, or not
clearly different than the best of the others (paired bootstrap, Holm's correction over the rows; "the best" is chosen
on the test part, to our disadvantage). Popularity is the floor.

- Every library runs in an environment of its own and sees the training set and the queries only. What should be found
  stays with the driver, which measures all lists by `ws.evaluate`. Items are in random order: ties tell nothing.
- Every library may try equally many settings, each on the same validation part carved from the training set: first its
  own defaults, then others drawn from its space in `bench/peers/peers.toml`. warmstart is not tuned: default recipe.
- What they make of it differs: warmstart reads times, texts, attributes and the graph; kindling-rec times, ratings and
  the items table; LightFM attributes; SASRec the order of events; Surprise ratings; the others only who had what.
- *own*: the share of queries to which a library has an answer of its own; to the others it gives the order of
  popularity (new users of those that fold nobody in). A library without any is left out of the table.
- Times are of one fit at the chosen setting; *load* is how many processes wanted the machine's cores meanwhile. Wall
  times under different loads cannot be compared, CPU times roughly; `AGAIN=1` times the named libraries one after the
  other. warmstart's fit encodes all texts anew; the export of its encoder, once a machine, is not counted, as no
  installing is.
- Memory is the peak of the whole process. Users a second: one batch of up to 1,000 queries; single requests: one after
  another in one process; k = 10.
"""
RIVAL, KINDS = "rectools-sasrec", (("wall", "wall"), ("cpu", "CPU"))
SLICES = ("history", "least active", "most niche", "known users", "new users", "items:")


@dataclass(frozen=True)
class Found:
    """What one scenario gave on one data set."""

    data: str
    scenario: str
    told: str
    entrants: Mapping[str, Mapping[str, Any]]
    questions: Mapping[str, Mapping[str, Any]]

    def titles(self) -> dict[str, str]:
        """Names to what stands in tables; the floor is there even where its costs were not measured."""
        return {name: about["title"] for name, about in self.entrants.items()} | {FLOOR: FLOOR}


def all_found(work: Path) -> list[Found]:
    """All that is known, by data set, in the order of the scenarios."""
    order = {s.name: place for place, s in enumerate(SCENARIOS)}
    files = [f for f in work.glob(f"*/*/{FILE}") if f.parent.name in order]
    listed = sorted(files, key=lambda f: (f.parent.parent.name, order[f.parent.name]))
    return [read(file) for file in listed]


def read(file: Path) -> Found:
    """From a file of the driver."""
    told = json.loads(file.read_text(encoding="utf-8"))
    place = {name: at for at, name in enumerate(e.name for e in entrants())}
    ordered = dict(sorted(told["entrants"].items(), key=lambda pair: place.get(pair[0], len(place))))
    return Found(file.parent.parent.name, file.parent.name, told["told"], ordered, told.get("questions", {}))


def page(work: Path, pictures: Sequence[str]) -> str:
    """The whole page."""
    founds, blocks = all_found(work), [HEAD, f"{machine()}\n"]
    if lines := list(asked(founds)):
        blocks.append(
            "Asked: a fit of at most 1.0 times that of RecTools' SASRec, and NDCG above it.\n\n"
            + "\n".join(lines)
            + "\n"
        )
    for data in dict.fromkeys(f.data for f in founds):
        mine = [f for f in founds if f.data == data]
        blocks.append(f"## {data}\n")
        blocks += [f"![{name}](img/{name})\n" for name in pictures if name.startswith(f"peers-{data}-")]
        blocks += [block for found in mine for block in section(found)]
    blocks += ["## Versions and settings\n", *versions(founds)]
    return "\n".join(blocks)


def section(found: Found) -> Iterator[str]:
    """A scenario."""
    yield f"### {found.data}: {found.scenario}\n"
    yield f"{found.told} {counted(found)}\n"
    for name, report in found.questions.items():
        if report:
            yield from (f"**{name}**: {report['populations'][EVERYBODY]:,} queries\n", whole(found, name, report))
            yield slices(found, report)
    yield f"{costs(found)}\n"
    missing = [f"- {about['title']}: {about['failed']}" for about in found.entrants.values() if "failed" in about]
    if missing:
        yield "Not measured:\n\n" + "\n".join(missing) + "\n"


def asked(founds: Sequence[Found]) -> Iterator[str]:
    """What this project set itself: a fit no slower than SASRec's, and lists that are better."""
    for found in founds:
        rival = found.entrants.get(RIVAL, {"failed": ""})
        for name, own in found.entrants.items():
            ours = name == OWN or name.startswith(VARIANT)
            if ours and found.scenario == "warm" and "failed" not in own and "failed" not in rival:
                ratios = [f"{own[f'fit_{kind}_s'] / rival[f'fit_{kind}_s']:.2f} by {told} time" for kind, told in KINDS]
                named = {s["name"]: s["values"][EVERYBODY]["ndcg"]["mean"] for s in found.questions["all"]["systems"]}
                named |= {name: own["ndcg"]["all"]} if "ndcg" in own else {}
                better = f"NDCG@10 {named[name]:.4f} against {named[RIVAL]:.4f}"
                fit = f"fit {' and '.join(ratios)} of that of {rival['title']}"
                yield f"- {found.data}, {own['title']}: {fit}; {better}."


def counted(found: Found) -> str:
    """Sizes of the training set, in words."""
    sizes = next((r["sizes"] for r in found.questions.values() if r), None)
    return "" if sizes is None else f"{sizes['train_events']:,} training events, {sizes['items']:,} items."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def whole(found: Found, question: str, report: Mapping[str, Any]) -> str:
    """All queries: a row a system."""
    titles, rows = found.titles(), []
    best = {m: max(s["values"][EVERYBODY][m]["mean"] for s in report["systems"]) for m in ("ndcg", "recall")}
    for system in report["systems"]:
        values = [interval(system["values"][EVERYBODY][m], best[m]) for m in ("ndcg", "recall")]
        own = found.entrants.get(system["name"], {}).get("own", {}).get(question, 1.0)
        more = [f"{100 * own:.0f} %", f"{system['beyond']['coverage']:.2f}", number(system["beyond"]["tail_recall"])]
        rows.append([titles.get(system["name"], system["name"]), *values, *more])
    return table(["", "NDCG@10", "recall@10", "own", "coverage@10", "tail recall@10"], rows)


def interval(value: Mapping[str, Any], best: float) -> str:
    """A mean and its interval; the best is bold."""
    mean = f"{value['mean']:.4f}"
    return f"{f'**{mean}**' if value['mean'] == best else mean} ({value['low']:.3f} to {value['high']:.3f})"


def number(value: float | None) -> str:
    """Four digits, or nothing."""
    return "" if value is None else f"{value:.4f}"


def slices(found: Found, report: Mapping[str, Any]) -> str:
    """NDCG@10 by slice: a row a slice, a column a system."""
    titles, verdicts, rows = found.titles(), {c["population"]: c for c in report["comparisons"]}, []
    for name, n in report["populations"].items():
        if name == EVERYBODY or name.startswith(SLICES):
            means = [s["values"][name]["ndcg"]["mean"] for s in report["systems"]]
            best = max(m for m in means if m is not None)
            cells = [f"**{number(m)}**" if m == best > 0 else number(m) for m in means]
            rows.append([name, f"{n:,}", *cells, verdict(verdicts.get(name), report)])
    names = [titles.get(s["name"], s["name"]) for s in report["systems"]]
    return table(["NDCG@10", "queries", *names, "warmstart less the best other"], rows)


def verdict(comparison: Mapping[str, Any] | None, report: Mapping[str, Any]) -> str:
    """Difference to the best other system, in a word; nothing where warmstart is not the first."""
    if comparison is None or report["systems"][0]["name"] != OWN:
        return ""
    sign = {"better": "▲", "worse": "▼", "equal": "≈"}[comparison["verdict"]]
    return f"{sign} {comparison['test']['difference']:+.4f}"


def costs(found: Found) -> str:
    """Seconds, rates and memory: a row a system, and fits beside warmstart's."""
    rows, own = [], found.entrants.get(OWN, {}).get("fit_cpu_s")
    for about in found.entrants.values():
        if "failed" not in about:
            ratio = times(own / about["fit_cpu_s"]) if own and about["fit_cpu_s"] > 0 else ""
            spent = [f"{about['fit_wall_s']:,.1f}", f"{about['fit_cpu_s']:,.1f}", ratio]
            tuned = sum(t["fit_s"] for t in about["tried"])
            asked = [f"{about['users_per_s']:,.0f}", f"{about['single_p50_ms']:,.2f}", f"{about['single_p99_ms']:,.2f}"]
            rows.append(
                [
                    about["title"],
                    *spent,
                    loaded(about),
                    f"{tuned:,.0f}",
                    *asked,
                    f"{about['peak_mb']:,.0f}",
                    str(about["threads"]),
                ]
            )
    head = ["", "fit wall s", "fit CPU s", "warmstart's CPU / its", "load", "tuning fits wall s", "users/s"]
    return table([*head, "single p50 ms", "p99 ms", "peak MB", "threads"], rows)


def loaded(about: Mapping[str, Any]) -> str:
    """Mean number of processes that wanted a core in the five minutes before a run's end; nothing where not noted."""
    return f"{about['load']:.1f}" if "load" in about else ""


def times(ratio: float) -> str:
    """A ratio to three digits."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def versions(founds: Sequence[Found]) -> Iterator[str]:
    """What was run: packages, and the setting chosen in each scenario."""
    rows = []
    for found in founds:
        for about in found.entrants.values():
            packages = ", ".join(f"{n} {v}" for n, v in about.get("versions", {}).items())
            settings = ", ".join(f"{n} {v}" for n, v in about.get("settings", {}).items())
            tried = [t["ndcg"] for t in about.get("tried", []) if t["ndcg"] is not None]
            spread = f"{len(about['tried'])}: {min(tried):.4f} to {max(tried):.4f}" if tried else ""
            rows.append(
                [f"{found.data}: {found.scenario}", about["title"], packages, settings, spread, about.get("note", "")]
            )
    yield table(["", "", "versions", "settings", "settings tried: validation NDCG@10", "note"], rows)
