"""What a build of the gallery's live places claims of itself, and whether the published one says the same."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from gallery.builds.usual import Measured, measured_usual
from gallery.errors import CorruptGallery, NotEmbedded
from gallery.folders import GalleryFolder
from gallery.index.coverage import claims_with
from gallery.local_storage import LocalStorage
from gallery.manifest import EncoderClaims, Manifest, UsualClaims, read_manifest
from gallery.records.builds import BuildRecord
from gallery.records.galleries import GalleryRecord
from gallery.records.images import PlaceRecord
from gallery.segments.intact import IntactSegments


def stated(
    connection: Connection,
    folder: GalleryFolder,
    gallery_id: int,
    intact: IntactSegments,
    *,
    fingerprint: str,
    encoder_name: str,
    storage: LocalStorage,
    measured: Measured | None = None,
) -> Manifest:
    """What the gallery is now, under the number of the published build; raises NotEmbedded.

    What is usual in it may be `measured` already, as far as it was foreseen.
    """
    published = published_manifest(connection, folder, gallery_id)
    shape = intact.shape or _shape_of(published, fingerprint)
    encoder = _encoder(connection, gallery_id, fingerprint, encoder_name, shape)
    usage = intact.usage(gallery_id)
    if usage.lost:
        raise not_embedded(usage.lost, usage.lost_uri, encoder_name)
    live = (PlaceRecord.gallery_id == gallery_id, PlaceRecord.until_build.is_(None))
    labels = select(PlaceRecord.label).distinct().where(*live, PlaceRecord.label.is_not(None)).subquery()
    segments = intact.claims(usage.segment_ids)
    manifest = Manifest(
        gallery=folder.name,
        build=published_number(connection, gallery_id),
        encoder=encoder,
        images=connection.scalar(select(func.count()).select_from(PlaceRecord).where(*live)) or 0,
        contents=usage.contents,
        labels=connection.scalar(select(func.count()).select_from(labels)) or 0,
        local_embeddings=storage,
        segments=segments,
        index=claims_with(published.index.main if published else None, segments),
    )
    usual = _known_usual(manifest, published)
    usual = usual or measured_usual(connection, folder, gallery_id, segments, measured)
    return manifest.model_copy(update={"usual": usual})


def published_number(connection: Connection, gallery_id: int) -> int:
    """The number of the published build, 0 before the first."""
    statement = select(GalleryRecord.published_build).where(GalleryRecord.id == gallery_id)
    return connection.scalar(statement) or 0


def published_manifest(connection: Connection, folder: GalleryFolder, gallery_id: int) -> Manifest | None:
    """The manifest of the published build; None before the first, and where it is lost or was changed."""
    number = published_number(connection, gallery_id)
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


def not_embedded(count: int, uri: str | None, encoder_name: str) -> NotEmbedded:
    """The refusal of images whose content has no embedding; `uri` is one of them."""
    return NotEmbedded(
        f"{count} images are not embedded by {encoder_name}, {uri} for one; "
        "index every root of the gallery by the same encoder."
    )


def _known_usual(manifest: Manifest, published: Manifest | None) -> UsualClaims | None:
    """How alike two images usually are, where the published build knows all of it and claims else alike."""
    usual = published.usual if published else None
    if usual is None or usual.nearest is None:
        return None
    return usual if manifest.model_copy(update={"usual": usual}) == published else None


def _shape_of(published: Manifest | None, fingerprint: str) -> tuple[int, int, int] | None:
    """(h, w, D) of the published build, if it is by this encoder: an emptied one has no segment."""
    if published is None or published.encoder.fingerprint != fingerprint:
        return None
    return *published.encoder.grid, published.encoder.dimension


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
