"""The encoder that is to take over in a gallery.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "successors",
        sa.Column(
            "gallery_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("galleries.id", ondelete="CASCADE"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("encoder_name", sa.String(), nullable=False),
        sa.Column("encoder_folder", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("local_embeddings", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("successors")
