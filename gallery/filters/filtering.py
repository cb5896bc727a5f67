"""Conditions on labels and attributes as questions in SQL, and what there is to ask for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    SQLColumnExpression,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    true,
)

from gallery.filters.attributes import MAX_TEXT, number_of
from gallery.filters.conditions import LABEL, Condition, Operand, Where, require_storable
from gallery.membership import BUILD, GALLERY, IDS, asked_of, chunks, in_build, in_build_too
from gallery.records.attributes import AttributeRecord, CodePoints
from gallery.records.files import FileRecord, FindingRecord
from gallery.records.images import PlaceRecord

VALUES_TOLD = 50
"""Different values of an attribute up to which they are told one by one."""


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    """What the images of a build have under one name.

    `images` have it, `numbers` of them as a number between `least` and `greatest` (None where none has).
    `values` are all different texts with their counts, the most frequent first; None where they are many.
    """

    name: str
    images: int
    numbers: int
    least: float | None
    greatest: float | None
    values: dict[str, int] | None


def satisfying(gallery_id: int, where: Where) -> ColumnElement[bool]:
    """The condition that a place satisfies all of `where`; raises InvalidFilter for what is in no text."""
    require_storable(where)
    return and_(true(), *(_satisfies(gallery_id, each) for each in where))


def attribute_columns(connection: Connection, gallery_id: int, build: int) -> list[AttributeColumn]:
    """The attributes that images of the build have, by name."""
    name, number = AttributeRecord.name, AttributeRecord.number
    counts = (
        select(
            name,
            func.count(),
            func.count(number),
            func.min(number),
            func.max(number),
            func.count(AttributeRecord.text.distinct()),
        )
        .join(PlaceRecord, says(gallery_id))
        .where(in_build(gallery_id, build))
        .group_by(name)
        .order_by(name)
    )
    return [
        AttributeColumn(*row[:5], _values(connection, gallery_id, build, row[0], row[5]))
        for row in connection.execute(counts).all()
    ]


def record_attributes(connection: Connection, gallery_id: int, told: Mapping[str, Mapping[str, str]]) -> None:
    """Write the attributes under their digests, those that are not written yet."""
    of_gallery = AttributeRecord.gallery_id == gallery_id
    for digests in chunks(told):
        known = (
            select(AttributeRecord.digest).distinct().where(of_gallery, AttributeRecord.digest.in_(digests))
        )
        new = set(digests) - set(connection.scalars(known))
        rows = [
            {
                "gallery_id": gallery_id,
                "digest": digest,
                "name": name,
                "text": text,
                "number": number_of(text),
            }
            for digest in sorted(new)
            for name, text in told[digest].items()
        ]
        if rows:
            connection.execute(insert(AttributeRecord), rows)


def forget_attributes(connection: Connection, gallery_id: int, digests: Iterable[str]) -> None:
    """Forget those of the attributes that nothing has any more: no place, no file, no finding."""
    for chunk in chunks(digests):
        connection.execute(
            delete(AttributeRecord).where(_is_unnamed(gallery_id), AttributeRecord.digest.in_(chunk))
        )


def forget_unnamed_attributes(connection: Connection, gallery_id: int) -> None:
    """The same for all that a gallery has: what runs that were never published have told, for one."""
    connection.execute(delete(AttributeRecord).where(_is_unnamed(gallery_id)))


def any_attributes(connection: Connection, gallery_id: int) -> bool:
    """Whether an image of any build of the gallery may have attributes."""
    return connection.scalar(select(exists().where(AttributeRecord.gallery_id == gallery_id))) is True


def attributes_by_image(
    connection: Connection, gallery_id: int, build: int, image_ids: Iterable[int]
) -> dict[int, dict[str, str]]:
    """The attributes of those of the images that have any, by name."""
    of = asked_of(gallery_id, build)
    found: dict[int, dict[str, str]] = {}
    for chunk in chunks(image_ids):
        for image_id, name, text in connection.execute(_attributes_by_image(), {**of, IDS.key: chunk}):
            found.setdefault(image_id, {})[name] = text
    return found


@cache
def _attributes_by_image() -> Select[int, str, str]:
    return (
        select(PlaceRecord.image_id, AttributeRecord.name, AttributeRecord.text)
        .join(AttributeRecord, says(GALLERY))
        .where(in_build_too(GALLERY, BUILD), PlaceRecord.image_id.in_(IDS))
        .order_by(AttributeRecord.name)
    )


def _values(
    connection: Connection, gallery_id: int, build: int, name: str, different: int
) -> dict[str, int] | None:
    if different > VALUES_TOLD:
        return None
    count = func.count()
    statement = (
        select(AttributeRecord.text, count)
        .join(PlaceRecord, says(gallery_id))
        .where(in_build(gallery_id, build), AttributeRecord.name == name)
        .group_by(AttributeRecord.text)
        .order_by(count.desc(), AttributeRecord.text)
    )
    return {str(text): int(number) for text, number in connection.execute(statement)}


def _is_unnamed(gallery_id: int) -> ColumnElement[bool]:
    """The condition that attributes of the gallery are those of no place, no file and no finding."""
    named = [
        exists().where(record.gallery_id == gallery_id, record.attributes == AttributeRecord.digest)
        for record in (PlaceRecord, FindingRecord)
    ]
    unread = exists().where(
        FileRecord.gallery_id == gallery_id,
        FileRecord.reason.is_not(None),
        FileRecord.attributes == AttributeRecord.digest,
    )
    return and_(AttributeRecord.gallery_id == gallery_id, ~unread, *(~each for each in named))


def says(gallery_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """The condition that a place has the attribute."""
    return and_(AttributeRecord.gallery_id == gallery_id, AttributeRecord.digest == PlaceRecord.attributes)


def _satisfies(gallery_id: int, condition: Condition) -> ColumnElement[bool]:
    if condition.name == LABEL:
        return _label_satisfies(condition)
    named = select(AttributeRecord.digest).where(
        AttributeRecord.gallery_id == gallery_id, AttributeRecord.name == condition.name
    )
    if condition.operator == "missing":
        return or_(PlaceRecord.attributes.is_(None), PlaceRecord.attributes.not_in(named))
    if condition.operator == "exists":
        return PlaceRecord.attributes.in_(named)
    compared = _compared(condition, AttributeRecord.text, AttributeRecord.number)
    return PlaceRecord.attributes.in_(named.where(compared))


def _label_satisfies(condition: Condition) -> ColumnElement[bool]:
    """A label is text: what is written as a number is compared as it is written."""
    label = PlaceRecord.label
    if condition.operator in {"exists", "missing"}:
        return label.is_not(None) if condition.operator == "exists" else label.is_(None)
    texts = tuple(Operand(each.text) for each in condition.operands)
    ordered = condition.operator in {"<", "<=", ">", ">="}  # else as it is, for its index
    compared = _compared(
        Condition(LABEL, condition.operator, texts), label.cast(CodePoints) if ordered else label, None
    )
    return and_(label.is_not(None), compared)


def _compared(
    condition: Condition, text: SQLColumnExpression[Any], number: SQLColumnExpression[Any] | None
) -> ColumnElement[bool]:
    match condition.operator:
        case "=" | "in":
            return _is_one_of(condition.operands, text, number)
        case "!=" | "not in":
            return not_(_is_one_of(condition.operands, text, number))
    (operand,) = condition.operands
    value: SQLColumnExpression[Any] = text
    bound: str | float = _as_kept(operand)
    if operand.number is not None and number is not None:
        value, bound = number, operand.number
    match condition.operator:
        case "<":
            return value < bound
        case "<=":
            return value <= bound
        case ">":
            return value > bound
        case _:
            return value >= bound


def _is_one_of(
    operands: Sequence[Operand], text: SQLColumnExpression[Any], number: SQLColumnExpression[Any] | None
) -> ColumnElement[bool]:
    """Whether the text or the number is one of these; never unknown, so that it can be denied."""
    numbers = [each.number for each in operands if each.number is not None and number is not None]
    texts = [_as_kept(each) for each in operands if each.number is None or number is None]
    parts: list[ColumnElement[bool]] = [text.in_(texts)] if texts else []
    if numbers and number is not None:
        parts.append(and_(number.is_not(None), number.in_(numbers)))
    return or_(false(), *parts)


def _as_kept(operand: Operand) -> str:
    """The text as far as of a value it is kept: of a longer one nothing more is known."""
    return operand.text[:MAX_TEXT]
