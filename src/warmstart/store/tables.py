"""The tables, as the newest migration leaves them; times are int64 seconds since the epoch, UTC."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from warmstart.store.columns import VectorColumn

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)
NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER key
ID = String().with_variant(String(collation="C"), "postgresql")  # ids are ordered by their bytes, as in Python


def _id(name: str) -> Column[str]:
    return Column(name, ID, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, String, nullable=False)


def _seconds(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


VERSIONS = Table(
    "versions",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

ITEMS = Table(
    "items",
    METADATA,
    Column("item_id", ID, primary_key=True),
    Column("fields", JSON, nullable=False),
    Column("hidden", Boolean(create_constraint=False), nullable=False),
    _seconds("added_at"),
    _seconds("updated_at"),
    _seconds("deleted_at"),  # 0 = it is there; a deleted row stays so that other processes learn of it
    Column("version", BigInteger, nullable=False),
    Index(None, "version"),
)

USERS = Table(
    "users",
    METADATA,
    Column("user_id", ID, primary_key=True),
    Column("attributes", JSON, nullable=False),
    _seconds("added_at"),
    _seconds("updated_at"),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("seq", NUMBER, primary_key=True, autoincrement=True),
    _id("event_id"),
    _id("user_id"),
    _id("item_id"),
    _text("kind"),
    _seconds("time"),
    Column("value", Float),
    Column("weight", Float),
    Column("recommendation_id", ID),
    UniqueConstraint("event_id"),
    Index(None, "user_id", "time", "seq"),
    Index(None, "time"),
    Index(None, "recommendation_id"),
    sqlite_autoincrement=True,  # a number is never given twice, even after the newest rows were erased
)

ANSWERS = Table(
    "answers",
    METADATA,
    Column("recommendation_id", ID, primary_key=True),
    Column("user_id", ID),
    _seconds("time"),
    _text("model"),
    _text("scenario"),
    _text("slice"),
    Column("items", JSON, nullable=False),
    Column("fallback", String),
    Column("experiment", String),
    Column("variant", String),
    Column("request", JSON, nullable=False),
    Column("milliseconds", Float, nullable=False),
    Index(None, "time"),
    Index(None, "user_id"),
)

MODELS = Table(
    "models",
    METADATA,
    Column("version", String, primary_key=True),
    _text("folder"),
    _text("status"),
    _seconds("created_at"),
    _seconds("promoted_at"),
    Column("until", BigInteger, nullable=False),
    Column("report", JSON, nullable=False),
)

EXPERIMENTS = Table(
    "experiments",
    METADATA,
    Column("name", String, primary_key=True),
    Column("variants", JSON, nullable=False),
    _text("kind"),
    _text("scenario"),
    _text("metric"),
    _text("status"),
    _seconds("created_at"),
    _seconds("stopped_at"),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("key_id", String, primary_key=True),
    _text("name"),
    _text("digest"),
    Column("scopes", JSON, nullable=False),
    _seconds("created_at"),
    _seconds("revoked_at"),
    UniqueConstraint("digest"),
)

STATES = Table(
    "states",
    METADATA,
    Column("name", String, primary_key=True),
    Column("document", JSON, nullable=False),
)

LOCKS = Table(
    "locks",
    METADATA,
    Column("name", String, primary_key=True),
    _text("holder"),
    Column("taken_at", Float, nullable=False),
    Column("until", Float, nullable=False),
)

SPACES = Table(
    "spaces",
    METADATA,
    Column("space", String, primary_key=True),
    Column("dim", Integer, nullable=False),
)

VECTORS = Table(
    "vectors",
    METADATA,
    Column("space", String, ForeignKey("spaces.space", ondelete="CASCADE"), primary_key=True),
    Column("item_id", ID, primary_key=True),
    Column("vector", VectorColumn, nullable=False),
)

RECEIPTS = Table(
    "receipts",
    METADATA,
    Column("receipt_id", String, primary_key=True),
    _seconds("erased_at"),
    _text("salt"),
    _text("digest"),
    Column("counts", JSON, nullable=False),
    Column("models", JSON, nullable=False),
)

ERASED = Table(
    "erased",
    METADATA,
    Column("digest", String, primary_key=True),
    _text("salt"),  # the same for all that one store erased: a user is looked up by one hash
    _seconds("erased_at"),
)
