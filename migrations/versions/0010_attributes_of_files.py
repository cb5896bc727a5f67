"""Sources of other kinds than folders, and what they say of files besides their labels.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("kind", sa.String(), nullable=False, server_default="folder"))
    op.add_column("files", sa.Column("attributes", sa.String()))
    op.add_column("findings", sa.Column("attributes", sa.String()))
    op.add_column("findings", sa.Column("old_attributes", sa.String()))
    op.create_index("ix_places_gallery_id_attributes", "places", ["gallery_id", "attributes"])


def downgrade() -> None:
    op.drop_index("ix_places_gallery_id_attributes", "places")
    op.drop_column("findings", "old_attributes")
    op.drop_column("findings", "attributes")
    op.drop_column("files", "attributes")
    op.drop_column("sources", "kind")
