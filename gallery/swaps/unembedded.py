"""What the successor has yet to embed: contents, where they are, and of which it can make nothing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Select, delete, insert, select, update

from gallery.builds.planning import published_number
from gallery.membership import chunks, in_build_too
from gallery.records.files import FileRecord
from gallery.records.galleries import RefusedContentRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.site import Site
from gallery.swaps.successors import Successor, held, is_refused, live, segments_of

PAGE = 1000
"""Contents that are asked for at a time."""

PLACES = 20
"""Places of one content that are asked for at a time: most have one."""


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A content that the successor has not embedded, the first of its places, and why if it was refused."""

    content_id: int
    checksum: str
    uri: str
    reason: str | None


def unembedded(site: Site, swap: Successor) -> Iterator[Unembedded]:
    """The contents of live images that the successor has not embedded when their page is read."""
    last = 0
    while True:
        with site.engine.connect() as connection:
            page = connection.execute(_after(connection, site, swap, last)).all()
            found = [
                Unembedded(row.id, row.checksum, _first(connection, site, row.id), row.reason) for row in page
            ]
        yield from found
        if len(page) < PAGE:
            return
        last = page[-1].id


def places_of(site: Site, content_id: int) -> Iterator[str]:
    """The uris of all live images that show the content, a few at a time."""
    last = ""
    while True:
        with site.engine.connect() as connection:
            page = connection.scalars(_uris(site, content_id).where(PlaceRecord.uri > last)).all()
        yield from page
        if len(page) < PLACES:
            return
        last = page[-1]


def lacking_at(site: Site, swap: Successor, uris: Collection[str]) -> dict[str, Unembedded]:
    """Of these uris the places of contents that are neither embedded nor refused, each content once."""
    found: dict[int, Unembedded] = {}
    with site.engine.connect() as connection:
        ids = [each.id for each in segments_of(connection, site, swap.fingerprint, swap.local_embeddings)]
        statement = (
            select(ContentRecord.id, ContentRecord.checksum, PlaceRecord.uri)
            .join(ImageRecord, ImageRecord.content_id == ContentRecord.id)
            .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
            .where(live(site), ~held(ids), ~is_refused(site))
        )
        for chunk in chunks(uris):
            for content_id, checksum, uri in connection.execute(statement.where(PlaceRecord.uri.in_(chunk))):
                found[content_id] = Unembedded(content_id, checksum, uri, None)
    return {each.uri: each for each in found.values()}


def refuse(connection: Connection, gallery_id: int, reasons: Mapping[int, str]) -> None:
    """Note of contents, by their ids, why the successor can make nothing of them."""
    known = delete(RefusedContentRecord).where(RefusedContentRecord.gallery_id == gallery_id)
    for chunk in chunks(reasons):
        connection.execute(known.where(RefusedContentRecord.content_id.in_(chunk)))
        rows = [{"gallery_id": gallery_id, "content_id": each, "reason": reasons[each]} for each in chunk]
        connection.execute(insert(RefusedContentRecord), rows)


def leave_out(connection: Connection, site: Site, segment_ids: Collection[int], build: int) -> None:
    """End what the successor has refused with this build; files are told as a run tells unreadable ones."""
    refused = (live(site), is_refused(site), ~held(list(segment_ids)))
    uris = select(PlaceRecord.uri).join(ImageRecord).where(*refused)
    reason = (
        select(RefusedContentRecord.reason)
        .join(ImageRecord, ImageRecord.content_id == RefusedContentRecord.content_id)
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .where(
            RefusedContentRecord.gallery_id == site.gallery_id, live(site), PlaceRecord.uri == FileRecord.uri
        )
    )
    files = update(FileRecord).where(FileRecord.gallery_id == site.gallery_id, FileRecord.uri.in_(uris))
    connection.execute(files.values(reason=reason.scalar_subquery()))
    image_ids = select(ImageRecord.id).where(is_refused(site), ~held(list(segment_ids)))
    places = update(PlaceRecord).where(live(site), PlaceRecord.image_id.in_(image_ids))
    connection.execute(places.values(until_build=build))


def _after(connection: Connection, site: Site, swap: Successor, last: int) -> Select[int, str, str | None]:
    """A page of contents with the reasons of those that were refused."""
    segments = segments_of(connection, site, swap.fingerprint, swap.local_embeddings)
    reason = (
        select(RefusedContentRecord.reason)
        .where(
            RefusedContentRecord.gallery_id == site.gallery_id,
            RefusedContentRecord.content_id == ContentRecord.id,
        )
        .scalar_subquery()
    )
    return (
        select(ContentRecord.id, ContentRecord.checksum, reason.label("reason"))
        .distinct()
        .join(ImageRecord, ImageRecord.content_id == ContentRecord.id)
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .where(
            in_build_too(site.gallery_id, published_number(connection, site.gallery_id)),
            ContentRecord.id > last,
            ~held([each.id for each in segments]),
        )
        .order_by(ContentRecord.id)
        .limit(PAGE)
    )


def _first(connection: Connection, site: Site, content_id: int) -> str:
    return connection.scalars(_uris(site, content_id).limit(1)).one()


def _uris(site: Site, content_id: int) -> Select[str]:
    uris = select(PlaceRecord.uri).join(ImageRecord).where(live(site), ImageRecord.content_id == content_id)
    return uris.order_by(PlaceRecord.uri).limit(PLACES)
