"""Vectors of items, as many a item as there are spaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, Float, bindparam, cast, delete, func, select

from warmstart.errors import DataError
from warmstart.store.part import Part
from warmstart.store.tables import SPACES, VECTORS
from warmstart.store.upsert import add_rows, put_rows

_DIM = select(SPACES.c.dim).where(SPACES.c.space == bindparam("space"))
_ALL = select(VECTORS.c.item_id, VECTORS.c.vector).where(VECTORS.c.space == bindparam("space"))
_SOME = _ALL.where(VECTORS.c.item_id.in_(bindparam("ids", expanding=True)))
_DROP = delete(SPACES).where(SPACES.c.space == bindparam("which"))
AT_ONCE = 10_000  # ids of one statement; SQLite binds at most 32,766 values


class Vectors(Part):
    """Vectors of items by space; a space is, for instance, one encoder of one model version."""

    def put_vectors(self, space: str, vectors: Mapping[str, np.ndarray]) -> int:
        """Add vectors, or replace those of the same items; how many were given.

        Parameters
        ----------
        space
            Its first vector fixes the length of all.
        vectors
            Item id -> numbers, shape (dim,); kept as float32.

        Raises
        ------
        DataError
            If a vector has another length than the space, or a number that is not finite.
        """
        if not vectors:
            return 0
        with self.database.write() as connection:
            dim = len(next(iter(vectors.values())))
            add_rows(connection, SPACES, [{"space": space, "dim": dim}])
            dim = connection.execute(_DIM, {"space": space}).scalar_one()
            rows: list[dict[str, object]] = [
                {"space": space, "item_id": name, "vector": _checked(v, name, space, dim)}
                for name, v in vectors.items()
            ]
            put_rows(connection, VECTORS, rows)
        return len(rows)

    def vectors(self, space: str, ids: Sequence[str] | None = None) -> dict[str, np.ndarray]:
        """Vectors of these items, or of all of the space: float32, shape (dim,); unknown items are left out."""
        with self.database.read() as connection:
            if ids is None:
                return _vectors(connection, space)
            found: dict[str, np.ndarray] = {}
            for at in range(0, len(ids), AT_ONCE):
                values = {"space": space, "ids": list(ids[at : at + AT_ONCE])}
                found |= {name: vector for name, vector in connection.execute(_SOME, values)}
            return found

    def nearest(self, space: str, vector: np.ndarray, k: int) -> list[tuple[str, float]]:
        """The ``k`` items of the largest cosine, and the cosine, in [-1, 1]; a vector of zeros has 0 with all.

        Exact: every vector of the space is compared, by pgvector on PostgreSQL and by numpy on SQLite.

        Raises
        ------
        DataError
            If the vector has another length than the space, or a number that is not finite.
        """
        with self.database.read() as connection:
            dim = connection.execute(_DIM, {"space": space}).scalar_one_or_none()
            if dim is None:
                return []
            query = _checked(vector, "asked for", space, dim)
            if self.database.postgres:
                return _nearest_in_database(connection, space, query, k)
            return _nearest_in_memory(_vectors(connection, space), query, k)

    def drop_space(self, space: str) -> bool:
        """Whether there was such a space; its vectors go with it."""
        with self.database.write() as connection:
            return connection.execute(_DROP, {"which": space}).rowcount > 0


def _checked(vector: np.ndarray, name: str, space: str, dim: int) -> np.ndarray:
    numbers = np.asarray(vector, dtype=np.float32)
    if numbers.shape != (dim,):
        raise DataError(f"the vector {name!r} has shape {numbers.shape}, those of {space!r} ({dim},); encode it alike")
    if not np.isfinite(numbers).all():
        raise DataError(f"the vector {name!r} for {space!r} holds a number that is not finite; leave it out")
    return numbers


def _vectors(connection: Connection, space: str) -> dict[str, np.ndarray]:
    return {name: vector for name, vector in connection.execute(_ALL, {"space": space})}


def _nearest_in_database(connection: Connection, space: str, query: np.ndarray, k: int) -> list[tuple[str, float]]:
    distance = VECTORS.c.vector.op("<=>", return_type=Float())(query)
    known = func.coalesce(func.nullif(distance, cast("NaN", Float)), 1.0)  # a vector of zeros has no direction
    found = (
        select(VECTORS.c.item_id, 1.0 - known)
        .where(VECTORS.c.space == space)
        .order_by(known, VECTORS.c.item_id)
        .limit(k)
    )
    return [(name, float(cosine)) for name, cosine in connection.execute(found)]


def _nearest_in_memory(vectors: Mapping[str, np.ndarray], query: np.ndarray, k: int) -> list[tuple[str, float]]:
    names = sorted(vectors)
    if not names:
        return []
    matrix = np.stack([vectors[name] for name in names])
    norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(query)
    cosine = np.divide(matrix @ query, norms, out=np.zeros(len(names), np.float32), where=norms > 0)
    best = np.argsort(-cosine, kind="stable")[:k]
    return [(names[at], float(cosine[at])) for at in best]
