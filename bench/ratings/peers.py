"""Rating predictors of LensKit and Surprise, tuned, on the splits of ``run.py``; in an environment of their own.

    python bench/ratings/run.py DATA few --splits FOLDER        # likewise thin, random, u1
    python3 -m venv peers_env && peers_env/bin/pip install torch==2.13.0
    peers_env/bin/pip install lenskit==2025.8.1 scikit-surprise==1.1.5 pandas==2.3.3
    OMP_NUM_THREADS=1 peers_env/bin/python bench/ratings/peers.py FOLDER --out FILE [--tasks few thin] [--levels 0.05]

Settings are chosen on tenths of the training part, never on what is asked for. For ``few`` three tenths of its people
are met in turn as new people known by as many ratings; else a tenth of its ratings is held out, several tenths in turn
where they are few. What FILE holds already is not measured again; the error of each rating goes beside it (``.npz``).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from baselines import BASELINES, Baseline, Predictor, Settings

SEED, TENTH, HELD_OUT, ROUNDS = 0, 0.1, 2000, 500


@dataclass(frozen=True)
class Part:
    """Three tables of ratings: training set, histories of new people, test set."""

    train: pd.DataFrame
    told: pd.DataFrame
    asked: pd.DataFrame


Parts = dict[float, Part]
Measured = Iterator[tuple[float, dict[str, Any], np.ndarray]]


def main() -> None:
    """Tune and measure what FILE does not hold yet."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("folder", type=Path)
    words.add_argument("--out", type=Path, required=True, metavar="FILE")
    words.add_argument("--tasks", nargs="+", default=["few", "thin", "random", "u1"])
    words.add_argument("--levels", nargs="+", type=float)
    words.add_argument("--peers", nargs="+", default=[b.name for b in BASELINES])
    words.add_argument("--no-limit", action="store_true", help="also where a fit takes minutes")
    given = words.parse_args()
    book = Book.of(given.out)
    for task in given.tasks:
        table = pd.read_csv(given.folder / f"{task}.csv", dtype={"user_id": str, "item_id": str})
        levels = [v for v in sorted(table["since"].dropna().unique()) if not given.levels or v in given.levels]
        parts = {level: part_of(table, level) for level in levels}
        for baseline in (b for b in BASELINES if b.name in given.peers):
            most = np.inf if given.no_limit else baseline.limit
            left = {v: p for v, p in parts.items() if len(p.train) <= most and not book.has(task, baseline, v)}
            for together in [left] if task == "few" else [{v: p} for v, p in left.items()]:
                book.add(task, baseline, measured(baseline, together))


def part_of(table: pd.DataFrame, level: float) -> Part:
    """A split at one level; where some ratings are known always (level 0), the others are of new people."""
    since = table["since"]
    new = (since > 0) & (since <= level) & bool((since == 0).any())
    return Part(table[(since <= level) & ~new], table[new], table[since.isna()])


def measured(baseline: Baseline, parts: Parts) -> Measured:
    """Figures of one predictor at each level, and the error of each rating."""
    start = time.process_time()
    rehearsals = {level: held_out(part, level) for level, part in parts.items()}
    tried = tuned(baseline, rehearsals)
    spent = time.process_time() - start
    for level, part in parts.items():
        chosen = baseline.grid[int(np.argmin(tried[level]))]
        errors = Fits(baseline, chosen).errors(part)
        tuning = {
            "chosen": chosen,
            "held_out": sum(len(r.asked) for r in rehearsals[level]),
            "rmse_by_setting": [round(value, 4) for value in tried[level]],
            "tune_cpu_s": round(spent / len(parts), 1),
        }
        yield level, {"ratings": len(part.train) + len(part.told)} | figures(errors) | tuning, errors


def tuned(baseline: Baseline, rehearsals: dict[float, list[Part]]) -> dict[float, list[float]]:
    """RMSE on what was held out, by level and setting; levels that hold out the same people share their fits."""
    tried: dict[float, list[float]] = {level: [] for level in rehearsals}
    for settings in baseline.grid:
        fits = Fits(baseline, settings)
        rounds = [[fits.errors(part) for part in together] for together in zip(*rehearsals.values(), strict=True)]
        for level, off in zip(tried, zip(*rounds, strict=True), strict=True):
            tried[level].append(root_mean_square(np.concatenate(off)))
    return tried


def figures(off: np.ndarray) -> dict[str, Any]:
    """RMSE with its bootstrap interval, and MAE."""
    rng = np.random.default_rng(SEED)
    drawn = [root_mean_square(off[rng.integers(0, len(off), len(off))]) for _ in range(ROUNDS)]
    return {
        "asked": len(off),
        "rmse": round(root_mean_square(off), 4),
        "rmse_95": [round(float(q), 4) for q in np.quantile(drawn, [0.025, 0.975])],
        "mae": round(float(np.abs(off).mean()), 4),
    }


def held_out(part: Part, level: float) -> list[Part]:
    """What settings are chosen on: new people where the task has them, else ratings."""
    always = (part.train["since"] == 0).all()
    return list(people_held_out(part.train, int(level)) if always else ratings_held_out(part.train))


def people_held_out(train: pd.DataFrame, known: int) -> Iterator[Part]:
    """Three tenths of the people with 40 ratings or more, some of each known; those after the 32nd are asked for."""
    rng, counts = np.random.default_rng(SEED), train["user_id"].value_counts()
    able = rng.permutation(np.sort(counts.index[counts >= 40].to_numpy(dtype=str)))
    shuffled = train.sample(frac=1, random_state=SEED)
    place = shuffled.groupby("user_id").cumcount()
    for tenth in np.array_split(able, 10)[:3]:
        new = shuffled["user_id"].isin(tenth)
        yield Part(train[~train["user_id"].isin(tenth)], shuffled[new & (place < known)], shuffled[new & (place >= 32)])


def ratings_held_out(train: pd.DataFrame) -> Iterator[Part]:
    """A tenth of the ratings; further tenths until 2,000 have been held out or all tenths were."""
    tenth = np.random.default_rng(SEED).permutation(np.arange(len(train)) % 10)
    for i in range(min(10, int(np.ceil(HELD_OUT / (TENTH * len(train)))))):
        yield Part(train[tenth != i], train[:0], train[tenth == i])


class Fits:
    """One predictor at one setting; fitted anew only where the training set is another than before."""

    def __init__(self, baseline: Baseline, settings: Settings) -> None:
        self.baseline, self.settings = baseline, settings
        self.rows: np.ndarray = np.empty(0)
        self.predictor: Predictor | None = None

    def errors(self, part: Part) -> np.ndarray:
        """Rating less prediction, which is clipped to the scale: float32, by rating asked for."""
        rows = part.train.index.to_numpy()
        if self.predictor is None or not np.array_equal(rows, self.rows):
            self.rows, self.predictor = rows, self.baseline.fit(part.train, self.settings)
        scale = part.train["rating"].min(), part.train["rating"].max()
        off: np.ndarray = part.asked["rating"].to_numpy() - np.clip(self.predictor(part.told, part.asked), *scale)
        return off.astype(np.float32)


def root_mean_square(off: np.ndarray) -> float:
    """RMSE of errors."""
    return float(np.sqrt(np.square(off, dtype=np.float64).mean()))


@dataclass
class Book:
    """The figures so far and their file."""

    file: Path
    found: dict[str, Any]
    errors: dict[str, np.ndarray]

    @classmethod
    def of(cls, file: Path) -> Book:
        """What a file holds; an empty book where there is none."""
        names = ("lenskit", "scikit-surprise")
        head = {"versions": {n: version(n) for n in names}, "tasks": {}}
        if not file.is_file():
            return cls(file, head, {})
        with np.load(file.with_suffix(".npz")) as kept:
            return cls(file, json.loads(file.read_text(encoding="utf-8")), dict(kept))

    def has(self, task: str, baseline: Baseline, level: float) -> bool:
        """Whether this has been measured."""
        return f"{level:g}" in self.found["tasks"].get(task, {}).get(baseline.name, {}).get("levels", {})

    def add(self, task: str, baseline: Baseline, measured: Measured) -> None:
        """Note down, write and tell as figures come in."""
        for level, found, off in measured:
            own = self.found["tasks"].setdefault(task, {}).setdefault(baseline.name, {"levels": {}})
            own |= {"folds_in": baseline.folds_in, "grid": baseline.grid}
            own["levels"][f"{level:g}"] = found
            self.errors[f"{task}/{baseline.name}/{level:g}"] = off
            self.file.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")
            np.savez_compressed(self.file.with_suffix(".npz"), **self.errors)  # type: ignore[arg-type]
            sys.stdout.write(f"{task} {baseline.name} {level:g}: {found['rmse']} {found['chosen']}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
