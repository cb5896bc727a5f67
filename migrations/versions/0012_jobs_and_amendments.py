"""Jobs with their errors, and what people say of images.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CODE_POINTS = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    _create_jobs()
    op.create_table(
        "job_errors",
        sa.Column("job_id", _record_id(), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("checksum", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_table(
        "amendments",
        sa.Column(
            "gallery_id", _record_id(), sa.ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("uri", CODE_POINTS, primary_key=True),
        sa.Column("of_source", sa.Boolean(), primary_key=True),
        sa.Column("image_id", _record_id(), sa.ForeignKey("images.id", ondelete="SET NULL")),
        sa.Column("checksum", sa.String()),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("labelled", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String()),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("author", sa.String()),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
    )
    removed = sa.text("removed")
    op.create_index(
        "ix_amendments_removed", "amendments", ["image_id"], sqlite_where=removed, postgresql_where=removed
    )


def downgrade() -> None:
    op.drop_table("amendments")
    op.drop_table("job_errors")
    op.drop_table("jobs")


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _record_id(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("gallery", sa.String(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True)),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("cancel_asked_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.String()),
        sa.Column("host", sa.String()),
        sa.Column("process_id", sa.Integer()),
        sa.Column("renewed_at", sa.DateTime(timezone=True)),
        sa.Column("progress", sa.JSON()),
        sa.Column("outcome", sa.JSON()),
        sa.Column("reason", sa.String()),
        sa.Column("errors", sa.Integer(), nullable=False),
        sqlite_autoincrement=True,
    )
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_jobs_open", "jobs", ["state", "id"], sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_index("ix_jobs_gallery_id", "jobs", ["gallery", "id"])


def _record_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
