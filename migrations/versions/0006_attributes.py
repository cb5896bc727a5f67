"""What tables say of images, as attributes that searches are filtered by.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("places", sa.Column("attributes", sa.String()))
    op.create_table(
        "attributes",
        sa.Column(
            "gallery_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("galleries.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("name", _code_points(), primary_key=True),
        sa.Column("text", _code_points(), nullable=False),
        sa.Column("number", sa.Float(53)),
    )
    op.create_index("ix_attributes_text", "attributes", ["gallery_id", "name", "text"])
    op.create_index("ix_attributes_number", "attributes", ["gallery_id", "name", "number"])


def downgrade() -> None:
    op.drop_table("attributes")
    op.drop_column("places", "attributes")


def _code_points() -> sa.types.TypeEngine[str]:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")
