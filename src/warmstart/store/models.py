"""Versions of the model; at most one is serving."""

from __future__ import annotations

import time
from dataclasses import replace

from sqlalchemy import Row, bindparam, func, select, update

from warmstart.errors import DataError
from warmstart.store.part import Part
from warmstart.store.rows import Model
from warmstart.store.tables import MODELS
from warmstart.store.upsert import put_rows
from warmstart.store.versions import bump

SERVING, RETIRED, REFUSED, REMOVED = "serving", "retired", "refused", "removed"
_ALL = select(MODELS).order_by(MODELS.c.created_at, MODELS.c.version)
_ONE = select(MODELS).where(MODELS.c.version == bindparam("which"))
_SERVING = select(MODELS).where(MODELS.c.status == SERVING)
_LATEST = select(func.coalesce(func.max(MODELS.c.promoted_at), 0))
_RETIRE = update(MODELS).where(MODELS.c.status == SERVING).values(status=RETIRED)
_SERVE = (
    update(MODELS).where(MODELS.c.version == bindparam("which")).values(status=SERVING, promoted_at=bindparam("now"))
)


class Models(Part):
    """Versions of the model."""

    def put_model(self, model: Model) -> None:
        """Add a version, or replace what is known of it; the one serving changes only by ``promote``.

        Raises
        ------
        DataError
            If it says that it is serving and is not.
        """
        with self.database.write() as connection:
            bump(connection, "models")
            now = connection.execute(_SERVING).one_or_none()
            if (model.status == SERVING) != (now is not None and now.version == model.version):
                raise DataError(
                    f"model {model.version!r} has status {model.status!r}; which one serves is said by promote"
                )
            put_rows(connection, MODELS, [_row(model)], kept=() if model.created_at else ("created_at",))

    def model(self, version: str) -> Model | None:
        """One version; None if it is not known."""
        with self.database.read() as connection:
            return _model(connection.execute(_ONE, {"which": version}).one_or_none())

    def models(self) -> list[Model]:
        """All versions, oldest first."""
        with self.database.read() as connection:
            return [Model(*row) for row in connection.execute(_ALL)]

    def serving(self) -> Model | None:
        """The version that serves; None before the first promotion."""
        with self.database.read() as connection:
            return _model(connection.execute(_SERVING).one_or_none())

    def promote(self, version: str) -> Model:
        """Let this version serve and retire the one that did.

        Raises
        ------
        DataError
            If the version is not known, was refused, or its folder was deleted.
        """
        with self.database.write() as connection:
            bump(connection, "models")
            found = _model(connection.execute(_ONE, {"which": version}).one_or_none())
            if found is None:
                raise DataError(f"there is no model {version!r}; put it there first, or name another")
            if found.status == REFUSED:
                raise DataError(f"model {version!r} was refused when it was evaluated; promote another")
            if found.status == REMOVED:
                raise DataError(f"the folder of model {version!r} was deleted, it was too old; promote another")
            if found.status == SERVING:
                return found
            now = max(int(time.time()), connection.execute(_LATEST).scalar_one() + 1)  # they tell the order
            connection.execute(_RETIRE)
            connection.execute(_SERVE, {"which": version, "now": now})
            return Model(*connection.execute(_ONE, {"which": version}).one())

    def refuse_model(self, version: str, why: str) -> bool:
        """Mark a version as one that must not serve, the reason in its report; False if it serves or is unknown."""
        with self.database.write() as connection:
            bump(connection, "models")
            found = _model(connection.execute(_ONE, {"which": version}).one_or_none())
            if found is None or found.status == SERVING:
                return False
            refused = replace(found, status=REFUSED, report={**found.report, "refused": why})
            put_rows(connection, MODELS, [_row(refused)])
            return True


def _row(model: Model) -> dict[str, object]:
    return {
        "version": model.version,
        "folder": model.folder,
        "status": model.status,
        "created_at": model.created_at or int(time.time()),
        "promoted_at": model.promoted_at,
        "until": model.until,
        "report": dict(model.report),
    }


def _model(row: Row | None) -> Model | None:
    return None if row is None else Model(*row)
