"""What of a build a search is narrowed to: contents to look among, and the images of them that are meant."""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property, lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, Select

from gallery.database import reading
from gallery.filters.conditions import LABEL, Condition, Operand, Where, require_known
from gallery.filters.filtering import (
    AttributeColumn,
    any_attributes,
    attribute_columns,
    attributes_by_image,
    satisfying,
)
from gallery.filters.grouping import count_groups, count_images, group_sizes, groups_of, images_showing
from gallery.filters.nearness import unmet
from gallery.index.remembering import Remembered
from gallery.membership import IDS, chunks, contents_where, images_of, is_member, label_counts

COUNTS_REMEMBERED = 32
"""Filters of which it is known how many images or groups satisfy them."""


class Narrowing:
    """The filters of one build; a build does not change, so that what was asked once is known."""

    def __init__(self, engine: Engine, gallery_id: int, build: int, *, gallery: str) -> None:
        self._engine = engine
        self._gallery_id = gallery_id
        self._build = build
        self._gallery = gallery
        self._images_of = lru_cache(maxsize=COUNTS_REMEMBERED)(partial(_images_of, gallery_id, build))
        self._allowed: Remembered[Where, NDArray[np.int64]] = Remembered()
        self._counts = lru_cache(maxsize=COUNTS_REMEMBERED)(
            partial(_count, engine, gallery_id, build)  # of no self: it is freed at once
        )

    def allowed(self, where: Where) -> NDArray[np.int64] | None:
        """The ids of the contents that an image which satisfies `where` shows; None for all of them.

        Raises InvalidFilter for an attribute that no image has.
        """
        if not where:
            return None
        if any(each.name != LABEL for each in where):
            require_known(where, {each.name for each in self.columns}, gallery=self._gallery)
        known = self._allowed.of(where)
        if known is None:
            known = self._contents(where)
            self._allowed.keep(where, known, size=known.nbytes)
        return known

    def images_of(self, content_ids: Sequence[int], where: Where) -> list[tuple[int, int]]:
        """(image_id, content_id) of the images that show one of the contents, each by its own place."""
        statement = self._images_of(where)
        with reading(self._engine) as connection:
            asked = (connection.execute(statement, {IDS.key: chunk}) for chunk in chunks(content_ids))
            return [(image_id, content_id) for rows in asked for image_id, content_id in rows]

    def count(self, where: Where) -> int:
        """How many images satisfy the conditions."""
        return self._counts(where, None)

    def count_groups(self, by: str, where: Where) -> int:
        """How many groups by the label or an attribute have an image that satisfies the conditions."""
        return self._counts(where, by)

    def groups_of(self, image_ids: Iterable[int], *, by: str) -> dict[int, str]:
        """The group of each of the images that is in one."""
        with reading(self._engine) as connection:
            return groups_of(connection, self._gallery_id, self._build, image_ids, by=by)

    def group_sizes(self, names: Sequence[str], *, by: str, where: Where) -> dict[str, int]:
        """How many images that satisfy the conditions each of the groups has."""
        with reading(self._engine) as connection:
            satisfied = satisfying(self._gallery_id, where)
            return group_sizes(connection, self._gallery_id, self._build, names, by=by, satisfied=satisfied)

    def images_showing(self, checksums: Collection[str], where: Where) -> dict[int, str]:
        """The images that show one of these contents and satisfy the conditions, with its checksum."""
        if not checksums:
            return {}
        with reading(self._engine) as connection:
            satisfied = satisfying(self._gallery_id, where)
            return images_showing(connection, self._gallery_id, self._build, checksums, satisfied=satisfied)

    def satisfies(self, image_id: int, where: Where) -> bool:
        """Whether this image satisfies all of the conditions."""
        with reading(self._engine) as connection:
            satisfied = satisfying(self._gallery_id, where)
            return is_member(connection, self._gallery_id, self._build, image_id, satisfied=satisfied)

    def unmet(self, where: Where) -> list[str]:
        """A sentence for each of the conditions that no image satisfies, with the values that come near."""
        with reading(self._engine) as connection:
            return list(unmet(connection, self._gallery_id, self._build, where, self.columns))

    def attributes(self, image_ids: Iterable[int]) -> dict[int, dict[str, str]]:
        """The attributes of each of the images that has any."""
        if not self._any_attributes:
            return {}
        with reading(self._engine) as connection:
            return attributes_by_image(connection, self._gallery_id, self._build, image_ids)

    @cached_property
    def _any_attributes(self) -> bool:
        with reading(self._engine) as connection:
            return any_attributes(connection, self._gallery_id)

    @cached_property
    def columns(self) -> list[AttributeColumn]:
        """The attributes that images of the build have, by name."""
        with reading(self._engine) as connection:
            return attribute_columns(connection, self._gallery_id, self._build)

    @cached_property
    def labels(self) -> dict[str, int]:
        """How many images each label has."""
        with reading(self._engine) as connection:
            return label_counts(connection, self._gallery_id, self._build)

    def _contents(self, where: Where) -> NDArray[np.int64]:
        with reading(self._engine) as connection:
            satisfied = satisfying(self._gallery_id, where)
            ids = contents_where(connection, self._gallery_id, self._build, satisfied=satisfied)
        allowed = np.array(ids, dtype=np.int64)
        allowed.flags.writeable = False  # so that the index knows it again
        return allowed


def labelled(labels: Collection[str]) -> Where:
    """The condition that an image has one of the labels."""
    return (Condition(LABEL, "in", tuple(Operand(label) for label in sorted(set(labels)))),)


def _images_of(gallery_id: int, build: int, where: Where) -> Select[int, int]:
    return images_of(gallery_id, build, satisfied=satisfying(gallery_id, where))


def _count(engine: Engine, gallery_id: int, build: int, where: Where, by: str | None) -> int:
    with reading(engine) as connection:
        satisfied = satisfying(gallery_id, where)
        if by is None:
            return count_images(connection, gallery_id, build, satisfied=satisfied)
        return count_groups(connection, gallery_id, build, by=by, satisfied=satisfied)
