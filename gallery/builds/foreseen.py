"""What is usual in the build to come, measured before the transaction that publishes it.

Others may write meanwhile. Which contents will be live is foreseen from what the run has found. Publishing
asks again about just those that the figures depend on, and measures anew where anything is otherwise.
"""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, exists, or_, select

from gallery.builds.planning import published_manifest
from gallery.builds.usual import Measured, measured
from gallery.folders import GalleryFolder
from gallery.local_storage import LocalStorage
from gallery.manifest import Manifest, SegmentClaims
from gallery.membership import chunks
from gallery.records.files import FindingRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.segments.intact import IntactSegments
from gallery.surveys.transition import READABLE


def foreseen_usual(
    connection: Connection, folder: GalleryFolder, gallery_id: int, fingerprint: str, storage: LocalStorage
) -> Measured | None:
    """Measure it; None where the published build says it already, and where there is nothing to measure.

    Raises CorruptGallery for a segment that cannot be read.
    """
    published = published_manifest(connection, folder, gallery_id)
    segments = _segments(IntactSegments(connection, folder, gallery_id, fingerprint, storage), published)
    if published and _is_known(published, segments) and not _found(connection, gallery_id):
        return None
    return measured(folder, segments, lambda ids: _foreseen(connection, gallery_id, ids))


def foreseen_without(
    connection: Connection,
    folder: GalleryFolder,
    gallery_id: int,
    *,
    ended: Collection[int],
    returned: Iterable[int],
) -> Measured | None:
    """The same of what is published, without places of these ids, and with images of these.

    None where its manifest is lost. Raises CorruptGallery for a segment that cannot be read.
    """
    published = published_manifest(connection, folder, gallery_id)
    if published is None:
        return None
    images = select(ImageRecord.content_id)
    begun = {
        content_id
        for chunk in chunks(returned)
        for content_id in connection.scalars(images.where(ImageRecord.id.in_(chunk)))
    }

    def live(content_ids: Sequence[int]) -> list[int]:
        stays = _shown_elsewhere(connection, gallery_id, content_ids, ended)
        return [each for each in content_ids if each in stays or each in begun]

    return measured(folder, published.segments, live)


def _segments(intact: IntactSegments, published: Manifest | None) -> tuple[SegmentClaims, ...]:
    """Those of the published build, and newer ones: older ones hold nothing that is shown."""
    there = {each.id for each in published.segments} if published else set()
    newest = max(there, default=0)
    return intact.claims(each for each in intact if each in there or each > newest)


def _is_known(published: Manifest, segments: Sequence[SegmentClaims]) -> bool:
    usual = published.usual
    return usual is not None and usual.nearest is not None and published.segments == segments


def _found(connection: Connection, gallery_id: int) -> bool:
    """Whether the run has found anything otherwise than it was."""
    found = select(FindingRecord.uri).where(FindingRecord.gallery_id == gallery_id).limit(1)
    return connection.scalar(found) is not None


def _shown_elsewhere(
    connection: Connection, gallery_id: int, content_ids: Sequence[int], ended: Collection[int]
) -> set[int]:
    """Those of the contents that an image shows at a place that is not among these."""
    shown = (
        select(ImageRecord.content_id, PlaceRecord.id)
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .where(PlaceRecord.gallery_id == gallery_id, PlaceRecord.until_build.is_(None))
    )
    pages = (
        connection.execute(shown.where(ImageRecord.content_id.in_(each))) for each in chunks(content_ids)
    )
    return {content_id for page in pages for content_id, place_id in page if place_id not in ended}


def _foreseen(connection: Connection, gallery_id: int, content_ids: Sequence[int]) -> list[int]:
    """Those of the contents that are found somewhere, or shown where nothing else is found."""
    at = FindingRecord.gallery_id == gallery_id
    found = exists().where(at, READABLE, FindingRecord.checksum == ContentRecord.checksum)
    otherwise = exists().where(
        at,
        FindingRecord.uri == PlaceRecord.uri,
        or_(~READABLE, FindingRecord.checksum != ContentRecord.checksum),
    )
    stays = exists().where(
        ImageRecord.content_id == ContentRecord.id,
        PlaceRecord.image_id == ImageRecord.id,
        PlaceRecord.until_build.is_(None),
        ~otherwise.correlate(ContentRecord, PlaceRecord),
    )
    live = select(ContentRecord.id).where(ContentRecord.gallery_id == gallery_id, or_(found, stays))
    asked = (connection.scalars(live.where(ContentRecord.id.in_(chunk))) for chunk in chunks(content_ids))
    return [content_id for each in asked for content_id in each]
