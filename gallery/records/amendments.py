"""Amendments and removals: what a person says of an image, which holds against what its source says."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.attributes import CodePoints
from gallery.records.base import Record, UtcDateTime


class AmendmentRecord(Record):
    """What a person said of the place at `uri`, or, if it is a source's and `of_source`, of all found in it.

    The label is the person's where `labelled`; `attributes` stand before the source's, null takes one away.
    Places that were not published since say otherwise still.
    """

    __tablename__ = "amendments"

    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True)
    uri: Mapped[str] = mapped_column(CodePoints, primary_key=True)
    of_source: Mapped[bool] = mapped_column(primary_key=True)
    labelled: Mapped[bool]
    label: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON)
    author: Mapped[str | None]
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RemovalRecord(Record):
    """What a person has removed: content of this `checksum`, which is no image at `uri` any more.

    Whatever else lies there is one. `image_id` is the image that it was, null where nobody knows it.
    """

    __tablename__ = "removals"

    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"), primary_key=True)
    uri: Mapped[str] = mapped_column(CodePoints, primary_key=True)
    checksum: Mapped[str] = mapped_column(primary_key=True)
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"), index=True)
    author: Mapped[str | None]
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)
