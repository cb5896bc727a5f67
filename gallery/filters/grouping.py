"""Groups of images by their label or by one attribute: who is in which, and how many there are."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, SQLColumnExpression, and_, func, select

from gallery.filters.conditions import LABEL
from gallery.membership import chunks, in_build, in_build_too
from gallery.records.attributes import AttributeRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord


def groups_of(
    connection: Connection, gallery_id: int, build: int, image_ids: Iterable[int], *, by: str
) -> dict[int, str]:
    """The group of each of the images that is in one."""
    group = _group(by)
    statement = _joined(select(PlaceRecord.image_id, group), gallery_id, by).where(
        in_build_too(gallery_id, build), group.is_not(None)
    )
    found: dict[int, str] = {}
    for chunk in chunks(image_ids):
        found.update(
            (row[0], row[1]) for row in connection.execute(statement.where(PlaceRecord.image_id.in_(chunk)))
        )
    return found


def group_sizes(
    connection: Connection,
    gallery_id: int,
    build: int,
    names: Sequence[str],
    *,
    by: str,
    satisfied: ColumnElement[bool],
) -> dict[str, int]:
    """How many images that satisfy the condition each of the groups has."""
    group = _group(by)
    statement = (
        _joined(select(group, func.count()), gallery_id, by)
        .where(in_build(gallery_id, build), satisfied)
        .group_by(group)
    )
    found: dict[str, int] = {}
    for chunk in chunks(names):
        found.update((row[0], row[1]) for row in connection.execute(statement.where(group.in_(chunk))))
    return found


def count_groups(
    connection: Connection, gallery_id: int, build: int, *, by: str, satisfied: ColumnElement[bool]
) -> int:
    """How many groups have an image that satisfies the condition."""
    statement = _joined(select(func.count(_group(by).distinct())), gallery_id, by)
    return connection.scalar(statement.where(in_build(gallery_id, build), satisfied)) or 0


def count_images(
    connection: Connection, gallery_id: int, build: int, *, satisfied: ColumnElement[bool]
) -> int:
    """How many images satisfy the condition."""
    statement = select(func.count()).select_from(PlaceRecord).where(in_build(gallery_id, build), satisfied)
    return connection.scalar(statement) or 0


def images_showing(
    connection: Connection,
    gallery_id: int,
    build: int,
    checksums: Iterable[str],
    *,
    satisfied: ColumnElement[bool],
) -> dict[int, str]:
    """The images that show one of these contents and satisfy the condition, with its checksum."""
    statement = (
        select(ImageRecord.id, ContentRecord.checksum)
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .join(ContentRecord, ContentRecord.id == ImageRecord.content_id)
        .where(in_build_too(gallery_id, build), satisfied, ContentRecord.gallery_id == gallery_id)
    )
    found: dict[int, str] = {}
    for chunk in chunks(checksums):
        rows = connection.execute(statement.where(ContentRecord.checksum.in_(chunk)))
        found.update((row[0], row[1]) for row in rows)
    return found


def _group(by: str) -> SQLColumnExpression[Any]:
    return PlaceRecord.label if by == LABEL else AttributeRecord.text


def _joined(statement: Select[Any], gallery_id: int, by: str) -> Select[Any]:
    if by == LABEL:
        return statement.select_from(PlaceRecord)
    says = and_(
        AttributeRecord.gallery_id == gallery_id,
        AttributeRecord.digest == PlaceRecord.attributes,
        AttributeRecord.name == by,
    )
    return statement.select_from(PlaceRecord).join(AttributeRecord, says)
