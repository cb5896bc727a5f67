"""Judgements of people on pairs.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "judgements",
        sa.Column("id", _record_id(), nullable=False),
        sa.Column("gallery_id", _record_id(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("matched", sa.String(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=False),
        sa.Column("author", sa.String()),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_judgements"),
        sa.ForeignKeyConstraint(
            ["gallery_id"], ["galleries.id"], name="fk_judgements_gallery_id_galleries", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_judgements_gallery_id_query", "judgements", ["gallery_id", "query"])
    op.create_index("ix_judgements_gallery_id_matched", "judgements", ["gallery_id", "matched"])


def downgrade() -> None:
    op.drop_table("judgements")


def _record_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
