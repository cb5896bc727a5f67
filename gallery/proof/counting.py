"""The numbers that prove that everything that should be searchable is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, FunctionFilter, exists, func, select

from gallery.manifest import SegmentClaims
from gallery.membership import in_build, is_shown
from gallery.records.builds import EmbeddedContentRecord
from gallery.records.files import FileRecord
from gallery.records.images import ImageRecord, PlaceRecord
from gallery.segments.inspection import Held
from gallery.site import Site


@dataclass(frozen=True, slots=True)
class Counts:
    """What a build has of each kind.

    files = live + unreadable; contents (distinct ones of live images) = embeddings = local embeddings (None
    where the gallery keeps none) = thumbnails; index entries = contents + tombstones.
    """

    files: int
    live: int
    unreadable: int
    contents: int
    embeddings: int
    local_embeddings: int | None
    thumbnails: int
    index_entries: int
    tombstones: int

    def contradictions(self) -> list[str]:
        """The equations that do not hold, as sentences."""
        wrong = []
        if self.files != self.live + self.unreadable:
            wrong.append(
                f"There are {self.files} files, but {self.live} live images and {self.unreadable} unreadable "
                "files."
            )
        for name, count in (
            ("embeddings", self.embeddings),
            ("local embeddings", self.local_embeddings),
            ("thumbnails", self.thumbnails),
        ):
            if count not in {None, self.contents}:
                wrong.append(f"The live images show {self.contents} contents, of which {count} have {name}.")
        if self.index_entries != self.contents + self.tombstones:
            wrong.append(
                f"The index has {self.index_entries} entries, but there are {self.contents} contents and "
                f"{self.tombstones} tombstones."
            )
        return wrong


def count(
    connection: Connection,
    site: Site,
    build: int,
    segments: Sequence[SegmentClaims],
    held: Mapping[int, Held],
    *,
    keeps_local: bool,
) -> Counts:
    """Count what a build has; `held` is what each of its segments really holds, by its id."""
    live = select(func.count(), func.count(ImageRecord.content_id.distinct())).select_from(PlaceRecord)
    images, contents = connection.execute(
        live.join(ImageRecord).where(in_build(site.gallery_id, build))
    ).one()
    files, readable = connection.execute(
        select(func.count(), func.count().filter(FileRecord.reason.is_(None))).where(
            FileRecord.gallery_id == site.gallery_id
        )
    ).one()
    rows = {
        segment.id: _live_rows(connection, site, build, segment.id, held[segment.id]) for segment in segments
    }
    embedded = sum(each[0] for each in rows.values())
    return Counts(
        files=files,
        live=images,
        unreadable=files - readable,
        contents=contents,
        embeddings=sum(each[1] for each in rows.values()),
        local_embeddings=sum(each[2] for each in rows.values()) if keeps_local else None,
        thumbnails=sum(each[3] for each in rows.values()),
        index_entries=sum(segment.rows for segment in segments),
        tombstones=sum(segment.rows for segment in segments) - embedded,
    )


def unembedded(
    connection: Connection, site: Site, build: int, segments: Sequence[SegmentClaims]
) -> tuple[int, str | None]:
    """How many live images no segment of the build has the content of, and one of their uris."""
    held = exists().where(
        EmbeddedContentRecord.content_id == ImageRecord.content_id,
        EmbeddedContentRecord.segment_id.in_([segment.id for segment in segments]),
    )
    statement = select(func.count(), func.min(PlaceRecord.uri)).join(ImageRecord)
    row = connection.execute(statement.where(in_build(site.gallery_id, build), ~held)).one()
    return row[0], row[1]


def _live_rows(
    connection: Connection, site: Site, build: int, segment_id: int, held: Held
) -> tuple[int, int, int, int]:
    """How many rows of the segment are of live contents, and have embedding, local embeddings, thumbnail."""

    def stored(rows: int | None) -> FunctionFilter[int]:
        return func.count().filter(EmbeddedContentRecord.row < (rows or 0))

    statement = (
        select(func.count(), stored(held.embeddings), stored(held.local_embeddings), stored(held.thumbnails))
        .select_from(EmbeddedContentRecord)
        .where(EmbeddedContentRecord.segment_id == segment_id, is_shown(site.gallery_id, build))
    )
    every, embeddings, local_embeddings, thumbnails = connection.execute(statement).one()
    return every, embeddings, local_embeddings, thumbnails
