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
    """A root that was scanned into the gallery, or what else names its files; `kind` is NamedSource's."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("gallery_id", "uri"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"))
    uri: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="folder")


class SuccessorRecord(Record):
    """The encoder that is to take over from the published one: what it embeds is kept until it does, or not.

    `encoder_folder` is its checkpoint below the gallery's `encoders/`; `local_embeddings` is how its segments
    keep theirs.
    """

    __tablename__ = "successors"

    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True)
    encoder_name: Mapped[str]
    encoder_folder: Mapped[str]
    fingerprint: Mapped[str]
    local_embeddings: Mapped[str]
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RefusedContentRecord(Record):
    """A content of which the successor can make no embedding though its bytes are there, and why."""

    __tablename__ = "refused_contents"

    gallery_id: Mapped[int] = mapped_column(
        ForeignKey("successors.gallery_id", ondelete="CASCADE"), primary_key=True
    )
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str]


class LeaseRecord(Record):
    """The one who may write the gallery: there is a row while somebody does, or died doing it."""

    __tablename__ = "leases"

    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[str]
    host: Mapped[str]
    process_id: Mapped[int]
    acquired_at: Mapped[datetime] = mapped_column(UtcDateTime)
    renewed_at: Mapped[datetime] = mapped_column(UtcDateTime)
