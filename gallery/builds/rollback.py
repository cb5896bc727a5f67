"""Going back: the state of an older build, published as a new one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, literal, null, select, update
from sqlalchemy.orm import aliased

from gallery.builds.amending import publish_removals
from gallery.builds.republication import manifest_of, republish
from gallery.builds.retention import build_numbers
from gallery.errors import AlreadyPublished
from gallery.manifest import Manifest
from gallery.membership import chunks, in_build
from gallery.records.builds import EmbeddedContentRecord, SegmentRecord
from gallery.records.images import PlaceRecord
from gallery.segments.storage import mark_folded
from gallery.site import Site
from gallery.surveys.restating import restate_files
from gallery.tenure import Tenure

_OF_A_ROW = {"id", "since_build", "until_build"}
"""Columns that are not what a place says of itself."""


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """What going back did: `build` is the new one, `state_of` the one whose state it has.

    `returned` places are shown again as they were, `withdrawn` ones are shown no more; an image that had
    moved counts in both. `encoder_name` and `fingerprint` are of the encoder that the gallery has now.
    """

    gallery: str
    build: int
    state_of: int
    images: int
    returned: int
    withdrawn: int
    encoder_name: str
    fingerprint: str


def roll_back(tenure: Tenure, *, build: int | None = None) -> RollbackReport:
    """Publish the state of a kept build again, by default that of the one before the published one.

    Places, labels, segments and encoder are those of that build, and its images keep their ids; those that
    people have removed since are ended again, by a build of their own. The builds between stay, so that going
    back can be taken back. Raises AlreadyPublished for the published build,
    BuildNotFound for one that is not kept, CorruptGallery for one that is not whole.
    """
    state_of = _target(tenure.site, build)
    claims = manifest_of(tenure.site, state_of)
    counts = {"returned": 0, "withdrawn": 0}

    def change(connection: Connection, number: int) -> Manifest:
        counts["withdrawn"] = _withdraw(connection, tenure.gallery_id, state_of, number)
        counts["returned"] = _return(connection, tenure.gallery_id, state_of, number)
        segment_ids = [segment.id for segment in claims.segments]
        mark_folded(connection, _overlapping(connection, segment_ids), folded=True)
        mark_folded(connection, segment_ids, folded=False)
        restate_files(connection, tenure.gallery_id)
        return claims

    manifest = republish(tenure, change)
    ended = publish_removals(tenure)
    return RollbackReport(
        gallery=tenure.gallery,
        build=ended.build,
        state_of=state_of,
        images=manifest.images - ended.removed + ended.returned,
        encoder_name=manifest.encoder.name,
        fingerprint=manifest.encoder.fingerprint,
        **counts,
    )


def _target(site: Site, build: int | None) -> int:
    with site.engine.connect() as connection:
        *older, published = build_numbers(connection, site.gallery_id) or [0]
    if build == published or (build is None and not older):
        raise AlreadyPublished(
            f"Build {published} of the gallery {site.gallery!r} is the published one; "
            f"name one of {', '.join(map(str, older)) or 'the older ones, once there are any'}."
        )
    return older[-1] if build is None else build


def _withdraw(connection: Connection, gallery_id: int, state_of: int, number: int) -> int:
    """End the live places that began after the build."""
    live = update(PlaceRecord).where(
        PlaceRecord.gallery_id == gallery_id,
        PlaceRecord.until_build.is_(None),
        PlaceRecord.since_build > state_of,
    )
    return connection.execute(live.values(until_build=number)).rowcount


def _return(connection: Connection, gallery_id: int, state_of: int, number: int) -> int:
    """Begin the build's places that ended since, with all that they said."""
    kept = [column for column in PlaceRecord.__table__.columns if column.name not in _OF_A_ROW]
    ended = select(*kept, literal(number), null()).where(
        in_build(gallery_id, state_of), PlaceRecord.until_build.is_not(None)
    )
    columns = [*(column.name for column in kept), "since_build", "until_build"]
    begun = insert(PlaceRecord).from_select(columns, ended).execution_options(preserve_rowcount=True)
    return connection.execute(begun).rowcount


def _overlapping(connection: Connection, segment_ids: Sequence[int]) -> set[int]:
    """The other segments by the same encoders that hold any content which these hold."""
    own, other = aliased(EmbeddedContentRecord), aliased(EmbeddedContentRecord)
    own_segment, other_segment = aliased(SegmentRecord), aliased(SegmentRecord)
    statement = (
        select(other.segment_id)
        .distinct()
        .join(own, own.content_id == other.content_id)
        .join(own_segment, own_segment.id == own.segment_id)
        .join(other_segment, other_segment.id == other.segment_id)
        .where(other_segment.fingerprint == own_segment.fingerprint)
    )
    found: set[int] = set()
    for chunk in chunks(segment_ids):
        found.update(connection.scalars(statement.where(own.segment_id.in_(chunk))))
    return found - set(segment_ids)
