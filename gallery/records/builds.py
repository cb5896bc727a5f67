"""Segments, what lies in which row of them, and the builds that name them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.base import NEVER_REUSED, Record, RecordId, UtcDateTime


class SegmentRecord(Record):
    """An immutable folder of files by one encoder; `files` gives the size and SHA-256 of each by its name.

    One that is `damaged`, or `folded` into another one, is read as long as a build names it, but counts for
    nothing in a new one.
    """

    __tablename__ = "segments"
    __table_args__ = (
        UniqueConstraint("name"),
        Index("ix_segments_gallery_id_fingerprint", "gallery_id", "fingerprint"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"))
    name: Mapped[str]
    fingerprint: Mapped[str]
    rows: Mapped[int]
    dimension: Mapped[int]
    grid_height: Mapped[int]
    grid_width: Mapped[int]
    files: Mapped[dict[str, Any]] = mapped_column(JSON)
    damaged: Mapped[bool] = mapped_column(default=False, server_default=false())
    folded: Mapped[bool] = mapped_column(default=False, server_default=false())


class EmbeddedContentRecord(Record):
    """Row `row` of a segment holds what its encoder made of a content.

    A content may lie in several segments (another encoder's, a compacted one); of those that one build
    names it lies in one.
    """

    __tablename__ = "embedded_contents"
    __table_args__ = (UniqueConstraint("content_id", "segment_id"),)

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"))


class BuildRecord(Record):
    """A published state; the manifest's file is vouched for by its SHA-256 here. Numbers begin at 1.

    `usual` is how alike two of its images usually are, as the manifest has it.
    """

    __tablename__ = "builds"
    __table_args__ = (UniqueConstraint("gallery_id", "number"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"))
    number: Mapped[int]
    fingerprint: Mapped[str]
    encoder_name: Mapped[str]
    encoder_folder: Mapped[str]
    images: Mapped[int]
    contents: Mapped[int]
    labels: Mapped[int]
    manifest_sha256: Mapped[str]
    usual: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BuildSegmentRecord(Record):
    """The build names the segment, which so cannot be deleted; checked when a transaction ends."""

    __tablename__ = "build_segments"

    build_id: Mapped[int] = mapped_column(ForeignKey("builds.id", ondelete="CASCADE"), primary_key=True)
    segment_id: Mapped[int] = mapped_column(
        ForeignKey("segments.id", deferrable=True, initially="DEFERRED"), primary_key=True, index=True
    )
