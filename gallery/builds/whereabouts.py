"""In which row of which segment the images of a build are."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Select, select

from gallery.database import reading
from gallery.membership import BUILD, GALLERY, IDS, asked_of, chunks, in_build_too
from gallery.records.builds import EmbeddedContentRecord
from gallery.records.images import ImageRecord, PlaceRecord

ROWS_REMEMBERED = 4096
"""Images of which is kept where they are stored (less than 1 MB): a search asks for its matches again."""


class EmbeddedRow(NamedTuple):
    """Where a content's embeddings are."""

    content_id: int
    segment_id: int
    row: int


class Whereabouts:
    """Asked of the database once for an image that was found, because a build does not change.

    Safe for many threads.
    """

    def __init__(self, engine: Engine, gallery_id: int, build: int, segment_ids: Container[int]) -> None:
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


def by_segment(
    where: Mapping[int, EmbeddedRow], image_ids: Sequence[int]
) -> Iterator[tuple[int, list[int], list[int]]]:
    """Each segment that holds some of the images, their positions among all, and their rows in it."""
    positions: dict[int, list[int]] = {}
    for position, image_id in enumerate(image_ids):
        positions.setdefault(where[image_id].segment_id, []).append(position)
    for segment_id, places in positions.items():
        yield segment_id, places, [where[image_ids[place]].row for place in places]


def embedded_rows(
    connection: Connection,
    gallery_id: int,
    build: int,
    segment_ids: Container[int],
    image_ids: Iterable[int],
) -> dict[int, EmbeddedRow]:
    """Where the embeddings of these images are, by image_id; images that the build has not are left out."""
    of = asked_of(gallery_id, build)
    found: dict[int, EmbeddedRow] = {}
    for chunk in chunks(image_ids):
        for image_id, *row in connection.execute(_embedded_rows(), {**of, IDS.key: chunk}):
            if row[1] in segment_ids:
                found[image_id] = EmbeddedRow(*row)
    return found


@cache
def _embedded_rows() -> Select[int, int, int, int]:
    row = (EmbeddedContentRecord.segment_id, EmbeddedContentRecord.row)
    return (
        select(ImageRecord.id, ImageRecord.content_id, *row)
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .join(EmbeddedContentRecord, EmbeddedContentRecord.content_id == ImageRecord.content_id)
        .where(in_build_too(GALLERY, BUILD), ImageRecord.id.in_(IDS))
    )
