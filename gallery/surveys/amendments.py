"""What people have said of images, as a run over their sources meets it: it holds against the source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, or_, select, tuple_

from gallery.records.amendments import AmendmentRecord, RemovalRecord
from gallery.sources.roots import is_below
from gallery.sources.source import Source, SourceFile
from gallery.surveys.seen import PAGE, below


@dataclass(frozen=True, slots=True)
class Amendment:
    """What was said of the place at `uri`, or of all found in that source; see AmendmentRecord.

    `removed` are the checksums of contents that are no image at this place.
    """

    uri: str
    labelled: bool
    label: str | None
    attributes: Mapping[str, str | None]
    removed: frozenset[str] = frozenset()

    def removes(self, checksum: str | None) -> bool:
        """Whether this content is no image here any more."""
        return checksum in self.removed

    def label_for(self, label: str | None) -> str | None:
        """The label of what the source calls so."""
        return self.label if self.labelled else label

    def attributes_for(self, attributes: Mapping[str, str]) -> dict[str, str]:
        """The attributes of that of which the source says these."""
        merged = {**attributes, **self.attributes}
        return {name: text for name, text in sorted(merged.items()) if text is not None}


@dataclass(frozen=True, slots=True)
class AmendedFile:
    """A file as its source has found it, of which people say something else (a SourceFile)."""

    file: SourceFile
    label: str | None
    attributes: Mapping[str, str]

    @property
    def uri(self) -> str:
        """Where it is."""
        return self.file.uri

    @property
    def size(self) -> int | None:
        """Bytes."""
        return self.file.size

    @property
    def version(self) -> str | None:
        """What changes whenever the bytes do."""
        return self.file.version

    def read(self, *, most: int) -> bytes:
        """Its bytes; see SourceFile."""
        return self.file.read(most=most)


def amended(file: SourceFile, amendments: Sequence[Amendment]) -> SourceFile:
    """The file as these say that it is, the last one having the last word."""
    if not amendments:
        return file
    label, attributes = file.label, dict(file.attributes)
    for each in amendments:
        label, attributes = each.label_for(label), each.attributes_for(attributes)
    return AmendedFile(file, label, attributes)


def of_whole_sources(engine: Engine, gallery_id: int) -> list[Amendment]:
    """What was said of all images of a source, those of outer folders first; few, as sources are."""
    statement = _columns().where(
        AmendmentRecord.gallery_id == gallery_id, AmendmentRecord.of_source.is_(True)
    )
    with engine.connect() as connection:
        return [Amendment(*row) for row in connection.execute(statement.order_by(AmendmentRecord.uri))]


def hold_for(amendments: Sequence[Amendment], uri: str, source: Source) -> list[Amendment]:
    """Those that hold for a file of this source: of the source itself, or of a folder that the file is in."""
    return [each for each in amendments if each.uri == source.uri or is_below(uri, each.uri)]


def of_places(engine: Engine, gallery_id: int, source: Source) -> Iterator[Amendment]:
    """What was said of places where the source may have files, one for each, in the order of uris."""
    said = _amended_places(engine, gallery_id, source)
    removed = _removals(engine, gallery_id, source)
    for _, group in groupby(merge(said, removed, key=attrgetter("uri")), key=attrgetter("uri")):
        first, *others = group
        yield replace(first, removed=first.removed.union(*(each.removed for each in others)))


def _amended_places(engine: Engine, gallery_id: int, source: Source) -> Iterator[Amendment]:
    """The labels and attributes, a page at a time."""
    statement = _columns().where(
        AmendmentRecord.gallery_id == gallery_id,
        AmendmentRecord.of_source.is_(False),
        *_within(AmendmentRecord, source),
    )
    last = ""
    while True:
        with engine.connect() as connection:
            page = connection.execute(
                statement.where(AmendmentRecord.uri > last).order_by(AmendmentRecord.uri).limit(PAGE)
            ).all()
        yield from (Amendment(*row) for row in page)
        if len(page) < PAGE:
            return
        last = page[-1].uri


def _removals(engine: Engine, gallery_id: int, source: Source) -> Iterator[Amendment]:
    """The removals, each by itself, a page at a time."""
    key = tuple_(RemovalRecord.uri, RemovalRecord.checksum)
    statement = select(RemovalRecord.uri, RemovalRecord.checksum).where(
        RemovalRecord.gallery_id == gallery_id, *_within(RemovalRecord, source)
    )
    last = ("", "")
    while True:
        with engine.connect() as connection:
            page = connection.execute(
                statement.where(key > last).order_by(RemovalRecord.uri, RemovalRecord.checksum).limit(PAGE)
            ).all()
        yield from (Amendment(row.uri, False, None, {}, frozenset({row.checksum})) for row in page)
        if len(page) < PAGE:
            return
        last = (page[-1].uri, page[-1].checksum)


def _within(
    record: type[AmendmentRecord] | type[RemovalRecord], source: Source
) -> Iterator[ColumnElement[bool]]:
    """The condition that the source may have the file, where it can be said."""
    if not source.is_listing:
        yield or_(record.uri == source.uri, below(record, source.uri))


def _columns() -> Select[Any]:
    return select(*(getattr(AmendmentRecord, name) for name in ("uri", "labelled", "label", "attributes")))
