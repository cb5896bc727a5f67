"""Galleries, the roots that they are made of, and who may write them."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.base import NEVER_REUSED, Record, RecordId, UtcDateTime


class GalleryRecord(Record):
    """A set of images that can be found.

    `published_build` is the number of the build that readers open; setting it is what publishing means.
    `encoder_folder` is the checkpoint kept last, below the gallery's `encoders/`.
    """

    __tablename__ = "galleries"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_build: Mapped[int | None]
    encoder_folder: Mapped[str | None]


class SourceRecord(Record):
    """A root that was scanned into the gallery."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("gallery_id", "uri"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"))
    uri: Mapped[str]


class LeaseRecord(Record):
    """The one who may write the gallery: there is a row while somebody does, or died doing it."""

    __tablename__ = "leases"

    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[str]
    host: Mapped[str]
    process_id: Mapped[int]
    acquired_at: Mapped[datetime] = mapped_column(UtcDateTime)
    renewed_at: Mapped[datetime] = mapped_column(UtcDateTime)
