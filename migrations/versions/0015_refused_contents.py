"""Contents that the encoder which is to take over cannot embed, and why.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    record_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "refused_contents",
        sa.Column(
            "gallery_id",
            record_id,
            sa.ForeignKey("successors.gallery_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "content_id", record_id, sa.ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("reason", sa.String(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("refused_contents")
