"""In which row of which segment the images of a build are."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Engine

from gallery.database import reading
from gallery.membership import EmbeddedRow, embedded_rows

ROWS_REMEMBERED = 4096
"""Images of which is kept where they are stored (less than 1 MB): a search asks for its matches again."""


class Whereabouts:
    """Asked of the database once for an image that was found, because a build does not change.

    Safe for many threads.
    """

    def __init__(self, engine: Engine, gallery_id: int, build: int, segment_ids: AbstractSet[int]) -> None:
        self._engine = engine
        self._gallery_id = gallery_id
        self._build = build
        self._segment_ids = segment_ids
        self._rows: dict[int, EmbeddedRow] = {}

    def of(self, image_ids: Sequence[int]) -> dict[int, EmbeddedRow]:
        """Where these images are, by their ids; those that are in none of the segments are left out."""
        known = self._rows
        where = {image_id: known[image_id] for image_id in image_ids if image_id in known}
        if missing := set(image_ids) - where.keys():
            with reading(self._engine) as connection:
                where |= embedded_rows(connection, self._gallery_id, self._build, self._segment_ids, missing)
            self._rows = {**known, **where} if len(known) < ROWS_REMEMBERED else dict(where)
        return where
