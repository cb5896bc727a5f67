"""That a build names a segment is checked when a transaction ends, so that both may go in one.

PostgreSQL checks it while it still follows the deletion of a gallery to its segments and its builds.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = "fk_build_segments_segment_id_segments"


def upgrade() -> None:
    _refer(deferrable=True, initially="DEFERRED")


def downgrade() -> None:
    _refer(deferrable=None, initially=None)


def _refer(*, deferrable: bool | None, initially: str | None) -> None:
    with op.batch_alter_table("build_segments") as table:
        table.drop_constraint(NAME, type_="foreignkey")
        table.create_foreign_key(
            NAME, "segments", ["segment_id"], ["id"], deferrable=deferrable, initially=initially
        )
