"""Erasing what a gallery shows no more: of images that are gone, only what names them stays.

Paths, checksums and removals keep a removed picture out when its file is found again, and give it its id back
if its removal is revoked. Embeddings, local embeddings, thumbnails, the entries of the main index, uploaded
files, labels and attributes go, and so does the way back: no build but the published one is kept. Each step
is a transaction of its own that does no harm by itself, so whoever is killed runs it again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update

from gallery.builds.amending import publish_removals
from gallery.builds.collection import collect
from gallery.builds.compaction import Fold, compact
from gallery.builds.improvement import check_wish, forget_unnamed_indexes, improve_index, leave_old_index
from gallery.builds.planning import published_number
from gallery.builds.retention import build_numbers, forget_unnamed_segments, retire
from gallery.filters.filtering import forget_unnamed_attributes
from gallery.index.kinds import IndexWish
from gallery.index.report import IndexReport
from gallery.membership import is_shown
from gallery.records.amendments import AmendmentRecord
from gallery.records.builds import EmbeddedContentRecord, SegmentRecord
from gallery.records.files import FileRecord, FindingRecord
from gallery.records.images import PlaceRecord
from gallery.removals import remove_originals
from gallery.surveys.seen import REMOVED
from gallery.tenure import Tenure


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What was erased from a gallery; `build` is the published one.

    `contents` are gone from its segments, `originals` are files of its own that were deleted, `retired` the
    builds that were let go of. `left` contents are there still: builds in `read` show them, which somebody
    has open, or an encoder that is to take over has embedded them. It `is_complete` without either.
    """

    gallery: str
    build: int
    contents: int
    originals: int
    retired: tuple[int, ...]
    read: tuple[int, ...]
    left: int
    index: IndexReport

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left of what is gone; labels are, as long as a build that told them is read."""
        return not (self.left or self.read)


def erase(
    tenure: Tenure,
    wish: IndexWish,
    *,
    track: Callable[[Sequence[Fold]], Iterable[Fold]] = iter,
    tell: Callable[[str], None] = lambda _: None,
) -> ErasureReport:
    """Erase what no image of the published build needs; `track` and `tell` are those of the steps.

    Raises NothingPublished, InvalidIndex, CorruptGallery and NotEmbedded.
    """
    check_wish(tenure, wish)
    before = set(_build_numbers(tenure))
    publish_removals(tenure)
    originals = remove_originals(tenure.site)
    hidden = _hidden(tenure)
    compact(tenure, most_tombstones=0.0, track=track)
    leave_old_index(tenure)
    index = improve_index(tenure, wish, always=True, tell=tell)
    retire(tenure, kept=1)
    with tenure.writing() as connection:
        forget_unnamed_indexes(connection, tenure.gallery_id)
        forget_unnamed_segments(connection, tenure.gallery_id)
        _forget_words(connection, tenure.gallery_id)
    collect(tenure.writing, tenure.folder, tenure.gallery_id)
    *read, build = _build_numbers(tenure)
    left = _hidden(tenure)
    retired = tuple(sorted(before - {*read, build}))
    return ErasureReport(tenure.gallery, build, hidden - left, originals, retired, tuple(read), left, index)


def _build_numbers(tenure: Tenure) -> Sequence[int]:
    """The builds that the gallery has, ascending."""
    with tenure.engine.connect() as connection:
        return build_numbers(connection, tenure.gallery_id)


def _hidden(tenure: Tenure) -> int:
    """How many contents are embedded that no image of the published build shows."""
    with tenure.engine.connect() as connection:
        build = published_number(connection, tenure.gallery_id)
        statement = (
            select(func.count(EmbeddedContentRecord.content_id.distinct()))
            .join(SegmentRecord, SegmentRecord.id == EmbeddedContentRecord.segment_id)
            .where(
                SegmentRecord.gallery_id == tenure.gallery_id,
                ~is_shown(tenure.gallery_id, build),
            )
        )
        return connection.scalar(statement) or 0


def _forget_words(connection: Connection, gallery_id: int) -> None:
    """Forget labels and attributes at places that no build shows, and of files that were removed.

    Those of a source, which may tell them again, and what people said.
    """
    oldest = min(build_numbers(connection, gallery_id))
    over = and_(PlaceRecord.gallery_id == gallery_id, PlaceRecord.until_build <= oldest)
    told = or_(PlaceRecord.label.is_not(None), PlaceRecord.attributes.is_not(None))
    connection.execute(update(PlaceRecord).where(over, told).values(label=None, attributes=None))
    for record in (FileRecord, FindingRecord):
        removed = and_(record.gallery_id == gallery_id, record.reason == REMOVED)
        connection.execute(update(record).where(removed).values(label=None, attributes=None))
    amended = AmendmentRecord.gallery_id == gallery_id
    connection.execute(
        delete(AmendmentRecord).where(amended, AmendmentRecord.of_source.is_(False), _shows_nothing(oldest))
    )
    forget_unnamed_attributes(connection, gallery_id)


def _shows_nothing(oldest: int) -> ColumnElement[bool]:
    """The condition that there was an image at an amendment's place, and none since the oldest build."""
    here = (PlaceRecord.gallery_id == AmendmentRecord.gallery_id, PlaceRecord.uri == AmendmentRecord.uri)
    shown = or_(PlaceRecord.until_build.is_(None), PlaceRecord.until_build > oldest)
    return and_(exists().where(*here), ~exists().where(*here, shown))
