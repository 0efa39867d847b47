"""Measure and tell: ``python -m peers DATA`` with ``bench`` on the path, or ``make bench-peers DATA=folder``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import warmstart as ws
from warmstart.errors import DataError, WarmstartError

from .contest import Contest
from .entrants import Entrant, entrants
from .plots import draw
from .results import page
from .tasks import SCENARIOS, prepared, scenarios


def words() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    said = argparse.ArgumentParser(prog="peers", description=__doc__.split("\n", 1)[0])
    said.add_argument("data", type=Path, help="what ws.read takes: a folder with interactions.csv and more")
    said.add_argument("--peers", nargs="*", default=[], metavar="NAME", help="of peers.toml; all if none is named")
    names = ", ".join(s.name for s in SCENARIOS)
    said.add_argument("--scenarios", nargs="*", default=[], metavar="NAME", help=f"of {names}; all if none is named")
    said.add_argument("--trials", type=int, default=6, help="settings a system may try")
    said.add_argument("--threads", type=int, default=1)
    said.add_argument("--limit", type=float, default=3600.0, metavar="SECONDS", help="after which a run is ended")
    said.add_argument("--again", action="store_true", help="fit and time the chosen settings anew; tuning stays")
    said.add_argument("--work", type=Path, default=Path("build/peers"), help="where all that is found is kept")
    said.add_argument("--out", type=Path, default=Path("bench"), help="where RESULTS.md and img/ go")
    return said


def main(said: list[str] | None = None) -> int:
    """Run what was not run before, then write the results of all data sets and scenarios that are known."""
    given = words().parse_args(said)
    try:
        chosen, asked = entrants(given.peers), scenarios(given.scenarios)
        data = prepared(ws.read(given.data))
        for scenario in asked:
            place = (given.work / given.data.resolve().name / scenario.name).resolve()
            place.mkdir(parents=True, exist_ok=True)
            contest = Contest(
                scenario, data, place, (given.work / "envs").resolve(), given.trials, given.threads, given.limit
            )
            run(contest, chosen, again=given.again)
    except WarmstartError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    tell(given.work, given.out)
    return 0


def run(contest: Contest, chosen: Sequence[Entrant], *, again: bool) -> None:
    """One scenario, unless the data has not what it takes: times, or enough events."""
    try:
        contest.run(chosen, say, again=again)
    except DataError as wrong:
        say(f"{contest.scenario.name} is left out: {wrong}")


def say(line: str) -> None:
    """Progress."""
    sys.stderr.write(f"{line}\n")


def tell(work: Path, out: Path) -> None:
    """The page and its pictures."""
    pictures = draw(work, out / "img")
    (out / "RESULTS.md").write_text(page(work, pictures), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
