"""Ended places are found by the build that ended them.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ended = sa.text("until_build IS NOT NULL")
    op.create_index(
        "ix_places_ended",
        "places",
        ["gallery_id", "until_build"],
        sqlite_where=ended,
        postgresql_where=ended,
    )


def downgrade() -> None:
    op.drop_index("ix_places_ended", "places")
