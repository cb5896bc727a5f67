"""What comes near to a condition that nothing satisfies: a slip of the pen, or a number out of the span."""

import difflib
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from gallery.filters.conditions import LABEL, Condition, Where
from gallery.filters.filtering import AttributeColumn, satisfying, says
from gallery.membership import in_build
from gallery.records.attributes import AttributeRecord, CodePoints
from gallery.records.images import PlaceRecord

NEIGHBOURS = 25
"""Different values before and after the one asked for, in the order of texts, that may be meant: one look-up
in an index, however many there are."""

NEAR_TOLD = 3
"""Values that are told of one condition."""


_MEANING_ONE = frozenset({"=", "in"})


def unmet(
    connection: Connection, gallery_id: int, build: int, where: Where, columns: Sequence[AttributeColumn]
) -> Iterator[str]:
    """A sentence for each condition that no image of the build satisfies by itself, with what comes near."""
    by_name = {column.name: column for column in columns}
    for condition in where:
        place = in_build(gallery_id, build)
        found = select(PlaceRecord.id).where(place, satisfying(gallery_id, (condition,))).limit(1)
        if connection.scalar(found) is None:
            near = [
                text
                for operand in (condition.operands if condition.operator in _MEANING_ONE else ())
                for text in _near(connection, gallery_id, build, condition, operand.text)
            ]
            yield _sentence(condition, list(dict.fromkeys(near)), by_name.get(condition.name))


def _sentence(condition: Condition, near: Sequence[str], column: AttributeColumn | None) -> str:
    told = f"no image satisfies “{condition}”"
    if column is not None and column.least is not None and not near:
        return f"{told}; {column.name} lies between {column.least:g} and {column.greatest:g}"
    return f"{told}; did you mean {' or '.join(near[:NEAR_TOLD])}?" if near else told


def _near(connection: Connection, gallery_id: int, build: int, condition: Condition, text: str) -> list[str]:
    """The values that look most like the one that was asked for."""
    value = PlaceRecord.label.cast(CodePoints) if condition.name == LABEL else AttributeRecord.text
    in_it = in_build(gallery_id, build), value.is_not(None)
    values = select(value).distinct().select_from(PlaceRecord).where(*in_it).limit(NEIGHBOURS)
    if condition.name != LABEL:
        values = values.join(AttributeRecord, says(gallery_id)).where(AttributeRecord.name == condition.name)
    neighbours = [
        *connection.scalars(values.where(value < text).order_by(value.desc())),
        *connection.scalars(values.where(value > text).order_by(value)),
    ]
    by_folded = {each.casefold(): each for each in neighbours}
    return [by_folded[each] for each in difflib.get_close_matches(text.casefold(), by_folded, n=NEAR_TOLD)]
