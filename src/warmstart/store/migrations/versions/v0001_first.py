"""First tables: items, users, events, answers, models, experiments, keys, states, locks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NAMES = ("items", "users", "models", "experiments", "keys", "erased")


def upgrade() -> None:
    """Create them."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    versions = op.create_table(
        "versions",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_versions"),
    )
    op.bulk_insert(versions, [{"name": name, "value": 0} for name in NAMES])
    op.create_table(
        "items",
        sa.Column("item_id", ID, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("hidden", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("item_id", name="pk_items"),
    )
    op.create_index("ix_items_version", "items", ["version"])
    op.create_table(
        "users",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
    )
    op.create_table(
        "events",
        sa.Column("seq", number, autoincrement=True, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("weight", sa.Float),
        sa.Column("recommendation_id", ID),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.UniqueConstraint("event_id", name="uq_events_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_user_id_time_seq", "events", ["user_id", "time", "seq"])
    op.create_index("ix_events_time", "events", ["time"])
    op.create_index("ix_events_recommendation_id", "events", ["recommendation_id"])
    op.create_table(
        "answers",
        sa.Column("recommendation_id", ID, nullable=False),
        sa.Column("user_id", ID),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("scenario", sa.String, nullable=False),
        sa.Column("slice", sa.String, nullable=False),
        sa.Column("items", sa.JSON, nullable=False),
        sa.Column("fallback", sa.String),
        sa.Column("experiment", sa.String),
        sa.Column("variant", sa.String),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("milliseconds", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("recommendation_id", name="pk_answers"),
    )
    op.create_index("ix_answers_time", "answers", ["time"])
    op.create_index("ix_answers_user_id", "answers", ["user_id"])
    _create_control()


def _create_control() -> None:
    op.create_table(
        "models",
        sa.Column("version", sa.String, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("promoted_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_models"),
    )
    op.create_table(
        "experiments",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("variants", sa.JSON, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("scenario", sa.String, nullable=False),
        sa.Column("metric", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("stopped_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_experiments"),
    )
    op.create_table(
        "keys",
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys"),
        sa.UniqueConstraint("digest", name="uq_keys_digest"),
    )
    op.create_table(
        "states",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_states"),
    )
    op.create_table(
        "locks",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("taken_at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_locks"),
    )
