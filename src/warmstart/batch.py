"""Lists for everybody: parts of Parquet, made by several processes, taken up where they stopped."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from warmstart.answers import answered
from warmstart.artefact import MANIFEST, checksum
from warmstart.data.dataset import Dataset
from warmstart.data.histories import Histories
from warmstart.engine import Engine, load
from warmstart.errors import ConfigError, DataError
from warmstart.experts.panel import Progress
from warmstart.interests.steer import Steering, Wishes
from warmstart.query import candidate_mask, filter_mask
from warmstart.rerank.order import Order
from warmstart.rerank.tail import Tail
from warmstart.text.onnx import available_processors

OTHER = {
    "engine": "another engine",
    "data": "other data",
    "users": "parts of another size",
    "lists": "another question",
}
JOB = "_job.json"  # readers of Parquet folders pass over names that begin so


@dataclass(frozen=True)
class Lists:
    """What is asked for everybody; the words are those of ``Engine.recommend``."""

    k: int = 10
    candidates: Sequence[str] | None = None
    exclude_seen: bool = True
    filters: Mapping[str, object] | None = None
    calibrate: float = 0.0
    tail: Tail | None = None
    objective: str | None = None

    def __post_init__(self) -> None:
        if self.k < 1:
            raise DataError(f"k={self.k}; ask for at least 1 item")

    def answer(self, engine: Engine, h: Histories) -> pl.DataFrame:
        """The lists of some histories, as ``Engine.recommend`` returns them."""
        f, recipe = engine.fitted, engine.recipe
        order = Order(self.objective or recipe.objective, self.calibrate, self.tail or recipe.tail)
        if order.rated and f.ratings is None:
            raise ConfigError("this engine predicts no ratings to sort by; fit it with a table [ratings] in its recipe")
        pool = candidate_mask(f.catalog.items, self.candidates) & filter_mask(f.catalog, self.filters)
        wishes = Wishes.of(f.concepts, Steering())
        return answered(f, h, pool, self.k, self.exclude_seen, False, wishes, order)


@dataclass(frozen=True)
class Batch:
    """Lists for every user of a dataset.

    Parameters
    ----------
    engine
        Folder of a saved engine.
    out
        Folder of the lists: ``part-00000.parquet`` and so on, each with ``user_id``, ``item_id``, ``score``, ``rank``,
        ``source``. Parts that are there already are kept, if they are of the same engine, data and question.
    lists
        What is asked.
    users
        Of a part, at least 1.
    processes
        That work at once; 0 = one for each core. With 1 this one does it.
    """

    engine: Path
    out: Path
    lists: Lists = field(default_factory=Lists)
    users: int = 10_000
    processes: int = 0

    def __post_init__(self) -> None:
        if self.users < 1:
            raise ConfigError(f"users={self.users} of a part; take 1 at least, 10000 is usual")
        if self.processes < 0:
            raise ConfigError(f"processes={self.processes} is below 0; 0 takes one for each core")

    def run(self, engine: Engine, progress: Progress | None = None) -> dict[str, int]:
        """Write the parts that are missing; returns how many ``parts`` there are, and how many were ``kept``.

        Parameters
        ----------
        engine
            The engine of the folder, with its data.

        Raises
        ------
        DataError
            If the engine has no data, or the folder holds lists of another engine, dataset or question.
        """
        if engine.data is None:
            raise DataError("lists for everybody need the data of their users; give data= to warmstart.load")
        n = engine.data.n_users
        if len(engine.fitted.catalog) != engine.data.n_items:
            more = len(engine.fitted.catalog) - engine.data.n_items
            raise DataError(f"{more} items were added to this engine since; save it, and load it with its data again")
        self.lists.answer(engine, engine.data.histories(np.empty(0, np.int64)))  # what is asked wrongly is told first
        self._claim(engine)
        starts = range(0, n, self.users)
        paths = [self.out / f"part-{number:05d}.parquet" for number in range(len(starts))]
        missing = [(path, start) for path, start in zip(paths, starts, strict=True) if not path.exists()]
        done = len(paths) - len(missing)
        for _ in self._made(engine, missing):
            if progress:
                progress("recommending", done, len(paths))
            done += 1
        return {"users": n, "parts": len(paths), "kept": len(paths) - len(missing)}

    def _claim(self, engine: Engine) -> None:
        """Note whose lists the folder holds, or see that they are these."""
        assert engine.data is not None
        job = {
            "engine": checksum(self.engine / MANIFEST),
            "data": told_of(engine.data),
            "users": self.users,
            "lists": asdict(self.lists),
        }
        told, path = json.dumps(job, indent=1, ensure_ascii=False, default=sorted), self.out / JOB
        if not path.exists():
            self.out.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_text(told + "\n", encoding="utf-8")
            partial.replace(path)
        try:
            known, asked = json.loads(path.read_text(encoding="utf-8")), json.loads(told)
        except ValueError as error:
            raise DataError(f"{path} is no JSON ({error}); name another folder, or empty it") from error
        if other := [name for name in job if known.get(name) != asked[name]]:
            what = " and ".join(OTHER[name] for name in other)
            more = f", made of {known.get('users')} users a part" if "users" in other else ""
            raise DataError(f"{self.out} holds lists of {what}{more}; ask as before, name another folder, or empty it")
        for left in self.out.glob("part-*.partial"):  # of one that was killed
            left.unlink()

    def _made(self, engine: Engine, missing: Sequence[tuple[Path, int]]) -> Iterator[Path]:
        """Write parts, in no order."""
        processes = min(self.processes or available_processors(), len(missing))
        if processes <= 1:
            for path, start in missing:
                write_part(engine, self.lists, path, *self._people(engine, start))
                yield path
            return
        context = multiprocessing.get_context("spawn")
        try:
            with ProcessPoolExecutor(processes, context, begin, (self.engine,)) as pool:
                yield from self._shared(pool, processes, engine, missing)
        except BrokenProcessPool as error:
            raise DataError(
                "a process was killed, perhaps for want of memory, or could not read the engine; run it again, with "
                "fewer processes: it goes on where it stopped"
            ) from error

    def _shared(
        self, pool: ProcessPoolExecutor, processes: int, engine: Engine, missing: Sequence[tuple[Path, int]]
    ) -> Iterator[Path]:
        """Parts as they are written; no more are given out than are worked on, and one to come."""
        left, waiting = iter(missing), dict[Future[None], Path]()
        while True:
            for path, start in left:
                waiting[pool.submit(work, self.lists, path, *self._people(engine, start))] = path
                if len(waiting) > processes:
                    break
            if not waiting:
                return
            first = next(as_completed(waiting))
            first.result()
            yield waiting.pop(first)

    def _people(self, engine: Engine, start: int) -> tuple[list[str], Histories]:
        assert engine.data is not None
        codes = np.arange(start, min(start + self.users, engine.data.n_users))
        return engine.data.users.names(codes), engine.data.histories(codes)


def told_of(data: Dataset) -> str:
    """Events and what is known of people: a fingerprint (hex)."""
    digest = hashlib.sha256(data.fingerprint().encode())
    if data.user_table is not None:
        digest.update(data.user_table.hash_rows(seed=0).to_numpy().tobytes())
    return digest.hexdigest()


def write_part(engine: Engine, lists: Lists, path: Path, names: Sequence[str], h: Histories) -> None:
    """Write the lists of some users; the file appears when it is whole."""
    rows = lists.answer(engine, h)
    user = pl.Series("user_id", names, dtype=pl.String).gather(rows["query"])
    partial = path.with_suffix(f".{os.getpid()}.partial")
    rows.drop("query").insert_column(0, user).write_parquet(partial)
    partial.replace(path)


_ENGINES: dict[str, Any] = {}


def begin(folder: Path) -> None:
    """A process reads the engine once; it works on one core, and ends when who began it is gone."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    _ENGINES["mine"] = load(folder)
    _ENGINES["limit"] = threadpool_limits(1)


def end_with_parent() -> None:
    """Wait for the end of the process that began this one, however it came, and follow it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def work(lists: Lists, path: Path, names: Sequence[str], h: Histories) -> None:
    """Write a part in a process of its own."""
    write_part(_ENGINES["mine"], lists, path, names, h)
