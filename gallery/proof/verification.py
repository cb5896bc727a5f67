"""The proof that a gallery is whole: every file by its checksum, every record by its files, every count."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from gallery.builds.collection import unnamed_paths
from gallery.builds.recorded import recorded_manifest, recorded_segments
from gallery.builds.snapshot import Snapshot, snapshot
from gallery.errors import CorruptGallery, NothingPublished
from gallery.files import file_sha256
from gallery.manifest import SegmentClaims, read_manifest
from gallery.membership import in_build, members
from gallery.proof.counting import Counts, count, unembedded
from gallery.records.builds import BuildRecord
from gallery.records.galleries import LeaseRecord
from gallery.records.images import PlaceRecord
from gallery.segments.damage import damaged
from gallery.segments.inspection import Damage, damages, held_rows, misplaced
from gallery.segments.local_embeddings import storage_of
from gallery.site import Site

CheckpointFault = Callable[[Path, str], str | None]
"""Why the checkpoint in a folder is not the encoder of this fingerprint; None if it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be; `code` is for programs, `subject` a path, a uri or a build.

    A fault breaks a promise of the gallery's; anything else is a notice.
    """

    code: str
    subject: str
    sentence: str
    is_fault: bool = True


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and found; `counts` are of the published build, `builds` are all that are kept.

    `clean` says that there is no fault. With `quick` no file of a segment was read, only its size.
    """

    gallery: str
    build: int
    builds: tuple[int, ...]
    clean: bool
    quick: bool
    counts: Counts
    segments: int
    files: int
    bytes: int
    originals: int | None
    findings: tuple[Finding, ...]
    seconds: float


def verify(
    site: Site,
    *,
    quick: bool = False,
    originals: bool = False,
    checkpoint_fault: CheckpointFault = lambda _folder, _fingerprint: None,
    clock: Callable[[], float] = time.monotonic,
) -> Verification:
    """Look at everything that the kept builds stand on; changes nothing, and others may go on meanwhile.

    `originals` reads those of all live images, too. Raises NothingPublished.
    """
    started = clock()
    with snapshot(site) as now:
        if not now.builds:
            raise NothingPublished(f"The gallery {site.gallery!r} has no published build yet to be verified.")
        segments = _segments(now)
        findings = [
            *_of_manifests(now),
            *_of_checkpoints(now, checkpoint_fault),
            *_of_files(now, segments, quick=quick),
            *_of_indexes(now, quick=quick),
            *_of_rows(now, segments),
            *_of_remains(now),
            *(_of_originals(now) if originals else ()),
        ]
        published = recorded_segments(now.connection, site, now.builds[-1])
        counts = _counts(now, published)
        findings += _of_counts(now, published, counts)
    return Verification(
        gallery=site.gallery,
        build=now.builds[-1],
        builds=tuple(now.builds),
        clean=not any(finding.is_fault for finding in findings),
        quick=quick,
        counts=counts,
        segments=len(segments),
        files=sum(len(segment.files) for segment in segments),
        bytes=sum(claims.bytes for segment in segments for claims in segment.files.values()),
        originals=counts.live if originals else None,
        findings=tuple(findings),
        seconds=clock() - started,
    )


def damaged_files(now: Snapshot, *, quick: bool) -> Iterator[Damage]:
    """What is wrong with the files of the segments that kept builds name."""
    for segment in _segments(now):
        yield from damages(now.site.folder.segment(segment.name), segment, quick=quick)


def damaged_indexes(now: Snapshot, *, quick: bool) -> Iterator[tuple[Path, str]]:
    """What is wrong with the files of main indexes, without which a build goes on by exact search."""
    named = (recorded_manifest(now.connection, now.site, build).index.main for build in now.builds)
    for main in {each.name: each for each in named if each is not None}.values():
        yield from damaged(now.site.folder.index(main.name), main.files, quick=quick)


def manifest_fault(now: Snapshot, build: int) -> str | None:
    """What is wrong with the manifest of a build, in one sentence; None if nothing is."""
    statement = select(BuildRecord.manifest_sha256).where(
        BuildRecord.gallery_id == now.site.gallery_id, BuildRecord.number == build
    )
    sha256 = now.connection.scalar(statement)
    assert sha256 is not None, "the build is in the snapshot"
    try:
        manifest = read_manifest(now.site.folder.manifest(build), sha256=sha256)
    except CorruptGallery as error:
        return str(error)
    if manifest != recorded_manifest(now.connection, now.site, build):
        return f"The manifest of build {build} and its records say different things."
    return None


def _segments(now: Snapshot) -> Sequence[SegmentClaims]:
    """The segments that kept builds name, each once."""
    named = (recorded_segments(now.connection, now.site, build) for build in now.builds)
    return list({segment.id: segment for segments in named for segment in segments}.values())


def _of_manifests(now: Snapshot) -> Iterator[Finding]:
    for build in now.builds:
        if (fault := manifest_fault(now, build)) is not None:
            yield Finding("manifest", f"build {build}", fault)


def _of_checkpoints(now: Snapshot, checkpoint_fault: CheckpointFault) -> Iterator[Finding]:
    columns = (BuildRecord.encoder_folder, BuildRecord.fingerprint)
    used = select(*columns).distinct().where(BuildRecord.gallery_id == now.site.gallery_id)
    for name, fingerprint in now.connection.execute(used.order_by(BuildRecord.encoder_folder)):
        folder = now.site.folder.encoder(name)
        fault = checkpoint_fault(folder, fingerprint) if folder.is_dir() else f"{folder} is missing."
        if fault is not None:
            yield Finding("checkpoint", str(folder), fault)


def _of_files(now: Snapshot, segments: Sequence[SegmentClaims], *, quick: bool) -> Iterator[Finding]:
    for segment in segments:
        for damage in damages(now.site.folder.segment(segment.name), segment, quick=quick):
            yield Finding("file", str(damage.path), f"{damage.path} {damage.reason}.")


def _of_indexes(now: Snapshot, *, quick: bool) -> Iterator[Finding]:
    for path, reason in damaged_indexes(now, quick=quick):
        yield Finding("index", str(path), f"{path} {reason}; `whyalike gallery repair` builds it again.")


def _of_rows(now: Snapshot, segments: Sequence[SegmentClaims]) -> Iterator[Finding]:
    for segment in segments:
        folder = now.site.folder.segment(segment.name)
        if (reason := misplaced(now.connection, folder, segment)) is not None:
            yield Finding("rows", str(folder), f"The segment {folder} {reason}.")


def _of_remains(now: Snapshot) -> Iterator[Finding]:
    site = now.site
    written = select(LeaseRecord.gallery_id).where(LeaseRecord.gallery_id == site.gallery_id)
    if now.connection.scalar(written) is not None:
        return  # what somebody is writing has no name yet
    for path in unnamed_paths(now.connection, site.folder, site.gallery_id):
        sentence = f"{path} is named by no record; the next run removes it."
        yield Finding("unnamed", str(path), sentence, is_fault=False)


def _of_originals(now: Snapshot) -> Iterator[Finding]:
    live = members(in_build(now.site.gallery_id, now.builds[-1])).order_by(PlaceRecord.uri)
    for _, uri, _, checksum, _, _ in now.connection.execute(live):
        if not _is_file_here(uri):
            sentence = f"{uri} lies in a shard, in storage or on the web, and was not read."
            yield Finding("original", uri, sentence, is_fault=False)
            continue
        try:
            is_same = file_sha256(Path(uri)) == checksum
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            yield Finding("original", uri, f"{uri} cannot be read ({reason}); index its folder again.")
            continue
        if not is_same:
            yield Finding("original", uri, f"{uri} has changed since it was indexed; index its folder again.")


def _is_file_here(uri: str) -> bool:
    """Whether the place is a file of this machine, rather than a member of one or elsewhere."""
    return Path(uri).is_absolute() and not ("#" in uri and Path(uri.rpartition("#")[0]).is_file())


def _counts(now: Snapshot, segments: Sequence[SegmentClaims]) -> Counts:
    folder = now.site.folder
    return count(
        now.connection,
        now.site,
        now.builds[-1],
        segments,
        {segment.id: held_rows(folder.segment(segment.name), segment) for segment in segments},
        keeps_local=any(storage_of(segment.files) != "none" for segment in segments),
    )


def _of_counts(now: Snapshot, segments: Sequence[SegmentClaims], counts: Counts) -> Iterator[Finding]:
    build = now.builds[-1]
    subject = f"build {build}"
    for sentence in counts.contradictions():
        yield Finding("count", subject, sentence)
    missing, uri = unembedded(now.connection, now.site, build, segments)
    if missing:
        yield Finding(
            "unembedded", str(uri), f"{missing} live images are in no segment of the build, {uri} for one."
        )
    manifest = recorded_manifest(now.connection, now.site, build)
    if (manifest.images, manifest.contents) != (counts.live, counts.contents):
        yield Finding(
            "count",
            subject,
            f"The build says {manifest.images} images of {manifest.contents} contents; {counts.live} of "
            f"{counts.contents} are recorded.",
        )
