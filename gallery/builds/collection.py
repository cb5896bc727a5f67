"""Removing what nobody names: remains of writers that were killed, and embeddings by an encoder given up.

Only the holder of the lease collects. A file that a build names is never touched, so readers keep theirs.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from gallery.files import remove
from gallery.folders import GalleryFolder
from gallery.manifest import Manifest
from gallery.membership import chunks
from gallery.records.builds import BuildRecord, BuildSegmentRecord, SegmentRecord
from gallery.records.galleries import GalleryRecord, SuccessorRecord
from gallery.records.indexes import IndexRecord
from gallery.segments.local_embeddings import storage_of


def forget_superseded(connection: Connection, gallery_id: int, published: Manifest) -> None:
    """Forget checkpoints kept but not published, and segments that no build names and no build will.

    Those are of another encoder or another storage than the published build and a successor. Unpublished
    segments of the same stay: a run over other roots may have left them to go on with.
    """
    encoder = published.encoder
    unnamed = select(SegmentRecord.id, SegmentRecord.fingerprint, SegmentRecord.files).where(
        SegmentRecord.gallery_id == gallery_id, SegmentRecord.id.not_in(select(BuildSegmentRecord.segment_id))
    )
    wanted: set[tuple[str, str]] = {(encoder.fingerprint, published.local_embeddings)}
    successor = select(SuccessorRecord.fingerprint, SuccessorRecord.local_embeddings).where(
        SuccessorRecord.gallery_id == gallery_id
    )
    wanted |= {(row[0], row[1]) for row in connection.execute(successor)}
    forgotten = [
        row.id
        for row in connection.execute(unnamed)
        if (row.fingerprint, storage_of(row.files)) not in wanted
    ]
    for chunk in chunks(forgotten):
        connection.execute(delete(SegmentRecord).where(SegmentRecord.id.in_(chunk)))
    gallery = update(GalleryRecord).where(GalleryRecord.id == gallery_id)
    connection.execute(gallery.values(encoder_folder=encoder.folder))


def collect(
    writing: Callable[[], AbstractContextManager[Connection]], folder: GalleryFolder, gallery_id: int
) -> None:
    """Remove what of the gallery no record names; `writing` is its writer's transaction, under the lease."""
    with writing() as connection:
        unnamed = unnamed_paths(connection, folder, gallery_id)
    for path in unnamed:  # one that was taken over since must not remove what the heir is making
        with writing():
            remove(path)


def unnamed_paths(connection: Connection, folder: GalleryFolder, gallery_id: int) -> list[Path]:
    """What of the gallery no record names: segments, indexes, manifests, checkpoints, remains."""
    named = set(_named_paths(connection, folder, gallery_id))
    return [path for path in _present_paths(folder) if path not in named]


def _named_paths(connection: Connection, folder: GalleryFolder, gallery_id: int) -> Iterator[Path]:
    segments = select(SegmentRecord.name).where(SegmentRecord.gallery_id == gallery_id)
    yield from map(folder.segment, connection.scalars(segments))
    indexes = select(IndexRecord.name).where(IndexRecord.gallery_id == gallery_id)
    yield from map(folder.index, connection.scalars(indexes))
    builds = select(BuildRecord.number).where(BuildRecord.gallery_id == gallery_id)
    yield from map(folder.manifest, connection.scalars(builds))
    published = select(BuildRecord.encoder_folder).where(BuildRecord.gallery_id == gallery_id)
    kept = select(GalleryRecord.encoder_folder).where(
        GalleryRecord.id == gallery_id, GalleryRecord.encoder_folder.is_not(None)
    )
    successor = select(SuccessorRecord.encoder_folder).where(SuccessorRecord.gallery_id == gallery_id)
    folders = [name for each in (published, kept, successor) for name in connection.scalars(each)]
    for name in folders:
        yield from (folder.encoder(str(name)), folder.encoder(str(name)).parent)


def _present_paths(folder: GalleryFolder) -> Iterator[Path]:
    for parent, pattern in (
        (folder.segments, "*"),
        (folder.indexes, "*"),
        (folder.builds, "*"),
        (folder.encoders, "*"),
        (folder.encoders, "*/*"),
    ):
        yield from sorted(parent.glob(pattern))
