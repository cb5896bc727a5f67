"""What publishing a survey would change, tried out in a transaction that is taken back."""

from dataclasses import dataclass

from sqlalchemy import func, select

from gallery.builds.publication import require_files
from gallery.local_storage import LocalStorage
from gallery.records.files import FindingRecord
from gallery.segments.intact import IntactSegments
from gallery.surveys.findings import SpooledFindings, forget_others
from gallery.surveys.seen import count_images
from gallery.surveys.survey import Survey
from gallery.surveys.transition import READABLE, Transition
from gallery.tenure import Tenure


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would do, counted as a run counts; `to_embed` are contents that it would embed.

    Nothing is decoded, so a new file that turns out to be no image is among the added ones here.
    """

    added: int
    changed: int
    moved: int
    relabelled: int
    removed: int
    unchanged: int
    to_embed: int


def preview(
    tenure: Tenure,
    survey: Survey,
    findings: SpooledFindings,
    *,
    fingerprint: str,
    storage: LocalStorage,
    allow_empty: bool,
) -> Preview:
    """Publish what was spooled as far as the records go, count, and take it back.

    Raises SourceUnavailable as publishing would.
    """
    gallery_id = tenure.gallery_id
    with tenure.engine.connect() as connection, connection.begin() as trial:
        forget_others(connection, gallery_id, survey.coverage)
        findings.record(connection, gallery_id)
        if not allow_empty:
            require_files(connection, gallery_id, survey)
        intact = IntactSegments(connection, tenure.folder, gallery_id, fingerprint, storage)
        embedded = intact.holding(gallery_id, FindingRecord.checksum)
        transition = Transition(connection, gallery_id)
        changes = transition.decide(embedded)
        to_embed = select(func.count(FindingRecord.checksum.distinct())).where(
            FindingRecord.gallery_id == gallery_id, READABLE, ~embedded
        )
        count = connection.scalar(to_embed) or 0
        transition.take_over()
        covered = count_images(connection, gallery_id, survey.coverage)
        trial.rollback()
    return Preview(
        added=changes.added,
        changed=changes.changed,
        moved=changes.moved,
        relabelled=changes.relabelled,
        removed=changes.removed,
        unchanged=covered - changes.placed,
        to_embed=count,
    )
