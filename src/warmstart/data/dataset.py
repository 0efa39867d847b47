"""The bundle everything is fitted on; saved as a folder of Parquet with a manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp

from warmstart.data.catalog import Catalog
from warmstart.data.graph import KnowledgeGraph
from warmstart.data.histories import Histories
from warmstart.data.interactions import Interactions
from warmstart.data.vocab import Vocabulary, check_codes
from warmstart.errors import ArtefactError, DataError

USER_ID = "user_id"
FORMAT = 1
EVENT_COLUMNS = ("weight", "kind", "rating", "time")


@dataclass(frozen=True)
class Dataset:
    """Interactions, the catalogue, and where there are any a graph and a table of users.

    Parameters
    ----------
    interactions
        Codes point into ``users`` and ``catalog.items``.
    catalog
        All items.
    users
        All users: those with events and those only described.
    graph
        Facts about items, or None.
    user_table
        One row a user, aligned with ``users`` (nulls where nothing is known), without the id; or None.
    features
        float32, shape (n_items, dim): item features Z, attached by the engine before experts are fitted; or None.
    of_graph
        bool, shape (dim,): which features a graph gave; None = none.
    gram
        CSR float32, shape (n_items, n_items): ``X'X`` of all people, where ``interactions`` are those of a sample of
        them; items left out have no row. None = what the interactions say.
    """

    interactions: Interactions
    catalog: Catalog
    users: Vocabulary
    graph: KnowledgeGraph | None = None
    user_table: pl.DataFrame | None = None
    features: np.ndarray | None = None
    of_graph: np.ndarray | None = None
    gram: sp.csr_matrix | None = None

    def __post_init__(self) -> None:
        if self.interactions.n_items != len(self.catalog):
            raise DataError(f"interactions count {self.interactions.n_items} items, the catalogue {len(self.catalog)}")
        if self.user_table is not None and self.user_table.height != len(self.users):
            raise DataError(f"the users table has {self.user_table.height} rows for {len(self.users)} users")

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.catalog)

    @property
    def n_users(self) -> int:
        """Number of users, with or without events."""
        return len(self.users)

    def with_interactions(self, x: Interactions) -> Dataset:
        """The same world with other events (codes unchanged), and nothing of those of people beyond them."""
        return replace(self, interactions=x, gram=None)

    def with_features(self, features: np.ndarray, of_graph: np.ndarray | None = None) -> Dataset:
        """The same data with item features Z attached, and which of them a graph gave."""
        return replace(self, features=features, of_graph=of_graph)

    def attributes(self, users: np.ndarray) -> pl.DataFrame | None:
        """Rows of the users table for user codes; -1 gives a row of nulls."""
        if self.user_table is None:
            return None
        at = pl.Series(np.where(users < 0, 0, users), dtype=pl.UInt32)
        known = pl.Series(users >= 0)
        rows = self.user_table[at] if self.user_table.height else self.user_table.clear(len(users))
        return rows.with_columns(pl.when(known).then(pl.col(c)).otherwise(None).alias(c) for c in rows.columns)

    def histories(self, users: np.ndarray) -> Histories:
        """Stored histories and attributes of user codes, as ``users.codes(ids)`` gives them; -1 is a user nobody knows.

        Raises
        ------
        DataError
            If ids were given, or codes that are out of range.
        """
        users = check_codes(users, self.n_users, least=-1, name="users", remedy="data.users.codes")
        return replace(Histories.of_users(self.interactions, users), attributes=self.attributes(users))

    def sizes(self) -> dict[str, int]:
        """How many users, items and events there are."""
        return {"users": self.n_users, "items": self.n_items, "events": len(self.interactions)}

    def fingerprint(self) -> str:
        """SHA-256 (hex) over events and ids: equal data, equal fingerprint."""
        x, digest = self.interactions, hashlib.sha256()
        for column in (x.user, x.item, x.weight, x.kind, x.rating, x.time):
            digest.update(np.ascontiguousarray(column).tobytes())
        digest.update("\n".join((*self.users.ids, "", *self.catalog.items.ids)).encode())
        return digest.hexdigest()

    def save(self, folder: str | Path) -> None:
        """Write ``interactions``, ``items`` and, where present, ``users`` and ``graph`` as Parquet."""
        path, x = Path(folder), self.interactions
        path.mkdir(parents=True, exist_ok=True)
        events = {c: getattr(x, c) for c in ("user", "item", *EVENT_COLUMNS)}
        pl.DataFrame(events).write_parquet(path / "interactions.parquet")
        self.catalog.table.write_parquet(path / "items.parquet")
        users = pl.DataFrame({USER_ID: list(self.users.ids)}, schema={USER_ID: pl.String})
        if self.user_table is not None:
            users = pl.concat([users, self.user_table], how="horizontal")
        users.write_parquet(path / "users.parquet")
        if self.graph is not None:
            self.graph.save(path)
        manifest = {
            "format": FORMAT,
            "kinds": list(x.kinds),
            "graph": self.graph is not None,
            "user_table": self.user_table is not None,
            "fingerprint": self.fingerprint(),
        }
        (path / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> Dataset:
        """Read what ``save`` wrote.

        Raises
        ------
        ArtefactError
            If the folder has no manifest, is of a newer format, or its content was changed.
        """
        path = Path(folder)
        if not (path / "manifest.json").is_file():
            raise ArtefactError(f"{path} is not a saved dataset (no manifest.json); save one with Dataset.save")
        manifest = json.loads((path / "manifest.json").read_text())
        if manifest["format"] > FORMAT:
            raise ArtefactError(f"{path} has format {manifest['format']}, not {FORMAT}; upgrade warmstart")
        events = pl.read_parquet(path / "interactions.parquet")
        catalog = Catalog(pl.read_parquet(path / "items.parquet"))
        people = pl.read_parquet(path / "users.parquet")
        users = Vocabulary(people[USER_ID].to_list())
        columns = {c: events[c].to_numpy() for c in events.columns}
        data = cls(
            Interactions(**columns, n_users=len(users), n_items=len(catalog), kinds=tuple(manifest["kinds"])),
            catalog,
            users,
            KnowledgeGraph.load(path) if manifest["graph"] else None,
            people.drop(USER_ID) if manifest["user_table"] else None,
        )
        if data.fingerprint() != manifest["fingerprint"]:
            raise ArtefactError(f"{path} was changed after it was saved (fingerprint differs); save it again")
        return data
