"""Publishing a build that no scan led to: another state, or the same one on other segments."""

from collections.abc import Callable

from sqlalchemy import Connection, select, update

from gallery.builds.planning import published_number
from gallery.builds.publication import name_published
from gallery.builds.retention import build_numbers
from gallery.errors import BuildNotFound, CorruptGallery
from gallery.manifest import Manifest, read_manifest, write_manifest
from gallery.records.builds import BuildRecord, SegmentRecord
from gallery.records.galleries import GalleryRecord
from gallery.segments.damage import is_intact
from gallery.site import Site
from gallery.tenure import Tenure


def manifest_of(site: Site, build: int) -> Manifest:
    """What a kept build claims; raises BuildNotFound and CorruptGallery."""
    statement = select(BuildRecord.manifest_sha256).where(
        BuildRecord.gallery_id == site.gallery_id, BuildRecord.number == build
    )
    with site.engine.connect() as connection:
        sha256 = connection.scalar(statement)
        kept = ", ".join(map(str, build_numbers(connection, site.gallery_id))) or "none"
    if sha256 is None:
        raise BuildNotFound(f"The gallery {site.gallery!r} keeps no build {build}; it has {kept}.")
    return read_manifest(site.folder.manifest(build), sha256=sha256)


def republish(tenure: Tenure, change: Callable[[Connection, int], Manifest]) -> Manifest:
    """Publish what `change(connection, number)` claims, under that number, in one transaction with it.

    The gallery's next runs use the encoder of the claims. Raises CorruptGallery if a segment is not whole.
    """
    with tenure.writing() as connection:
        number = published_number(connection, tenure.gallery_id) + 1
        claims = change(connection, number)
        manifest = claims.model_copy(update={"build": number, "gallery": tenure.gallery})
        _require_whole(connection, tenure.site, manifest)
        sha256 = write_manifest(tenure.folder.manifest(number), manifest)
        name_published(connection, tenure.gallery_id, manifest, sha256=sha256, at=tenure.clock())
        gallery = update(GalleryRecord).where(GalleryRecord.id == tenure.gallery_id)
        connection.execute(gallery.values(encoder_folder=manifest.encoder.folder))
    return manifest


def _require_whole(connection: Connection, site: Site, claims: Manifest) -> None:
    damaged = set(connection.scalars(select(SegmentRecord.id).where(SegmentRecord.damaged.is_(True))))
    for segment in claims.segments:
        folder = site.folder.segment(segment.name)
        if segment.id in damaged or not is_intact(folder, segment.files):
            raise CorruptGallery(
                f"The segment {folder} is damaged or incomplete, so what it holds cannot be published again; "
                "`whyalike gallery repair` mends what it can."
            )
