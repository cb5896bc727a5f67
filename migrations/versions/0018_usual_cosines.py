"""How alike two images of a build usually are is remembered with the build.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("builds", sa.Column("usual", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    with op.batch_alter_table("builds") as builds:
        builds.drop_column("usual")
