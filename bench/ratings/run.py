"""Ratings of a data set, predicted: splits, few examples, thinned training, questions; beside biases and neighbours.

``python bench/ratings/run.py DATA TASK [--out FILE]``: DATA is a folder with ``interactions.csv`` and ``items.csv``
(and ``users.csv``), TASK one of ``u1`` (lines 1 to 20,000 are asked for, as in ML-100K; ``u2`` to ``u5`` likewise),
``random`` (a fifth), ``time`` (the newest fifth), ``few`` (a sixth of the people, known by 0 to 32 ratings), ``thin``
(1 to 100 % of the training part of ``random``), ``ask`` (questions by worth, by popularity and at random).
FILE takes the figures as JSON; the error of each rating goes beside it (``.npz``), for paired comparisons.

``python bench/ratings/run.py DATA TASK --splits FOLDER`` measures nothing and writes the split for ``peers.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import splits
from splits import Task

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.ingest import read
from warmstart.data.interactions import Interactions
from warmstart.encoders import Encoders
from warmstart.experts.ratings.elicit import worth_asking
from warmstart.experts.ratings.model import FittedRatings, RatingModel
from warmstart.recipe import Recipe

ROUNDS = 8
NAMES = ("machine", "machine_without_heard", "neighbours", "bias", "tastes", "head")
Errors = dict[str, np.ndarray]


def main() -> None:
    """Measure one task, or write its split."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("data", type=Path)
    words.add_argument("task")
    words.add_argument("--out", type=Path)
    words.add_argument("--splits", type=Path, metavar="FOLDER")
    given = words.parse_args()
    data = table(given.data)
    if given.splits:
        splits.write(splits.task_of(data, given.data, given.task), data, given.splits / f"{given.task}.csv")
        return
    found, errors = measured(described(data), given.data, given.task)
    text = json.dumps({"data": given.data.name, "task": given.task} | found, indent=1)
    sys.stdout.write(text + "\n")
    if given.out:
        given.out.write_text(text + "\n")
        np.savez_compressed(given.out.with_suffix(".npz"), **errors)  # type: ignore[arg-type]


def table(folder: Path) -> Dataset:
    """The data, in the order of the file."""
    users = folder / "users.csv"
    return read(folder / "interactions.csv", items=folder / "items.csv", users=users if users.is_file() else None)


def described(data: Dataset) -> Dataset:
    """The data with item features attached."""
    recipe = Recipe()
    space, _ = Encoders.of(recipe, data).spaces(recipe.space, data.catalog, data.graph)
    return space.describe(data)


def measured(data: Dataset, folder: Path, name: str) -> tuple[dict[str, object], Errors]:
    """Figures of a task, and the error of each rating by level."""
    if name == "ask":
        return ask(data), {}
    task = splits.task_of(data, folder, name)
    ways = {"few": few, "thin": thin}
    return ways[name](data, task) if name in ways else single(data, task)


def single(data: Dataset, task: Task) -> tuple[dict[str, object], Errors]:
    """RMSE, MAE and coverage of one training set."""
    x = task.learned(1)
    start = time.process_time()
    fitted = RatingModel().fit(data.with_interactions(x))
    spent = time.process_time() - start
    found, off = judged(fitted, known(data, x), task.asked())
    return {"fit_cpu_s": round(spent, 1), "ratings": len(x)} | found, {"1": off}


def known(data: Dataset, x: Interactions) -> Histories:
    """What is known of everybody."""
    users = np.arange(data.n_users)
    return replace(Histories.of_users(x, users), attributes=data.attributes(users))


def judged(fitted: FittedRatings, people: Histories, x: Interactions) -> tuple[dict[str, object], np.ndarray]:
    """Errors of the whole, of its parts, and how many ratings lie within the intervals; then the error of each."""
    pairs = x.user.astype(np.int64), x.item.astype(np.int64)
    mean, low, high = fitted.predict(people, *pairs)
    off = x.rating - mean
    rng = np.random.default_rng(0)
    drawn = [np.sqrt((off[rng.integers(0, len(off), len(off))] ** 2).mean()) for _ in range(500)]
    parts = fitted.told(people, *pairs)[0]
    found = {
        "asked": len(off),
        "rmse": error(off),
        "rmse_95": [round(float(q), 4) for q in np.quantile(drawn, [0.025, 0.975])],
        "mae": round(float(np.abs(off).mean()), 4),
        "inside_90": round(float(((x.rating >= low) & (x.rating <= high)).mean()), 4),
        "width": round(float((high - low).mean()), 3),
        "parts": {n: error(x.rating - fitted.scale.clip(p)) for n, p in zip(NAMES, parts, strict=False)},
    }
    return found, off.astype(np.float32)


def error(off: np.ndarray) -> float:
    """Root mean square."""
    return round(float(np.sqrt((off**2).mean())), 4)


def few(data: Dataset, task: Task) -> tuple[dict[str, object], Errors]:
    """By the number of ratings known of somebody new; the same ratings are asked for at each."""
    fitted = RatingModel().fit(data.with_interactions(task.learned(0)))
    asked = task.asked()
    found = {k: judged(fitted, known(data, task.told(k)), asked) for k in task.levels}
    by_k = {k: figures for k, (figures, _) in found.items()}
    return {"people": len(np.unique(asked.user)), "by_k": by_k}, {f"{k:g}": off for k, (_, off) in found.items()}


def thin(data: Dataset, task: Task) -> tuple[dict[str, object], Errors]:
    """By the share of the training part that is there."""
    by_share, errors = {}, {}
    for share in task.levels:
        kept = task.learned(share)
        fitted = RatingModel().fit(data.with_interactions(kept))
        figures, errors[f"{share:g}"] = judged(fitted, known(data, kept), task.asked())
        by_share[share] = {"ratings": len(kept)} | figures
    return {"by_share": by_share}, errors


def ask(data: Dataset) -> dict[str, object]:
    """Error after up to 8 questions of somebody new; who has not rated an item gives no answer."""
    x = data.interactions
    chosen = splits.new_people(x)
    fitted = RatingModel().fit(data.with_interactions(x.select(~np.isin(x.user, chosen))))
    often = np.argsort(-fitted.counts, kind="stable")[:300]
    curves: dict[str, list[dict[str, float]]] = {}
    for way in ("worth", "popular", "random"):
        state = [Asking(x, u, way, often, fitted, np.random.default_rng([2, u])) for u in chosen.tolist()]
        curves[way] = [told(fitted, state)]
        for _ in range(ROUNDS):
            for one in state:
                one.question()
            curves[way].append(told(fitted, state))
    return {"people": len(chosen), "by_questions": curves}


class Asking:
    """One person who is asked about items."""

    def __init__(
        self, x: Interactions, user: int, way: str, often: np.ndarray, fitted: FittedRatings, rng: np.random.Generator
    ) -> None:
        rows = rng.permutation(np.flatnonzero(x.user == user))
        self.asked, self.answers = x.select(np.sort(rows[: len(rows) // 2])), x.select(np.sort(rows[len(rows) // 2 :]))
        self.way, self.fitted, self.known, self.tried = way, fitted, list[int](), list[int]()
        self.left = [int(i) for i in (rng.permutation(often) if way == "random" else often)]

    def history(self) -> Histories:
        """What was answered."""
        value = dict(zip(self.answers.item.tolist(), self.answers.rating.tolist(), strict=True))
        h = Histories.of([self.known], self.answers.n_items)
        return replace(h, rating=np.array([value[i] for i in self.known], np.float32))

    def question(self) -> None:
        """Ask about one more item."""
        if self.way == "worth":
            ranked = worth_asking(self.fitted, self.history(), len(self.tried) + 1)[0].tolist()
            item = next(i for i in ranked if i not in self.tried)
        else:
            item = next(i for i in self.left if i not in self.tried)
        self.tried.append(item)
        if item in self.answers.item:
            self.known.append(item)


def told(fitted: FittedRatings, state: list[Asking]) -> dict[str, float]:
    """Error over all people, and answers each gave on average."""
    off = []
    for one in state:
        n = len(one.asked)
        mean, _, _ = fitted.predict(one.history(), np.zeros(n, np.int64), one.asked.item.astype(np.int64))
        off.append(one.asked.rating - mean)
    return {"rmse": error(np.concatenate(off)), "answers": round(float(np.mean([len(o.known) for o in state])), 2)}


if __name__ == "__main__":
    main()
