"""A scenario from splits to figures: tune, run and measure every entrant; all that is found goes into one file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import warmstart as ws
from warmstart.data.dataset import Dataset
from warmstart.data.split import Split
from warmstart.errors import DataError
from warmstart.evaluate.ask import ask
from warmstart.evaluate.baselines import FLOOR
from warmstart.evaluate.report import EVERYBODY

from . import tuning
from .entrants import OWN, VARIANT, Entrant
from .environments import notes, python_of
from .exchange import Replay, write_task
from .tasks import Scenario
from .trial import Trial

Told = Callable[[str], None]
FILE = "found.json"


@dataclass(frozen=True)
class Contest:
    """A scenario on a data set.

    Parameters
    ----------
    scenario, data
        What is asked.
    folder
        Where all of it is kept, one folder a scenario.
    environments
        Where those of the entrants lie.
    trials, threads, limit
        Settings a system may try, threads and seconds of each run.
    """

    scenario: Scenario
    data: Dataset
    folder: Path
    environments: Path
    trials: int = 6
    threads: int = 1
    limit: float = 3600.0

    def run(self, entrants: Sequence[Entrant], tell: Told, *, again: bool = False) -> dict[str, Any]:
        """Run what was not run, measure all that are known, write ``found.json``.

        With ``again`` the chosen setting of the named entrants is fitted and timed anew; the tuning stays.
        """
        splits = self.scenario.splits(self.data)
        file = self.folder / FILE
        known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        print_of_task = write_task(self.folder / "test", splits)
        kept = known.get("entrants", {}) if known.get("fingerprint") == print_of_task else {}
        for entrant in entrants:
            tell(f"{self.scenario.name}: {entrant.title}")
            kept[entrant.name] = {"title": entrant.title} | self._one(entrant, splits, print_of_task, again)
            found = {"fingerprint": print_of_task, "told": self.scenario.told, "entrants": kept}
            file.write_text(json.dumps(found, indent=1), encoding="utf-8")
        found = {"fingerprint": print_of_task, "told": self.scenario.told, "entrants": kept}
        found |= {"questions": self._measured(kept, splits)}
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
        return found

    def _one(self, entrant: Entrant, splits: Mapping[str, Split], fingerprint: str, again: bool) -> dict[str, Any]:
        python = python_of(entrant, self.environments)
        if isinstance(python, str):
            return {"failed": python}
        place = self.folder / "runs" / entrant.name
        final = Trial(entrant, python, {}, self.folder / "test", fingerprint, place, self.threads, True, self.limit)
        settings, all_tried = entrant.trials(self.trials), []
        if len(settings) > 1:
            all_tried = self._tried(replace(final, speed=False), settings, splits)
            if (chosen := tuning.best(all_tried)) is None:
                return {"failed": next((t.failed for t in all_tried if t.failed), "no answer of its own")}
            settings = [dict(chosen)]
        final = replace(final, settings=settings[0])
        if again:
            final.forget()
        about = {"settings": dict(final.settings), "tried": tuning.told(all_tried)}
        return about | {"note": notes(entrant, self.environments), "key": final.key} | final.result()

    def _tried(self, trial: Trial, settings: list[dict[str, Any]], splits: Mapping[str, Split]) -> list[tuning.Tried]:
        validation = {name: split.validation() for name, split in splits.items()}
        task = self.folder / "validation"
        return tuning.tried(replace(trial, task=task, fingerprint=write_task(task, validation)), settings, validation)

    def _measured(self, kept: dict[str, dict[str, Any]], splits: Mapping[str, Split]) -> dict[str, Any]:
        """Reports of all questions, warmstart first; the floor is the library's own popularity.

        Other forms of warmstart compete with nobody: of them the mean NDCG is noted.
        """
        reports = {}
        for place, (name, split) in enumerate(splits.items()):
            ordered = sorted(set(kept) - {FLOOR}, key=lambda n: (n != OWN, list(kept).index(n)))
            able = [n for n in ordered if kept[n].get("own", {}).get(name, 0) > 0]
            files = {n: self.folder / "runs" / n / kept[n]["key"] / f"lists-{place}.parquet" for n in able}
            systems = {n: Replay.read(file, split) for n, file in files.items()}
            wrong = {n: why for n, replay in systems.items() if (why := refused(replay, split))}
            for n, why in wrong.items():
                kept[n]["failed"] = f"{name}: {why}"
            fair = {n: replay for n, replay in systems.items() if n not in wrong and not n.startswith(VARIANT)}
            reports[name] = report(fair, split) if fair else {}
            for n in set(systems) - set(fair) - set(wrong):
                alone = next(s for s in report({n: systems[n]}, split)["systems"] if s["name"] == n)
                kept[n].setdefault("ndcg", {})[name] = alone["values"][EVERYBODY]["ndcg"]["mean"]
        return reports


def report(systems: Mapping[str, Replay], split: Split) -> dict[str, Any]:
    """What the library finds, but for costs: reading a list from a file has none that matter."""
    found = ws.evaluate(systems, split, baselines=False, refit=False).to_dict()
    for system in found["systems"]:
        del system["costs"]
    return found


def refused(system: Replay, split: Split) -> str:
    """Why lists cannot be measured; "" where they can."""
    try:
        ask(system, split, 1)
    except DataError as wrong:
        return str(wrong)
    return ""
