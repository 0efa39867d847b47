"""Which setting of a system is taken: the best by NDCG@10 on a part carved out of the training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from warmstart.data.split import Split
from warmstart.evaluate.ask import ask
from warmstart.evaluate.metrics import ranking

from .entrants import Settings
from .exchange import Replay
from .trial import Trial

K = 10


@dataclass(frozen=True)
class Tried:
    """A setting and what it was worth: mean NDCG@10, NaN where it gave nothing; ``failed`` says why."""

    settings: Settings
    ndcg: float
    seconds: float
    failed: str = ""


def tried(trial: Trial, settings: Sequence[Settings], splits: Mapping[str, Split]) -> list[Tried]:
    """Each setting on the validation task."""
    return [judged(replace(trial, settings=s), splits) for s in settings]


def judged(trial: Trial, splits: Mapping[str, Split]) -> Tried:
    """Mean over the questions to which the system has answers of its own."""
    found = trial.result()
    if "failed" in found:
        return Tried(trial.settings, float("nan"), 0.0, found["failed"])
    values = [ndcg(trial, place, split) for place, (name, split) in enumerate(splits.items()) if found["own"][name] > 0]
    return Tried(trial.settings, float(np.mean(values)) if values else float("nan"), found["fit_wall_s"])


def ndcg(trial: Trial, place: int, split: Split) -> float:
    """Mean NDCG@10 of a question."""
    lists = ask(Replay.read(trial.lists(place), split), split, K)
    return float(np.nanmean(ranking(lists, split.targets, K)["ndcg"]))


def best(all_tried: Sequence[Tried]) -> Settings | None:
    """The setting of the highest value, the first of equals; None where none gave anything."""
    able = [t for t in all_tried if not np.isnan(t.ndcg)]
    return max(able, key=lambda t: t.ndcg).settings if able else None


def told(all_tried: Sequence[Tried]) -> list[dict[str, Any]]:
    """For a file; NaN becomes null."""
    return [
        {
            "settings": dict(t.settings),
            "ndcg": None if np.isnan(t.ndcg) else round(t.ndcg, 5),
            "fit_s": round(t.seconds, 2),
        }
        | ({"failed": t.failed} if t.failed else {})
        for t in all_tried
    ]
