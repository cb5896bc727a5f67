"""Retiring builds: the last ones are kept, and of older ones goes what no kept build names.

Ids are never reused, and none is forgotten: of an image that ended its last place stays, some hundred bytes,
so that its file gets its id back when it is found again (rule 3 of difference.py). What takes space, its
embeddings and its thumbnail, goes with the last segment that holds it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Select, and_, delete, exists, select
from sqlalchemy.orm import aliased

from gallery.builds.readers import unread
from gallery.filters.filtering import forget_attributes
from gallery.records.builds import BuildRecord, BuildSegmentRecord, EmbeddedContentRecord, SegmentRecord
from gallery.records.galleries import SuccessorRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.tenure import Tenure


def retire(tenure: Tenure, *, kept: int) -> list[int]:
    """Forget the builds before the last `kept` ones, and damaged ones; returns their numbers.

    Their files are named by no record then, and are for the collector. Each build goes in a transaction of
    its own. One that is read stays until a later run, and the published one in any case.
    """
    retired = []
    for number in _doomed(tenure, kept):
        with unread(tenure.folder.manifest(number)) as nobody:
            if nobody:
                with tenure.writing() as connection:
                    _forget(connection, tenure.gallery_id, number)
                retired.append(number)
    return retired


def build_numbers(connection: Connection, gallery_id: int) -> Sequence[int]:
    """The builds that a gallery has, ascending."""
    statement = select(BuildRecord.number).where(BuildRecord.gallery_id == gallery_id)
    return connection.scalars(statement.order_by(BuildRecord.number)).all()


def forget_unnamed_segments(connection: Connection, gallery_id: int) -> None:
    """Forget segments that no build names and no successor has embedded: what unfinished runs have kept.

    The next run embeds that again.
    """
    unnamed = select(SegmentRecord.id).where(
        SegmentRecord.gallery_id == gallery_id,
        ~exists().where(BuildSegmentRecord.segment_id == SegmentRecord.id),
        ~exists().where(
            SuccessorRecord.gallery_id == SegmentRecord.gallery_id,
            SuccessorRecord.fingerprint == SegmentRecord.fingerprint,
        ),
    )
    segments = connection.scalars(unnamed).all()
    _forget_contents(connection, unnamed)
    for segment_id in segments:
        connection.execute(delete(SegmentRecord).where(SegmentRecord.id == segment_id))


def _doomed(tenure: Tenure, kept: int) -> list[int]:
    with tenure.engine.connect() as connection:
        *older, _ = build_numbers(connection, tenure.gallery_id) or [0]
        damaged = _damaged(connection, tenure.gallery_id)
    beyond = len(older) + 1 - kept
    return [number for at, number in enumerate(older) if at < beyond or number in damaged]


def _damaged(connection: Connection, gallery_id: int) -> set[int]:
    """The builds that name a segment that is damaged."""
    statement = (
        select(BuildRecord.number)
        .join(BuildSegmentRecord, BuildSegmentRecord.build_id == BuildRecord.id)
        .join(SegmentRecord, SegmentRecord.id == BuildSegmentRecord.segment_id)
        .where(BuildRecord.gallery_id == gallery_id, SegmentRecord.damaged.is_(True))
    )
    return set(connection.scalars(statement))


def _forget(connection: Connection, gallery_id: int, number: int) -> None:
    _forget_places(connection, gallery_id, number)
    build_id = connection.scalar(
        select(BuildRecord.id).where(BuildRecord.gallery_id == gallery_id, BuildRecord.number == number)
    )
    own = _named_alone(build_id)
    _forget_contents(connection, own)
    segments = connection.scalars(own).all()
    connection.execute(delete(BuildRecord).where(BuildRecord.id == build_id))
    for segment_id in segments:
        connection.execute(delete(SegmentRecord).where(SegmentRecord.id == segment_id))


def _forget_places(connection: Connection, gallery_id: int, number: int) -> None:
    """Places that only this build shows, but for the last of each image."""
    others = [each for each in build_numbers(connection, gallery_id) if each != number]
    before = max((each for each in others if each < number), default=0)
    after = min(each for each in others if each > number)  # the published build, at the latest
    later = aliased(PlaceRecord)
    doomed = and_(
        PlaceRecord.gallery_id == gallery_id,
        PlaceRecord.until_build > number,
        PlaceRecord.until_build <= after,
        PlaceRecord.since_build > before,
        exists().where(later.image_id == PlaceRecord.image_id, later.id > PlaceRecord.id),
    )
    told = select(PlaceRecord.attributes).distinct().where(doomed, PlaceRecord.attributes.is_not(None))
    digests = [digest for digest in connection.scalars(told) if digest is not None]
    connection.execute(delete(PlaceRecord).where(doomed))
    forget_attributes(connection, gallery_id, digests)


def _named_alone(build_id: int | None) -> Select[int]:
    """The segments that no other build names, and that no successor has embedded."""
    other = aliased(BuildSegmentRecord)
    of_successor = exists().where(
        SegmentRecord.id == BuildSegmentRecord.segment_id,
        SuccessorRecord.gallery_id == SegmentRecord.gallery_id,
        SuccessorRecord.fingerprint == SegmentRecord.fingerprint,
    )
    return select(BuildSegmentRecord.segment_id).where(
        BuildSegmentRecord.build_id == build_id,
        ~exists().where(other.segment_id == BuildSegmentRecord.segment_id, other.build_id != build_id),
        ~of_successor,
    )


def _forget_contents(connection: Connection, segments: Select[int]) -> None:
    """Contents that were never an image, and that no other segment holds."""
    elsewhere = aliased(EmbeddedContentRecord)
    embedded = select(EmbeddedContentRecord.content_id).where(EmbeddedContentRecord.segment_id.in_(segments))
    connection.execute(
        delete(ContentRecord).where(
            ContentRecord.id.in_(embedded),
            ~exists().where(ImageRecord.content_id == ContentRecord.id),
            ~exists().where(elsewhere.content_id == ContentRecord.id, elsewhere.segment_id.not_in(segments)),
        )
    )
