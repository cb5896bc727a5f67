"""Places know the source that they were found through, so that going back knows it, too.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("places", sa.Column("source", sa.String()))
    op.execute(
        "UPDATE places SET source = (SELECT files.source FROM files "
        "WHERE files.gallery_id = places.gallery_id AND files.uri = places.uri) "
        "WHERE until_build IS NULL"
    )


def downgrade() -> None:
    op.drop_column("places", "source")
