"""Uploaded queries that are kept for a while.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_queries",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_kept_queries"),
    )
    op.create_index("ix_kept_queries_expires_at", "kept_queries", ["expires_at"])


def downgrade() -> None:
    op.drop_table("kept_queries")
