"""Vectors of items by space, and receipts of what was erased."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create them; PostgreSQL keeps vectors by its extension ``vector``."""
    vector: sa.types.TypeEngine = sa.LargeBinary()
    ids = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    if op.get_bind().dialect.name == "postgresql":
        from pgvector.sqlalchemy import VECTOR

        op.execute("CREATE EXTENSION IF NOT EXISTS vector")
        vector = VECTOR()
    op.create_table(
        "spaces",
        sa.Column("space", sa.String, nullable=False),
        sa.Column("dim", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("space", name="pk_spaces"),
    )
    op.create_table(
        "vectors",
        sa.Column("space", sa.String, nullable=False),
        sa.Column("item_id", ids, nullable=False),
        sa.Column("vector", vector, nullable=False),
        sa.PrimaryKeyConstraint("space", "item_id", name="pk_vectors"),
        sa.ForeignKeyConstraint(["space"], ["spaces.space"], name="fk_vectors_space", ondelete="CASCADE"),
    )
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.String, nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.Column("salt", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("models", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("receipt_id", name="pk_receipts"),
    )
