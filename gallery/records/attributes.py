"""Attributes: what tables say of images besides their labels."""

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.base import Record

CodePoints = String().with_variant(String(collation="C"), "postgresql")
"""Text that is compared by code points, as SQLite and Python do."""


class AttributeRecord(Record):
    """One attribute of those that are named together by their `digest`; `number` where it is written as one.

    Places name theirs by the digest, so that builds and images that say the same share the rows, which never
    change.
    """

    __tablename__ = "attributes"
    __table_args__ = (
        Index("ix_attributes_text", "gallery_id", "name", "text"),
        Index("ix_attributes_number", "gallery_id", "name", "number"),
    )

    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CodePoints, primary_key=True)
    text: Mapped[str] = mapped_column(CodePoints)
    number: Mapped[float | None] = mapped_column(Float(53))
