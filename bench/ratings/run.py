"""Ratings of a data set, predicted: splits, few examples, thinned training, questions; beside biases and neighbours.

``python bench/ratings/run.py DATA TASK [--out FILE]``: DATA is a folder with ``interactions.csv`` and ``items.csv``
(and ``users.csv``), TASK one of ``u1`` (lines 1 to 20,000 are asked for, as in ML-100K; ``u2`` to ``u5`` likewise),
``random`` (a fifth), ``time`` (the newest fifth), ``few`` (a sixth of the people, known by 0 to 32 ratings), ``thin``
(1 to 100 % of the training part of ``random``), ``ask`` (questions by worth, by popularity and at random).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.data.ingest import read
from warmstart.data.interactions import Interactions
from warmstart.encoders import Encoders
from warmstart.experts.ratings.elicit import worth_asking
from warmstart.experts.ratings.model import FittedRatings, RatingModel
from warmstart.recipe import Recipe

KS, SHARES, ROUNDS = (0, 1, 2, 4, 8, 16, 32), (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0), 8
NAMES = ("machine", "machine_without_heard", "neighbours", "bias")


def main() -> None:
    """Measure one task."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("data", type=Path)
    words.add_argument("task")
    words.add_argument("--out", type=Path)
    given = words.parse_args()
    data = world(given.data)
    tasks = {"few": few, "thin": thin, "ask": ask}
    found = tasks[given.task](data) if given.task in tasks else split(data, asked_rows(data, given.data, given.task))
    text = json.dumps({"data": given.data.name, "task": given.task} | found, indent=1)
    sys.stdout.write(text + "\n")
    if given.out:
        given.out.write_text(text + "\n")


def world(folder: Path) -> Dataset:
    """The data, in the order of the file, with item features attached."""
    users = folder / "users.csv"
    data = read(folder / "interactions.csv", items=folder / "items.csv", users=users if users.is_file() else None)
    recipe = Recipe()
    space, _ = Encoders.of(recipe, data).spaces(recipe.space, data.catalog, data.graph)
    return space.describe(data)


def asked_rows(data: Dataset, folder: Path, task: str) -> np.ndarray:
    """Which ratings are asked for: bool, by event."""
    x, rng = data.interactions, np.random.default_rng(0)
    if task == "random":
        return rng.random(len(x)) < 0.2
    if task == "time":
        return x.time >= np.quantile(x.time, 0.8)
    lines = pl.read_csv(folder / "interactions.csv", infer_schema=False)
    user, item = data.users.codes(lines["user_id"].to_list()), data.catalog.items.codes(lines["item_id"].to_list())
    first = 20_000 * (int(task.removeprefix("u")) - 1)
    wanted = (user.astype(np.int64) * data.n_items + item)[first : first + 20_000]
    return np.isin(x.user.astype(np.int64) * data.n_items + x.item, wanted)


def split(data: Dataset, asked: np.ndarray) -> dict[str, object]:
    """RMSE, MAE and coverage on the ratings asked for."""
    x = data.interactions
    start = time.process_time()
    fitted = RatingModel().fit(data.with_interactions(x.select(~asked)))
    spent = time.process_time() - start
    people = known(data, x.select(~asked))
    return {"fit_cpu_s": round(spent, 1), "ratings": int((~asked).sum())} | judged(fitted, people, x.select(asked))


def known(data: Dataset, x: Interactions) -> Histories:
    """What is known of everybody."""
    users = np.arange(data.n_users)
    return replace(Histories.of_users(x, users), attributes=data.attributes(users))


def judged(fitted: FittedRatings, people: Histories, x: Interactions) -> dict[str, object]:
    """Errors of the whole, of its parts, and how many ratings lie within the intervals."""
    pairs = x.user.astype(np.int64), x.item.astype(np.int64)
    mean, low, high = fitted.predict(people, *pairs)
    off = x.rating - mean
    rng = np.random.default_rng(0)
    drawn = [np.sqrt((off[rng.integers(0, len(off), len(off))] ** 2).mean()) for _ in range(500)]
    parts = fitted.told(people, *pairs)[0]
    return {
        "asked": len(off),
        "rmse": error(off),
        "rmse_95": [round(float(q), 4) for q in np.quantile(drawn, [0.025, 0.975])],
        "mae": round(float(np.abs(off).mean()), 4),
        "inside_90": round(float(((x.rating >= low) & (x.rating <= high)).mean()), 4),
        "width": round(float((high - low).mean()), 3),
        "parts": {n: error(x.rating - fitted.scale.clip(p)) for n, p in zip(NAMES, parts, strict=True)},
    }


def error(off: np.ndarray) -> float:
    """Root mean square."""
    return round(float(np.sqrt((off**2).mean())), 4)


def new_people(data: Dataset, seed: int = 0) -> tuple[np.ndarray, FittedRatings]:
    """A sixth of the people with 40 ratings or more, and a model that never met them."""
    x = data.interactions
    able = np.flatnonzero(x.user_counts() >= 40)
    chosen = np.random.default_rng(seed).permutation(able)[: len(able) // 6]
    return chosen, RatingModel().fit(data.with_interactions(x.select(~np.isin(x.user, chosen))))


def few(data: Dataset) -> dict[str, object]:
    """By the number of ratings known of somebody new; the same ratings are asked for at each."""
    chosen, fitted = new_people(data)
    x, rng = data.interactions, np.random.default_rng(1)
    order = {u: rng.permutation(np.flatnonzero(x.user == u)) for u in chosen.tolist()}
    asked = x.select(np.sort(np.concatenate([rows[max(KS) :] for rows in order.values()])))
    found = {}
    for k in KS:
        rows = np.sort(np.concatenate([rows[:k] for rows in order.values()])).astype(np.int64)
        found[k] = judged(fitted, known(data, x.select(rows)), asked)
    return {"people": len(chosen), "by_k": found}


def thin(data: Dataset) -> dict[str, object]:
    """By the share of the training part that is there."""
    x, rng = data.interactions, np.random.default_rng(0)
    asked, order = rng.random(len(x)) < 0.2, rng.random(len(x))
    found = {}
    for share in SHARES:
        kept = x.select(~asked & (order < share))
        fitted = RatingModel().fit(data.with_interactions(kept))
        found[share] = {"ratings": len(kept)} | judged(fitted, known(data, kept), x.select(asked))
    return {"by_share": found}


def ask(data: Dataset) -> dict[str, object]:
    """Error after up to 8 questions of somebody new; who has not rated an item gives no answer."""
    chosen, fitted = new_people(data)
    x = data.interactions
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
