"""Galleries, images and where they are, segments and builds.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NEVER_REUSED = {"sqlite_autoincrement": True}


def upgrade() -> None:
    op.create_table(
        "galleries",
        _own_id(),
        sa.Column("name", sa.String(), nullable=False),
        _time("created_at"),
        sa.Column("published_build", sa.Integer()),
        sa.Column("encoder_folder", sa.String()),
        sa.UniqueConstraint("name", name="uq_galleries_name"),
        **NEVER_REUSED,
    )
    op.create_table(
        "sources",
        _own_id(),
        _reference("gallery_id", "galleries"),
        sa.Column("uri", sa.String(), nullable=False),
        sa.UniqueConstraint("gallery_id", "uri", name="uq_sources_gallery_id_uri"),
        **NEVER_REUSED,
    )
    op.create_table(
        "leases",
        _reference("gallery_id", "galleries", primary_key=True),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("process_id", sa.Integer(), nullable=False),
        _time("acquired_at"),
        _time("renewed_at"),
    )
    _create_images()
    _create_builds()


def _create_images() -> None:
    op.create_table(
        "contents",
        _own_id(),
        _reference("gallery_id", "galleries"),
        sa.Column("checksum", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.UniqueConstraint("gallery_id", "checksum", name="uq_contents_gallery_id_checksum"),
        **NEVER_REUSED,
    )
    op.create_table("images", _own_id(), _reference("content_id", "contents"), **NEVER_REUSED)
    op.create_index("ix_images_content_id", "images", ["content_id"])
    op.create_table(
        "places",
        _own_id(),
        _reference("gallery_id", "galleries"),
        _reference("image_id", "images"),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("label", sa.String()),
        sa.Column("since_build", sa.Integer(), nullable=False),
        sa.Column("until_build", sa.Integer()),
        **NEVER_REUSED,
    )
    for columns in (["gallery_id", "uri"], ["gallery_id", "label"], ["image_id"]):
        op.create_index(f"ix_places_{'_'.join(columns)}", "places", columns)
    live = sa.text("until_build IS NULL")
    for name, columns in (("live_uri", ["gallery_id", "uri"]), ("live_image_id", ["image_id"])):
        op.create_index(
            f"uq_places_{name}",
            "places",
            columns,
            unique=True,
            sqlite_where=live,
            postgresql_where=live,
        )
    op.create_table(
        "unreadable_files",
        _own_id(),
        _reference("gallery_id", "galleries"),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("checksum", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.UniqueConstraint("gallery_id", "uri", name="uq_unreadable_files_gallery_id_uri"),
        **NEVER_REUSED,
    )


def _create_builds() -> None:
    op.create_table(
        "segments",
        _own_id(),
        _reference("gallery_id", "galleries"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("grid_height", sa.Integer(), nullable=False),
        sa.Column("grid_width", sa.Integer(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.UniqueConstraint("name", name="uq_segments_name"),
        **NEVER_REUSED,
    )
    op.create_index("ix_segments_gallery_id_fingerprint", "segments", ["gallery_id", "fingerprint"])
    op.create_table(
        "embedded_contents",
        _reference("segment_id", "segments", primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        _reference("content_id", "contents"),
        sa.UniqueConstraint("content_id", "segment_id", name="uq_embedded_contents_content_id_segment_id"),
    )
    op.create_table(
        "builds",
        _own_id(),
        _reference("gallery_id", "galleries"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("encoder_name", sa.String(), nullable=False),
        sa.Column("encoder_folder", sa.String(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("contents", sa.Integer(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("manifest_sha256", sa.String(), nullable=False),
        _time("published_at"),
        sa.UniqueConstraint("gallery_id", "number", name="uq_builds_gallery_id_number"),
        **NEVER_REUSED,
    )
    op.create_table(
        "build_segments",
        _reference("build_id", "builds", primary_key=True),
        _reference("segment_id", "segments", primary_key=True, ondelete=None),
    )
    op.create_index("ix_build_segments_segment_id", "build_segments", ["segment_id"])


def downgrade() -> None:
    for table in (
        "build_segments",
        "builds",
        "embedded_contents",
        "segments",
        "unreadable_files",
        "places",
        "images",
        "contents",
        "leases",
        "sources",
        "galleries",
    ):
        op.drop_table(table)


def _record_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _own_id() -> sa.Column[int]:
    return sa.Column("id", _record_id(), primary_key=True)


def _reference(
    name: str, table: str, *, primary_key: bool = False, ondelete: str | None = "CASCADE"
) -> sa.Column[int]:
    target = sa.ForeignKey(f"{table}.id", ondelete=ondelete)
    return sa.Column(name, _record_id(), target, primary_key=primary_key, nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)
