"""Main indexes, and the builds that name them."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.base import NEVER_REUSED, Record, RecordId


class IndexRecord(Record):
    """An immutable folder that holds a main index; `claims` are what manifests say of it but for its id.

    One of the kind flat has no folder: it says that exact search was chosen, and why.
    """

    __tablename__ = "indexes"
    __table_args__ = (UniqueConstraint("name"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    claims: Mapped[dict[str, Any]] = mapped_column(JSON)


class BuildIndexRecord(Record):
    """The build names the index; one that names none is searched exactly."""

    __tablename__ = "build_indexes"

    build_id: Mapped[int] = mapped_column(ForeignKey("builds.id", ondelete="CASCADE"), primary_key=True)
    index_id: Mapped[int] = mapped_column(ForeignKey("indexes.id"), index=True)
