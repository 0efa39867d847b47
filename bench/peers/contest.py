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
from warmstart.evaluate.baselines import FLOOR

from . import tuning
from .entrants import Entrant
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
        found |= {"questions": self._measured(kept, splits)}
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
        return found

    def _one(self, entrant: Entrant, splits: Mapping[str, Split], fingerprint: str, again: bool) -> dict[str, Any]:
        python = python_of(entrant, self.environments)
        if isinstance(python, str):
            return {"failed": python}
        base = {"threads": self.threads, "limit": self.limit, "folder": self.folder / "runs" / entrant.name}
        final = Trial(entrant, python, {}, self.folder / "test", fingerprint, speed=True, **base)
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

    def _measured(self, kept: Mapping[str, Any], splits: Mapping[str, Split]) -> dict[str, Any]:
        """Reports of all questions; the floor is the library's own popularity."""
        return {name: self._report(kept, place, name, split) for place, (name, split) in enumerate(splits.items())}

    def _report(self, kept: Mapping[str, Any], place: int, name: str, split: Split) -> dict[str, Any]:
        able = {n: about for n, about in kept.items() if n != FLOOR and about.get("own", {}).get(name, 0) > 0}
        files = {n: self.folder / "runs" / n / about["key"] / f"lists-{place}.parquet" for n, about in able.items()}
        systems = {n: Replay.read(file, split) for n, file in files.items()}
        if not systems:
            return {}
        return ws.evaluate(systems, split, baselines=False, refit=False).to_dict()
