"""Mending a gallery with what is left of it; nothing that is intact is embedded again.

A manifest is written again from the records. A segment with a file that is not what was written is marked as
damaged: readers go on with it as far as it goes, and the next run embeds its contents again, and no others,
from the originals. A build that names it is retired once there is a newer one. A main index that is damaged
is removed, and the next run builds it again from the embeddings; until then search is exact.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, update

from gallery.builds.readers import unread
from gallery.builds.recorded import recorded_manifest
from gallery.builds.snapshot import Snapshot, snapshot
from gallery.files import remove
from gallery.manifest import write_manifest
from gallery.membership import is_shown
from gallery.proof.verification import damaged_files, damaged_indexes, manifest_fault
from gallery.records.builds import BuildRecord, EmbeddedContentRecord, SegmentRecord
from gallery.tenure import Tenure


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What was mended: manifests written again, by their builds, segments marked as damaged, indexes removed.

    `to_embed` counts the contents that the published build shows from damaged segments, these or others.
    """

    gallery: str
    manifests: tuple[int, ...]
    damaged: tuple[str, ...]
    indexes: tuple[str, ...]
    to_embed: int


def mend(tenure: Tenure) -> RepairReport:
    """Mend the records' side of a gallery, and mark what is to be embedded again; reads every byte of it."""
    with snapshot(tenure.site) as now:
        doubtful = [build for build in now.builds if manifest_fault(now, build) is not None]
        segments = {damage.segment.id: damage.segment.name for damage in damaged_files(now, quick=False)}
        lost = sorted({path.parent for path, _ in damaged_indexes(now, quick=False)})
    with tenure.writing() as connection:
        marked = update(SegmentRecord).where(SegmentRecord.id.in_(segments)).values(damaged=True)
        connection.execute(marked)
    return RepairReport(
        gallery=tenure.gallery,
        manifests=tuple(_written_again(tenure, doubtful)),
        damaged=tuple(sorted(segments.values())),
        indexes=tuple(_indexes_removed(tenure, lost)),
        to_embed=_to_embed(tenure, now),
    )


def _written_again(tenure: Tenure, builds: list[int]) -> Iterator[int]:
    for build in builds:
        path = tenure.folder.manifest(build)
        with unread(path) as nobody:
            if not nobody:
                continue  # whoever reads it has read it whole; a later repair writes it again
            with tenure.writing() as connection:
                sha256 = write_manifest(path, recorded_manifest(connection, tenure.site, build))
                record = update(BuildRecord).where(
                    BuildRecord.gallery_id == tenure.gallery_id, BuildRecord.number == build
                )
                connection.execute(record.values(manifest_sha256=sha256))
            yield build


def _indexes_removed(tenure: Tenure, folders: Iterable[Path]) -> Iterator[str]:
    """Whoever has one mapped keeps it; whoever opens the build now searches exactly."""
    for folder in folders:
        with tenure.writing():  # not under an heir
            remove(folder)
        yield folder.name


def _to_embed(tenure: Tenure, now: Snapshot) -> int:
    if not now.builds:
        return 0
    live = is_shown(tenure.gallery_id, now.builds[-1])
    statement = (
        select(func.count(EmbeddedContentRecord.content_id.distinct()))
        .join(SegmentRecord, SegmentRecord.id == EmbeddedContentRecord.segment_id)
        .where(SegmentRecord.gallery_id == tenure.gallery_id, SegmentRecord.damaged.is_(True), live)
    )
    with tenure.engine.connect() as connection:
        return connection.scalar(statement) or 0
