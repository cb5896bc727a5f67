"""A gallery by its successor: looked into beside the published build, and published in its place."""

from functools import partial

from sqlalchemy import Connection, delete, func, select

from gallery.builds.build import Build
from gallery.builds.readers import Reading
from gallery.builds.republication import republish
from gallery.builds.usual import Measured, live_among, measured, measured_usual
from gallery.errors import NotEmbedded
from gallery.manifest import EncoderClaims, IndexClaims, Manifest
from gallery.records.builds import SegmentRecord
from gallery.records.galleries import SuccessorRecord
from gallery.records.images import ImageRecord, PlaceRecord
from gallery.site import Site
from gallery.swaps.successors import Successor, held, live, published_of, segments_of, successor
from gallery.swaps.unembedded import leave_out, unembedded
from gallery.tenure import Tenure


def open_successor(site: Site, swap: Successor) -> Build:
    """The published images as the successor has embedded them, to be asked like a build; close it."""
    number = published_of(site)
    reading = Reading(site.folder.manifest(number))
    try:
        with site.engine.connect() as connection:
            claims = _claims(connection, site, swap)
        return Build(site.folder, site.engine, site.gallery_id, claims, reading=reading)
    except BaseException:
        reading.end()
        raise


def activate(tenure: Tenure) -> Manifest:
    """Publish what the successor has embedded: the same images and ids by another encoder, in one step.

    The old encoder's segments stay as long as builds name them, so that rolling back goes back to it.
    Images of which it can make nothing are no images of the new build; their files are told as unreadable,
    as if they had been indexed by it. Raises NoSuccessor, and NotEmbedded while there are other images that
    it has not embedded.
    """
    swap = successor(tenure.site)
    if swap.lacking:
        first = next(each for each in unembedded(tenure.site, swap) if each.reason is None)
        raise NotEmbedded(
            f"{swap.lacking} contents are not embedded by {swap.encoder_name} yet, that of "
            f"{first.uri} for one; run `whyalike gallery swap start` again, or index the gallery first "
            "where originals are gone."
        )

    with tenure.engine.connect() as connection:
        before = _measured(connection, tenure.site, swap)

    def change(connection: Connection, number: int) -> Manifest:
        claims = _claims(connection, tenure.site, swap, before)
        leave_out(connection, tenure.site, [segment.id for segment in claims.segments], number)
        connection.execute(delete(SuccessorRecord).where(SuccessorRecord.gallery_id == tenure.gallery_id))
        return claims

    return republish(tenure, change)


def _measured(connection: Connection, site: Site, swap: Successor) -> Measured:
    """What is usual by the successor, measured while others may write."""
    segments = segments_of(connection, site, swap.fingerprint, swap.local_embeddings)
    return measured(site.folder, segments, partial(live_among, connection, site.gallery_id))


def _claims(connection: Connection, site: Site, swap: Successor, before: Measured | None = None) -> Manifest:
    """The manifest of the published images by the successor, as far as it has embedded them."""
    segments = segments_of(connection, site, swap.fingerprint, swap.local_embeddings)
    ids = [segment.id for segment in segments]
    shape = connection.execute(
        select(SegmentRecord.grid_height, SegmentRecord.grid_width, SegmentRecord.dimension)
        .where(SegmentRecord.id.in_(ids))
        .limit(1)
    ).one_or_none()
    if shape is None:
        raise NotEmbedded(f"{swap.encoder_name} has embedded nothing yet; run `whyalike gallery swap start`.")
    images, contents, labels = connection.execute(
        select(
            func.count(),
            func.count(ImageRecord.content_id.distinct()),
            func.count(PlaceRecord.label.distinct()),
        )
        .select_from(PlaceRecord)
        .join(ImageRecord)
        .where(live(site), held(ids))
    ).one()
    return Manifest(
        gallery=site.gallery,
        build=published_of(site),
        encoder=EncoderClaims(
            name=swap.encoder_name,
            fingerprint=swap.fingerprint,
            folder=swap.encoder_folder,
            dimension=shape.dimension,
            grid=(shape.grid_height, shape.grid_width),
        ),
        images=images,
        contents=contents,
        labels=labels,
        index=IndexClaims(entries=sum(segment.rows for segment in segments)),
        local_embeddings=swap.local_embeddings,
        usual=measured_usual(connection, site.folder, site.gallery_id, segments, before),
        segments=tuple(segments),
    )
