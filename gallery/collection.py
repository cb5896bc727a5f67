"""Removing what nobody names: remains of writers that were killed, and embeddings by an encoder given up.

Only the holder of the lease collects. A file that a build names is never touched, so readers keep theirs.
"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, delete, select

from gallery.files import remove
from gallery.folders import GalleryFolder
from gallery.records.builds import BuildRecord, BuildSegmentRecord, SegmentRecord
from gallery.records.galleries import GalleryRecord


def forget_superseded(connection: Connection, gallery_id: int, *, fingerprint: str) -> None:
    """Delete the records of segments that no build names and that are not by the encoder of `fingerprint`.

    Unpublished segments by that encoder stay: a run over other roots may have left them to go on with.
    """
    named = select(BuildSegmentRecord.segment_id)
    connection.execute(
        delete(SegmentRecord).where(
            SegmentRecord.gallery_id == gallery_id,
            SegmentRecord.fingerprint != fingerprint,
            SegmentRecord.id.not_in(named),
        )
    )


def unnamed_paths(connection: Connection, folder: GalleryFolder, gallery_id: int) -> list[Path]:
    """Files and folders of the gallery that no record names: segments, manifests, checkpoints, remains."""
    named = set(_named_paths(connection, folder, gallery_id))
    return [path for path in _present_paths(folder) if path not in named]


def remove_all(paths: list[Path]) -> None:
    """Remove files and folders."""
    for path in paths:
        remove(path)


def _named_paths(connection: Connection, folder: GalleryFolder, gallery_id: int) -> Iterator[Path]:
    segments = select(SegmentRecord.name).where(SegmentRecord.gallery_id == gallery_id)
    yield from map(folder.segment, connection.scalars(segments))
    builds = select(BuildRecord.number).where(BuildRecord.gallery_id == gallery_id)
    yield from map(folder.manifest, connection.scalars(builds))
    published = select(BuildRecord.encoder_folder).where(BuildRecord.gallery_id == gallery_id)
    kept = select(GalleryRecord.encoder_folder).where(
        GalleryRecord.id == gallery_id, GalleryRecord.encoder_folder.is_not(None)
    )
    for name in [*connection.scalars(published), *connection.scalars(kept)]:
        yield folder.encoder(str(name))


def _present_paths(folder: GalleryFolder) -> Iterator[Path]:
    for parent, pattern in ((folder.segments, "*"), (folder.builds, "*"), (folder.encoders, "*/*")):
        yield from sorted(parent.glob(pattern))
