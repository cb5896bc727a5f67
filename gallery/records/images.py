"""Contents, images (content at a place), and where they are in which builds."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.base import NEVER_REUSED, Record, RecordId


class ContentRecord(Record):
    """The bytes of an image, named by their checksum; its id is the id in the index."""

    __tablename__ = "contents"
    __table_args__ = (UniqueConstraint("gallery_id", "checksum"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"))
    checksum: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]


class ImageRecord(Record):
    """Content at a place; its id outlives moves, and is never given to another content."""

    __tablename__ = "images"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), index=True)


class PlaceRecord(Record):
    """Where an image is, and what is said of it, in the builds from `since_build` until before `until_build`.

    So a build's membership, places and labels are a condition and nothing is copied for a new build. Builds
    are numbered in a line; going back to an old one publishes its state as a new build. `attributes` is the
    digest that AttributeRecord has them under, `source` what the file was found through last, as a FileRecord
    has it (null where that was not kept yet).
    """

    __tablename__ = "places"
    __table_args__ = (
        Index(
            "ix_places_ended_uri",
            "gallery_id",
            "uri",
            sqlite_where=text("until_build IS NOT NULL"),
            postgresql_where=text("until_build IS NOT NULL"),
        ),
        Index("ix_places_gallery_id_label", "gallery_id", "label"),
        Index("ix_places_gallery_id_attributes", "gallery_id", "attributes"),
        Index("ix_places_image_id", "image_id"),
        Index(
            "ix_places_ended",
            "gallery_id",
            "until_build",
            sqlite_where=text("until_build IS NOT NULL"),
            postgresql_where=text("until_build IS NOT NULL"),
        ),
        Index(
            "uq_places_live_uri",
            "gallery_id",
            "uri",
            unique=True,
            sqlite_where=text("until_build IS NULL"),
            postgresql_where=text("until_build IS NULL"),
        ),
        Index(
            "uq_places_live_image_id",
            "image_id",
            unique=True,
            sqlite_where=text("until_build IS NULL"),
            postgresql_where=text("until_build IS NULL"),
        ),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    uri: Mapped[str]
    label: Mapped[str | None]
    attributes: Mapped[str | None]
    source: Mapped[str | None]
    since_build: Mapped[int]
    until_build: Mapped[int | None]
