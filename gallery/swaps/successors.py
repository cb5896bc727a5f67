"""The encoder that is to take over in a gallery, and embeds beside the published one.

Until it does it is a row, a checkpoint and segments that no build names; readers and runs know nothing of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select

from gallery.builds.planning import published_number
from gallery.builds.republication import manifest_of
from gallery.errors import NoSuccessor, NothingPublished, SwapRefused
from gallery.local_storage import LocalStorage
from gallery.manifest import SegmentClaims
from gallery.records.builds import BuildSegmentRecord, EmbeddedContentRecord, SegmentRecord
from gallery.records.galleries import RefusedContentRecord, SuccessorRecord
from gallery.records.images import ImageRecord, PlaceRecord
from gallery.segments.intact import IntactSegments
from gallery.site import Site
from gallery.swaps.encoder_folders import keep_checkpoint
from gallery.tenure import Tenure


@dataclass(frozen=True, slots=True)
class Successor:
    """The encoder that is to take over; of the `contents` that are shown it has embedded `embedded`.

    Of `refused` ones it can make no embedding: they are told as unreadable when it takes over.
    """

    encoder_name: str
    encoder_folder: str
    fingerprint: str
    local_embeddings: LocalStorage
    begun_at: datetime
    contents: int
    embedded: int
    refused: int

    @property
    def lacking(self) -> int:
        """Contents that are yet to be embedded before it can take over."""
        return self.contents - self.embedded - self.refused


def begin(
    tenure: Tenure, checkpoint: Path, *, fingerprint: str, encoder_name: str, storage: LocalStorage
) -> None:
    """Make the encoder of this checkpoint the gallery's successor; if it is already, it goes on.

    What it has refused will be tried again. The checkpoint is copied into the gallery. Raises
    NothingPublished, and SwapRefused for the gallery's own encoder and while another swap goes on.
    """
    number = published_of(tenure.site)
    if not number:
        raise NothingPublished(f"The gallery {tenure.gallery!r} has no published build yet; just index it.")
    own = manifest_of(tenure.site, number).encoder
    if own.fingerprint == fingerprint:
        raise SwapRefused(
            f"The gallery {tenure.gallery!r} is embedded by {encoder_name} ({fingerprint[:12]}) already; "
            "name the checkpoint of another encoder."
        )
    name = keep_checkpoint(tenure.folder, checkpoint, fingerprint)
    with tenure.writing() as connection:
        known = connection.execute(_row(tenure.gallery_id)).one_or_none()
        if known is not None and known.fingerprint != fingerprint:
            raise SwapRefused(
                f"The gallery {tenure.gallery!r} is being swapped to {known.encoder_name}; activate or "
                "abandon that first."
            )
        connection.execute(
            delete(RefusedContentRecord).where(RefusedContentRecord.gallery_id == tenure.gallery_id)
        )
        if known is None:
            row = {
                "gallery_id": tenure.gallery_id,
                "encoder_name": encoder_name,
                "encoder_folder": name,
                "fingerprint": fingerprint,
                "local_embeddings": storage,
                "begun_at": tenure.clock(),
            }
            connection.execute(insert(SuccessorRecord).values(row))


def successor(site: Site) -> Successor:
    """The gallery's successor, and how far it is; raises NoSuccessor."""
    with site.engine.connect() as connection:
        row = connection.execute(_row(site.gallery_id)).one_or_none()
        if row is None:
            raise NoSuccessor(
                f"No swap of the gallery {site.gallery!r} was started; `whyalike gallery swap start` does."
            )
        ids = [segment.id for segment in segments_of(connection, site, row.fingerprint, row.local_embeddings)]
        shown = select(func.count(ImageRecord.content_id.distinct())).join(PlaceRecord).where(live(site))
        contents = connection.scalar(shown) or 0
        embedded = connection.scalar(shown.where(held(ids))) or 0
        refused = connection.scalar(shown.where(is_refused(site), ~held(ids))) or 0
    return Successor(
        row.encoder_name,
        row.encoder_folder,
        row.fingerprint,
        row.local_embeddings,
        row.begun_at,
        contents,
        embedded,
        refused,
    )


def abandon(tenure: Tenure) -> Successor:
    """Forget the successor and what it has embedded; raises NoSuccessor."""
    swap = successor(tenure.site)
    with tenure.writing() as connection:
        connection.execute(delete(SuccessorRecord).where(SuccessorRecord.gallery_id == tenure.gallery_id))
        connection.execute(
            delete(SegmentRecord).where(
                SegmentRecord.gallery_id == tenure.gallery_id,
                SegmentRecord.fingerprint == swap.fingerprint,
                ~exists().where(BuildSegmentRecord.segment_id == SegmentRecord.id),
            )
        )
    return swap


def published_of(site: Site) -> int:
    """The number of the published build, 0 before the first."""
    with site.engine.connect() as connection:
        return published_number(connection, site.gallery_id)


def _row(gallery_id: int):  # type: ignore[no-untyped-def]
    return select(SuccessorRecord.__table__).where(SuccessorRecord.gallery_id == gallery_id)


def live(site: Site) -> ColumnElement[bool]:
    """The condition that a place is one of the published build."""
    return (PlaceRecord.gallery_id == site.gallery_id) & PlaceRecord.until_build.is_(None)


def held(segment_ids: Sequence[int]) -> ColumnElement[bool]:
    """The condition that an image's content lies in one of the segments."""
    return exists().where(
        EmbeddedContentRecord.content_id == ImageRecord.content_id,
        EmbeddedContentRecord.segment_id.in_(segment_ids),
    )


def is_refused(site: Site) -> ColumnElement[bool]:
    """The condition that the successor can make nothing of an image's content."""
    return exists().where(
        RefusedContentRecord.gallery_id == site.gallery_id,
        RefusedContentRecord.content_id == ImageRecord.content_id,
    )


def segments_of(
    connection: Connection, site: Site, fingerprint: str, storage: LocalStorage
) -> tuple[SegmentClaims, ...]:
    """The intact segments of an encoder that keep local embeddings in this way, by id."""
    intact = IntactSegments(connection, site.folder, site.gallery_id, fingerprint, storage)
    return intact.claims(intact)
