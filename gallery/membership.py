"""Which images are in a build, and where: the questions in SQL."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from gallery.difference import EndedPlace
from gallery.records.amendments import RemovalRecord
from gallery.records.builds import EmbeddedContentRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord

CHUNK = 1000
"""Values in one IN (…): old SQLite takes 32,766 and PostgreSQL 65,535, and nothing is gained by more."""

IDS: BindParameter[int] = bindparam("ids", expanding=True)
"""The ids that a kept question is asked about."""
CHECKSUM: BindParameter[str] = bindparam("checksum")
"""The content that it is asked about."""
GALLERY: BindParameter[int] = bindparam("gallery")
BUILD: BindParameter[int] = bindparam("build")
"""Of which gallery and build it is asked."""

T = TypeVar("T")


class Member(NamedTuple):
    """An image of a build."""

    image_id: int
    uri: str
    label: str | None
    checksum: str
    width: int
    height: int


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """The values, CHUNK at a time."""
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def asked_of(gallery_id: int, build: int) -> dict[str, object]:
    """What GALLERY and BUILD stand for."""
    return {GALLERY.key: gallery_id, BUILD.key: build}


def in_build(gallery_id: int, build: int) -> ColumnElement[bool]:
    """The condition that a place belongs to the build, for questions that run over all of a gallery."""
    return and_(PlaceRecord.gallery_id == gallery_id, _at(build))


def in_build_too(
    gallery_id: int | BindParameter[int], build: int | BindParameter[int]
) -> ColumnElement[bool]:
    """The same condition, for questions that begin with ids.

    The sum keeps the database from beginning with the gallery instead, which SQLite does where it has no
    statistics: on a gallery of 100,000 images that took 13 ms instead of 1.
    """
    return and_(PlaceRecord.gallery_id + 0 == gallery_id, _at(build))


def is_shown(gallery_id: int, build: int) -> ColumnElement[bool]:
    """The condition that the build shows what an embedded row holds, for questions that begin with rows."""
    return exists().where(
        ImageRecord.content_id == EmbeddedContentRecord.content_id,
        PlaceRecord.image_id == ImageRecord.id,
        in_build_too(gallery_id, build),
    )


def not_removed() -> ColumnElement[bool]:
    """The condition that no person has removed the image of a place; it holds at once, in every build."""
    return ~exists().where(RemovalRecord.image_id == PlaceRecord.image_id)


def removed_among(connection: Connection, image_ids: Iterable[int]) -> set[int]:
    """Those of the images that a person has removed."""
    removed = select(RemovalRecord.image_id)
    found = (
        connection.scalars(removed.where(RemovalRecord.image_id.in_(chunk))) for chunk in chunks(image_ids)
    )
    return {image_id for each in found for image_id in each if image_id is not None}


def members(condition: ColumnElement[bool]) -> Select[int, str, str | None, str, int, int]:
    """All images whose place satisfies the condition, as rows of Member's fields."""
    return (
        select(
            ImageRecord.id,
            PlaceRecord.uri,
            PlaceRecord.label,
            ContentRecord.checksum,
            ContentRecord.width,
            ContentRecord.height,
        )
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .join(ContentRecord, ContentRecord.id == ImageRecord.content_id)
        .where(condition)
    )


def every_member(engine: Engine, gallery_id: int, build: int) -> Iterator[Member]:
    """The images of the build, by id, read CHUNK at a time without a transaction between."""
    statement = members(in_build_too(gallery_id, build)).order_by(ImageRecord.id).limit(CHUNK)
    last = 0
    while True:
        with engine.connect() as connection:
            page = [Member(*row) for row in connection.execute(statement.where(ImageRecord.id > last))]
        yield from page
        if len(page) < CHUNK:
            return
        last = page[-1].image_id


def members_with_ids(
    connection: Connection, gallery_id: int, build: int, image_ids: Iterable[int]
) -> Iterator[Member]:
    """The images of the build that have one of the ids."""
    of = asked_of(gallery_id, build)
    for chunk in chunks(image_ids):
        for row in connection.execute(_members_with_ids(), {**of, IDS.key: chunk}):
            yield Member(*row)


def members_with_checksum(
    connection: Connection, gallery_id: int, build: int, checksum: str
) -> Iterator[Member]:
    """The images of the build that show the content."""
    asked = {**asked_of(gallery_id, build), CHECKSUM.key: checksum}
    for row in connection.execute(_members_with_checksum(), asked):
        yield Member(*row)


def images_of(gallery_id: int, build: int, *, satisfied: ColumnElement[bool]) -> Select[int, int]:
    """Asks for (image_id, content_id) of the images that show one of the contents IDS at such a place.

    Those that a person has removed are left out.
    """
    return (
        select(ImageRecord.id, ImageRecord.content_id)
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .where(in_build_too(gallery_id, build), satisfied, not_removed(), ImageRecord.content_id.in_(IDS))
    )


def is_member(
    connection: Connection,
    gallery_id: int,
    build: int,
    image_id: int,
    *,
    satisfied: ColumnElement[bool],
) -> bool:
    """Whether the build has the image, at a place that satisfies the condition."""
    statement = select(PlaceRecord.id).where(
        in_build_too(gallery_id, build), satisfied, PlaceRecord.image_id == image_id
    )
    return connection.scalar(statement) is not None


def contents_where(
    connection: Connection, gallery_id: int, build: int, *, satisfied: ColumnElement[bool]
) -> list[int]:
    """The ids of the contents that the build shows at a place that satisfies the condition, ascending."""
    statement = (
        select(ImageRecord.content_id)
        .distinct()
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .where(in_build(gallery_id, build), satisfied)
        .order_by(ImageRecord.content_id)
    )
    return list(connection.scalars(statement))


def ended_places(connection: Connection, gallery_id: int, uris: Iterable[str]) -> Iterator[EndedPlace]:
    """The places that ended at these uris, of images that live nowhere now."""
    elsewhere = aliased(PlaceRecord)
    statement = (
        select(ImageRecord.id, PlaceRecord.uri, ContentRecord.checksum, PlaceRecord.until_build)
        .join(ImageRecord, ImageRecord.id == PlaceRecord.image_id)
        .join(ContentRecord, ContentRecord.id == ImageRecord.content_id)
        .where(
            PlaceRecord.gallery_id == gallery_id,
            PlaceRecord.until_build.is_not(None),
            ~select(elsewhere.id)
            .where(elsewhere.image_id == ImageRecord.id, elsewhere.until_build.is_(None))
            .exists(),
        )
    )
    for chunk in chunks(uris):
        for row in connection.execute(statement.where(PlaceRecord.uri.in_(chunk))):
            image_id, uri, checksum, until_build = row
            assert until_build is not None, "the statement asks for ended places"
            yield EndedPlace(image_id, uri, checksum, until_build)


def label_counts(connection: Connection, gallery_id: int, build: int) -> dict[str, int]:
    """How many images each label has, by label; unlabelled images are left out."""
    statement = (
        select(PlaceRecord.label, func.count())
        .where(in_build(gallery_id, build), PlaceRecord.label.is_not(None))
        .group_by(PlaceRecord.label)
        .order_by(PlaceRecord.label)
    )
    return {label: count for label, count in connection.execute(statement) if label is not None}


@cache
def _members_with_ids() -> Select[int, str, str | None, str, int, int]:
    return members(in_build_too(GALLERY, BUILD)).where(ImageRecord.id.in_(IDS))


@cache
def _members_with_checksum() -> Select[int, str, str | None, str, int, int]:
    shown = (ContentRecord.gallery_id == GALLERY, ContentRecord.checksum == CHECKSUM, not_removed())
    return members(in_build_too(GALLERY, BUILD)).where(*shown).order_by(ImageRecord.id)


def _at(build: int | BindParameter[int]) -> ColumnElement[bool]:
    until = PlaceRecord.until_build
    return and_(PlaceRecord.since_build <= build, or_(until.is_(None), until > build))
