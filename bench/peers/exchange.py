"""Files between the driver and a system: what it may know goes out, its lists come back; targets stay here.

A task is a folder: ``train/`` as ``Dataset.save`` writes it, ``task.json``, and for each question a Parquet file with a
row a query: ``user`` (a code of ``train/users.parquet``) and ``history`` (item codes, oldest first). ``task.json`` says
what may be listed (``candidates``, item codes; null = all but the history), and how long the lists are (``length``).
A system leaves a Parquet file a question: ``query``, ``rank`` (from 1), ``item`` (a code).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from warmstart.data.split import Split
from warmstart.evaluate.ask import codes_of
from warmstart.evaluate.beyond import DEEP

TASK = "task.json"


def fingerprint(splits: Mapping[str, Split]) -> str:
    """SHA-256 (hex) over the training set and all that is asked: equal tasks, equal fingerprint."""
    digest = hashlib.sha256()
    for name, split in splits.items():
        digest.update(f"{name} {split.train.fingerprint()}".encode())
        for part in (
            split.users,
            split.queries.indptr,
            split.queries.item,
            split.targets.indptr,
            split.targets.indices,
        ):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def length(split: Split, k: int = DEEP) -> int:
    """How long the lists of a question are: enough for ``k`` after hidden items have been taken out.

    One length for all queries, a power of two more than ``k``, so that nobody can tell how many are hidden from whom.
    """
    hidden = 0 if split.hidden is None else int(split.hidden.getnnz(axis=1).max())
    more = 0 if hidden == 0 else 2 ** int(np.ceil(np.log2(hidden)))
    return min(k + more, split.train.n_items)


def write_task(folder: Path, splits: Mapping[str, Split]) -> str:
    """Write a task unless it is there already; returns its fingerprint."""
    print_of_task, file = fingerprint(splits), folder / TASK
    if file.is_file() and json.loads(file.read_text(encoding="utf-8"))["fingerprint"] == print_of_task:
        return print_of_task
    folder.mkdir(parents=True, exist_ok=True)
    next(iter(splits.values())).train.save(folder / "train")
    questions = {}
    for place, (name, split) in enumerate(splits.items()):
        rows = [split.queries.row(q).tolist() for q in range(len(split))]
        table = {"user": split.users, "history": pl.Series(rows, dtype=pl.List(pl.Int32))}
        pl.DataFrame(table).write_parquet(folder / f"question-{place}.parquet")
        candidates = None if split.candidates is None else split.candidates.tolist()
        questions[name] = {"file": f"question-{place}.parquet", "length": length(split), "candidates": candidates}
    file.write_text(json.dumps({"fingerprint": print_of_task, "questions": questions}), encoding="utf-8")
    return print_of_task


@dataclass(frozen=True)
class Replay:
    """Lists of a file, given out as an engine would; ``warmstart.evaluate`` checks and measures them as any other.

    Parameters
    ----------
    users
        Ids of those asked for, in the order of the lists.
    items
        Ids of the catalogue.
    lists
        Columns ``query``, ``rank``, ``item``.
    """

    users: Sequence[str]
    items: Sequence[str]
    lists: pl.DataFrame

    @classmethod
    def read(cls, file: Path, split: Split) -> Replay:
        """Lists for the queries of a split."""
        users = split.train.users.names(split.users.tolist())
        return cls(users, split.train.catalog.items.ids, pl.read_parquet(file))

    def codes(self, split: Split, k: int) -> np.ndarray:
        """The first ``k`` places: int32, shape (n_queries, k), -1 = no item."""
        return codes_of(self._named(self.lists, k), split.train.catalog.items, len(split), k)

    def recommend(
        self,
        users: Sequence[str] | None = None,
        histories: Sequence[Sequence[str]] | None = None,
        *,
        k: int = 10,
        candidates: Sequence[str] | None = None,
        exclude_seen: bool = True,
    ) -> pl.DataFrame:
        """The stored lists of these users, cut to ``k``; what else is asked was known when they were made."""
        asked = pl.DataFrame({"user": users or [], "place": np.arange(len(users or []))})
        own = pl.DataFrame({"user": list(self.users), "query": np.arange(len(self.users))})
        found = asked.join(own, on="user").join(self.lists.with_columns(pl.col("query").cast(pl.Int64)), on="query")
        return self._named(found.drop("query").rename({"place": "query"}), k)

    def _named(self, lists: pl.DataFrame, k: int) -> pl.DataFrame:
        kept = lists.filter(pl.col("rank") <= k).sort("query", "rank")
        names = np.array(self.items, dtype=object)[kept["item"].to_numpy()]
        return kept.select("query", "rank", item_id=pl.Series(names.tolist(), dtype=pl.String))
