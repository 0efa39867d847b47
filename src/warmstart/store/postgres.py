"""PostgreSQL by psycopg 3."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

from warmstart.store.codec import JSON_CODEC

READING: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}  # no BEGIN and ROLLBACK around one statement
SNAPSHOT: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def postgres_engine(address: URL, timeout: float, connections: int) -> Engine:
    """Connections to the server, at most so many, each looked at before it is used.

    Parameters
    ----------
    address
        With the driver ``postgresql+psycopg``.
    timeout
        Seconds to wait for a connection, and for a lock.
    connections
        How many at most.
    """
    settings = f"-c lock_timeout={round(timeout * 1000)} -c application_name=warmstart"
    return create_engine(
        address,
        connect_args={
            "options": settings,
            "connect_timeout": max(2, math.ceil(timeout)),  # libpq knows whole seconds, 2 at least
            "tcp_user_timeout": round(timeout * 1000),
            "client_encoding": "utf8",
        },
        pool_size=connections,
        max_overflow=0,
        pool_use_lifo=True,
        pool_timeout=timeout,
        pool_pre_ping=True,  # the server may have been restarted since
        **JSON_CODEC,
    )
