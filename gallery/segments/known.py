"""What one encoder has embedded already, asked for some contents at a time."""

from collections.abc import Iterable

from sqlalchemy import (
    Engine,
    select,
)

from gallery.folders import GalleryFolder
from gallery.local_storage import LocalStorage
from gallery.membership import chunks
from gallery.records.builds import EmbeddedContentRecord, SegmentRecord
from gallery.records.images import ContentRecord
from gallery.segments.intact import IntactSegments


class KnownContents:
    """The contents that one encoder has embedded, also those that are added while it is asked.

    Segments that are not intact when it is made, or keep local embeddings in another way than `storage`,
    do not count. Safe for many threads.
    """

    def __init__(
        self,
        engine: Engine,
        folder: GalleryFolder,
        gallery_id: int,
        fingerprint: str,
        storage: LocalStorage | None,
    ) -> None:
        self._engine = engine
        of_encoder = (SegmentRecord.gallery_id == gallery_id, SegmentRecord.fingerprint == fingerprint)
        with engine.connect() as connection:
            intact = IntactSegments(connection, folder, gallery_id, fingerprint, storage)
            every = connection.scalars(select(SegmentRecord.id).where(*of_encoder)).all()
        self._held = (
            select(ContentRecord.checksum)
            .join(EmbeddedContentRecord, EmbeddedContentRecord.content_id == ContentRecord.id)
            .join(SegmentRecord, SegmentRecord.id == EmbeddedContentRecord.segment_id)
            .where(
                ContentRecord.gallery_id == gallery_id,
                *of_encoder,
                SegmentRecord.id.not_in([each for each in every if each not in intact]),
            )
        )

    def __contains__(self, checksum: object) -> bool:
        return bool(self.among([str(checksum)]))

    def among(self, checksums: Iterable[str]) -> set[str]:
        """Those of the checksums whose content is embedded."""
        held: set[str] = set()
        with self._engine.connect() as connection:
            for chunk in chunks(checksums):
                held.update(connection.scalars(self._held.where(ContentRecord.checksum.in_(chunk))))
        return held
