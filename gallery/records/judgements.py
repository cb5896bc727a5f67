"""What people said of pairs: right or wrong."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.base import NEVER_REUSED, Record, RecordId, UtcDateTime


class JudgementRecord(Record):
    """One word on a pair of contents, named by their checksums, so that it holds wherever these lie.

    It stands until it is revoked; of one pair one judgement stands at most, whichever of both was the query.
    """

    __tablename__ = "judgements"
    __table_args__ = (
        Index("ix_judgements_gallery_id_query", "gallery_id", "query"),
        Index("ix_judgements_gallery_id_matched", "gallery_id", "matched"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id", ondelete="CASCADE"))
    query: Mapped[str]
    matched: Mapped[str]
    right: Mapped[bool]
    author: Mapped[str | None]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
