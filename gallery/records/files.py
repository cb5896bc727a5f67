"""What scans have seen of every file, and what the run in progress finds otherwise."""

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.attributes import CodePoints
from gallery.records.base import Record


class Sighting:
    """What a look at a file has shown, by gallery and uri."""

    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True)
    uri: Mapped[str] = mapped_column(CodePoints, primary_key=True)
    source: Mapped[str | None] = mapped_column(CodePoints)
    label: Mapped[str | None]
    attributes: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[str | None]
    checksum: Mapped[str | None]
    reason: Mapped[str | None]


class FileRecord(Sighting, Record):
    """A file as it was when a published run last looked at it: a place in the gallery, or a reason for none.

    Each is either an image of the published build (no reason) or could not be read (a reason; no checksum
    where it had no bytes to be named by; a folder that could not be listed is one, too). `source` is the
    root or listing that it was found through; `size` and `version` (see SourceFile) are null where nothing
    tells that it has not changed since.
    """

    __tablename__ = "files"
    __table_args__ = (
        Index(
            "ix_files_unreadable",
            "gallery_id",
            "checksum",
            sqlite_where=text("reason IS NOT NULL"),
            postgresql_where=text("reason IS NOT NULL"),
        ),
    )


class FindingRecord(Sighting, Record):
    """What the run in progress has found at a uri where `files` says otherwise; publishing takes it over.

    Without checksum and reason the file is gone. It outlives a run that is killed, so that the next one need
    not read the file again. From `old_image_id` on the columns are filled while publishing: the live image
    at the uri, its content and label; whether that image goes on at another uri; and the image to be here.
    """

    __tablename__ = "findings"
    __table_args__ = (
        Index("ix_findings_gallery_id_checksum", "gallery_id", "checksum"),
        Index(
            "ix_findings_old_checksum",
            "gallery_id",
            "old_checksum",
            sqlite_where=text("old_checksum IS NOT NULL"),
            postgresql_where=text("old_checksum IS NOT NULL"),
        ),
    )

    old_image_id: Mapped[int | None] = mapped_column(BigInteger)
    old_checksum: Mapped[str | None]
    old_label: Mapped[str | None]
    old_attributes: Mapped[str | None]
    goes_elsewhere: Mapped[bool | None]
    comes_from_elsewhere: Mapped[bool | None]
    image_id: Mapped[int | None] = mapped_column(BigInteger)
