"""What scans have seen of every file, readable or not, and what the run in progress finds otherwise.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ENDED = sa.text("until_build IS NOT NULL")


def upgrade() -> None:
    _create_files()
    _create_findings()
    op.execute(
        "INSERT INTO files (gallery_id, uri, label, checksum) "
        "SELECT places.gallery_id, places.uri, places.label, contents.checksum FROM places "
        "JOIN images ON images.id = places.image_id JOIN contents ON contents.id = images.content_id "
        "WHERE places.until_build IS NULL"
    )
    op.execute(
        "INSERT INTO files (gallery_id, uri, checksum, reason) "
        "SELECT gallery_id, uri, checksum, reason FROM unreadable_files WHERE NOT EXISTS "
        "(SELECT 1 FROM files WHERE files.gallery_id = unreadable_files.gallery_id "
        "AND files.uri = unreadable_files.uri)"
    )
    op.drop_table("unreadable_files")
    op.drop_index("ix_places_gallery_id_uri", "places")
    op.create_index(
        "ix_places_ended_uri", "places", ["gallery_id", "uri"], sqlite_where=ENDED, postgresql_where=ENDED
    )


def downgrade() -> None:
    op.drop_index("ix_places_ended_uri", "places")
    op.create_index("ix_places_gallery_id_uri", "places", ["gallery_id", "uri"])
    op.create_table(
        "unreadable_files",
        sa.Column("id", _big_integer(), primary_key=True),
        _gallery(primary_key=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("checksum", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.UniqueConstraint("gallery_id", "uri", name="uq_unreadable_files_gallery_id_uri"),
        sqlite_autoincrement=True,
    )
    op.execute(
        "INSERT INTO unreadable_files (gallery_id, uri, checksum, reason) "
        "SELECT gallery_id, uri, checksum, reason FROM files WHERE reason IS NOT NULL"
    )
    op.drop_table("findings")
    op.drop_table("files")


def _create_files() -> None:
    unreadable = sa.text("reason IS NOT NULL")
    op.create_table("files", *_seen())
    op.create_index(
        "ix_files_unreadable",
        "files",
        ["gallery_id", "checksum"],
        sqlite_where=unreadable,
        postgresql_where=unreadable,
    )


def _create_findings() -> None:
    op.create_table(
        "findings",
        *_seen(),
        sa.Column("old_image_id", sa.BigInteger()),
        sa.Column("old_checksum", sa.String()),
        sa.Column("old_label", sa.String()),
        sa.Column("goes_elsewhere", sa.Boolean()),
        sa.Column("comes_from_elsewhere", sa.Boolean()),
        sa.Column("image_id", sa.BigInteger()),
    )
    op.create_index("ix_findings_gallery_id_checksum", "findings", ["gallery_id", "checksum"])
    op.create_index(
        "ix_findings_old_checksum",
        "findings",
        ["gallery_id", "old_checksum"],
        sqlite_where=sa.text("old_checksum IS NOT NULL"),
        postgresql_where=sa.text("old_checksum IS NOT NULL"),
    )


def _seen() -> list[sa.Column[object]]:
    return [
        _gallery(primary_key=True),
        sa.Column("uri", _uri(), primary_key=True),
        sa.Column("source", _uri()),
        sa.Column("label", sa.String()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("version", sa.String()),
        sa.Column("checksum", sa.String()),
        sa.Column("reason", sa.String()),
    ]


def _gallery(*, primary_key: bool) -> sa.Column[object]:
    target = sa.ForeignKey("galleries.id", ondelete="CASCADE")
    return sa.Column("gallery_id", _big_integer(), target, primary_key=primary_key, nullable=False)


def _uri() -> sa.types.TypeEngine[str]:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _big_integer() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
