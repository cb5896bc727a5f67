"""Removals are rows of their own: at one place any number of contents may be removed, one after the other.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

CODE_POINTS = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column(
            "gallery_id", _record_id(), sa.ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("uri", CODE_POINTS, primary_key=True),
        sa.Column("checksum", sa.String(), primary_key=True),
        sa.Column("image_id", _record_id(), sa.ForeignKey("images.id", ondelete="SET NULL")),
        sa.Column("author", sa.String()),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_removals_image_id", "removals", ["image_id"])
    op.execute(
        "INSERT INTO removals (gallery_id, uri, checksum, image_id, author, said_at) "
        "SELECT gallery_id, uri, checksum, image_id, author, said_at FROM amendments "
        "WHERE removed AND checksum IS NOT NULL"
    )
    op.drop_index("ix_amendments_removed", "amendments")
    with op.batch_alter_table("amendments") as amendments:
        for name in ("image_id", "checksum", "removed"):
            amendments.drop_column(name)
    op.execute("DELETE FROM amendments WHERE NOT labelled AND CAST(attributes AS VARCHAR) = '{}'")


def downgrade() -> None:
    with op.batch_alter_table("amendments") as amendments:
        amendments.add_column(
            sa.Column("image_id", _record_id(), sa.ForeignKey("images.id", ondelete="SET NULL"))
        )
        amendments.add_column(sa.Column("checksum", sa.String()))
        amendments.add_column(sa.Column("removed", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("amendments") as amendments:
        amendments.alter_column("removed", server_default=None)
    _fold_removals()
    removed = sa.text("removed")
    op.create_index(
        "ix_amendments_removed", "amendments", ["image_id"], sqlite_where=removed, postgresql_where=removed
    )
    op.drop_table("removals")


def _fold_removals() -> None:
    """Of several contents that were removed from one place, the last one stays removed."""
    op.execute(
        "INSERT INTO amendments (gallery_id, uri, of_source, removed, labelled, attributes, author, said_at) "
        "SELECT gallery_id, uri, false, false, false, '{}', max(author), max(said_at) FROM removals "
        "WHERE NOT EXISTS (SELECT 1 FROM amendments AS a WHERE a.gallery_id = removals.gallery_id "
        "AND a.uri = removals.uri AND NOT a.of_source) GROUP BY gallery_id, uri"
    )
    last = (
        "(SELECT {} FROM removals AS r WHERE r.gallery_id = amendments.gallery_id "
        "AND r.uri = amendments.uri ORDER BY r.said_at DESC, r.checksum LIMIT 1)"
    )
    op.execute(
        f"UPDATE amendments SET removed = true, checksum = {last.format('r.checksum')}, "
        f"image_id = {last.format('r.image_id')} WHERE NOT of_source AND EXISTS (SELECT 1 FROM removals AS r "
        "WHERE r.gallery_id = amendments.gallery_id AND r.uri = amendments.uri)"
    )


def _record_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
