"""Marks of erased persons, so that data from elsewhere does not bring them back."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create their table; who was erased before has none, for a receipt does not say whose it is."""
    op.create_table(
        "erased",
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("salt", sa.String, nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_erased"),
    )
