"""Main indexes, and the builds that name them.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "indexes",
        sa.Column("id", _record_id(), primary_key=True),
        _reference("gallery_id", "galleries", ondelete="CASCADE"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("claims", sa.JSON(), nullable=False),
        sa.UniqueConstraint("name", name="uq_indexes_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_indexes_gallery_id", "indexes", ["gallery_id"])
    op.create_table(
        "build_indexes",
        _reference("build_id", "builds", ondelete="CASCADE", primary_key=True),
        _reference("index_id", "indexes", ondelete=None),
    )
    op.create_index("ix_build_indexes_index_id", "build_indexes", ["index_id"])


def downgrade() -> None:
    op.drop_table("build_indexes")
    op.drop_table("indexes")


def _record_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _reference(name: str, table: str, *, ondelete: str | None, primary_key: bool = False) -> sa.Column[int]:
    target = sa.ForeignKey(f"{table}.id", ondelete=ondelete)
    return sa.Column(name, _record_id(), target, primary_key=primary_key, nullable=False)
