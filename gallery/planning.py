"""What publishing would change: the published build compared with what a scan has found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from gallery.difference import Difference, OldPlace, Place, difference
from gallery.errors import CorruptGallery, NotEmbedded, SourceUnavailable
from gallery.folders import GalleryFolder
from gallery.local_embeddings import LocalStorage
from gallery.manifest import EncoderClaims, IndexClaims, Manifest, read_manifest
from gallery.publication import Unreadable, ended_places, live_places
from gallery.records.builds import BuildRecord
from gallery.records.galleries import GalleryRecord
from gallery.scanning import is_below
from gallery.storage import IntactSegments, StoredContent


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan of `roots` (uris) has found: readable files as places, and unreadable ones.

    `unlisted` are the folders among the unreadable ones that it could not look into.
    """

    places: Sequence[Place]
    unreadable: Sequence[Unreadable]
    roots: Sequence[str]
    unlisted: Sequence[str] = ()

    def __post_init__(self) -> None:
        for uri in self._uris():
            if not (self.covers(uri) or uri in self.unlisted):
                raise ValueError(f"{uri} lies below none of the scanned roots.")

    def covers(self, uri: str) -> bool:
        """Whether the scan would have found a file at this uri."""
        return _is_within(uri, self.roots) and not _is_within(uri, self.unlisted)

    def empty_roots(self) -> list[str]:
        """The roots below which no file was found, readable or not."""
        return [root for root in self.roots if not any(is_below(uri, root) for uri in self._uris())]

    def _uris(self) -> Iterator[str]:
        yield from (place.uri for place in self.places)
        yield from (file.uri for file in self.unreadable)


@dataclass(frozen=True, slots=True)
class Plan:
    """A build to be: its manifest, what it changes, and the ids of the contents of its new images.

    `is_news` is False where the published build says the same already; the manifest is then that build's.
    """

    manifest: Manifest
    changes: Difference
    content_ids: Mapping[str, int]
    is_news: bool


def plan(
    connection: Connection,
    folder: GalleryFolder,
    gallery_id: int,
    found: Found,
    *,
    fingerprint: str,
    encoder_name: str,
    storage: LocalStorage,
    allow_empty: bool,
) -> Plan:
    """Decide what to publish; raises what `GalleryWriter.publish` says."""
    number = published_number(connection, gallery_id)
    within, beyond = _divided(live_places(connection, gallery_id, number), found)
    if not allow_empty:
        _require_files(within, found)
    earlier = ended_places(connection, gallery_id, _arrivals(within, found.places))
    changes = difference(within, found.places, earlier)
    intact = IntactSegments(connection, folder, gallery_id, fingerprint, storage)
    members: list[OldPlace | Place] = [*beyond, *found.places]
    stored = _stored(members, intact.contents(), encoder_name)
    manifest = Manifest(
        gallery=folder.name,
        build=number,
        encoder=_encoder(connection, gallery_id, fingerprint, encoder_name, intact.shape),
        images=len(members),
        contents=len(stored),
        labels=len({place.label for place in members} - {None}),
        local_embeddings=storage,
        segments=(segments := intact.claims({each.segment_id for each in stored.values()})),
        index=IndexClaims(entries=sum(segment.rows for segment in segments)),
    )
    is_news = not changes.is_empty or manifest != _published_manifest(connection, folder, gallery_id, number)
    return Plan(
        manifest=manifest.model_copy(update={"build": number + 1}) if is_news else manifest,
        changes=changes,
        content_ids={checksum: each.content_id for checksum, each in stored.items()},
        is_news=is_news,
    )


def published_number(connection: Connection, gallery_id: int) -> int:
    """The number of the published build, 0 before the first."""
    statement = select(GalleryRecord.published_build).where(GalleryRecord.id == gallery_id)
    return connection.scalar(statement) or 0


def encoder_folders(connection: Connection, gallery_id: int) -> Iterator[str]:
    """The checkpoints in question, below `encoders/`: the published build's, then the one kept last."""
    published = (
        select(BuildRecord.encoder_folder)
        .join(GalleryRecord, GalleryRecord.id == BuildRecord.gallery_id)
        .where(GalleryRecord.id == gallery_id, BuildRecord.number == GalleryRecord.published_build)
    )
    kept = select(GalleryRecord.encoder_folder).where(
        GalleryRecord.id == gallery_id, GalleryRecord.encoder_folder.is_not(None)
    )
    for statement in (published, kept):
        yield from map(str, connection.scalars(statement))


def _is_within(uri: str, folders: Sequence[str]) -> bool:
    return any(is_below(uri, folder) for folder in folders)


def _divided(live: Iterable[OldPlace], found: Found) -> tuple[list[OldPlace], list[OldPlace]]:
    within: list[OldPlace] = []
    beyond: list[OldPlace] = []
    for place in live:
        (within if found.covers(place.uri) else beyond).append(place)
    return within, beyond


def _require_files(within: Sequence[OldPlace], found: Found) -> None:
    for root in found.empty_roots():
        if count := sum(is_below(old.uri, root) for old in within):
            raise SourceUnavailable(
                f"{root} held {count} images and is empty now, as when a disk is not mounted; "
                "mount it or, if it is meant to be, index it with --allow-empty."
            )


def _arrivals(within: Iterable[OldPlace], places: Iterable[Place]) -> list[str]:
    before = {old.uri: old.checksum for old in within}
    return [place.uri for place in places if before.get(place.uri) != place.checksum]


def _stored(
    members: Iterable[OldPlace | Place], embedded: Mapping[str, StoredContent], encoder_name: str
) -> dict[str, StoredContent]:
    stored: dict[str, StoredContent] = {}
    missing: list[str] = []
    for place in members:
        if place.checksum in embedded:
            stored[place.checksum] = embedded[place.checksum]
        else:
            missing.append(place.uri)
    if missing:
        raise NotEmbedded(
            f"{len(missing)} images are not embedded by {encoder_name}, {missing[0]} for one; "
            "index every root of the gallery by the same encoder."
        )
    return stored


def _encoder(
    connection: Connection, gallery_id: int, fingerprint: str, name: str, shape: tuple[int, int, int] | None
) -> EncoderClaims:
    if shape is None:
        raise NotEmbedded(f"No image was ever embedded by {name}, so there is nothing to publish.")
    kept = [
        folder for folder in encoder_folders(connection, gallery_id) if folder.startswith(f"{fingerprint}/")
    ]
    if not kept:
        raise ValueError(f"Keep the checkpoint of {fingerprint} before publishing a build by it.")
    height, width, dimension = shape
    return EncoderClaims(
        name=name, fingerprint=fingerprint, folder=kept[-1], dimension=dimension, grid=(height, width)
    )


def _published_manifest(
    connection: Connection, folder: GalleryFolder, gallery_id: int, number: int
) -> Manifest | None:
    statement = select(BuildRecord.manifest_sha256).where(
        BuildRecord.gallery_id == gallery_id, BuildRecord.number == number
    )
    sha256 = connection.scalar(statement)
    if sha256 is None:
        return None
    try:
        return read_manifest(folder.manifest(number), sha256=sha256)
    except CorruptGallery:
        return None  # whatever happened to it, publishing anew mends it
