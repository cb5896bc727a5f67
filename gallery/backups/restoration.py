"""A gallery from a backup: whole or not at all, under any name, in any database.

Ids stay what they were where no row has them, so that what refers to an image still does. Where one is
taken, as beside the gallery that the backup is of, all of that table are raised by the highest it ever gave.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from sqlalchemy import Connection, Engine, Table, select

from gallery.backups.dump import Row, insert_rows, read_rows, tables
from gallery.backups.numbering import count_from, offset_for
from gallery.backups.unpacking import LOCK, Unpacked, unpacked
from gallery.database import writing
from gallery.errors import GalleryExists
from gallery.files import file_sha256, remove, synchronise
from gallery.folders import GalleryFolder
from gallery.index.coverage import claims_with
from gallery.manifest import FileClaims, Manifest, SegmentClaims, write_manifest
from gallery.records.galleries import GalleryRecord
from gallery.segments.layout import CONTENT_IDS, OLD_INDEX
from gallery.sources.roots import is_below

_URIS = ("uri", "source")
"""Columns that say where something lies."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored; `ids_kept` says whether its images have the ids that they had."""

    gallery: str
    build: int
    builds: tuple[int, ...]
    images: int
    files: int
    ids_kept: bool


def restore(home: Path, engine: Engine, backup: Path, *, name: str | None = None) -> RestoreReport:
    """Make a gallery of a backup, under its own name or another one.

    Raises FileNotFoundError, CorruptBackup, InvalidGalleryName, and GalleryExists where the name is taken.
    """
    with unpacked(backup, home) as found:
        folder = GalleryFolder(home, name or found.contents.gallery)
        with writing(engine) as connection:
            _require_free(connection, folder)
            restoration = _Restoration(connection, found, folder)
            restoration.run()
        return restoration.report()


def _require_free(connection: Connection, folder: GalleryFolder) -> None:
    if connection.scalar(select(GalleryRecord.id).where(GalleryRecord.name == folder.name)) is not None:
        raise GalleryExists(
            f"There is a gallery {folder.name!r}; restore the backup under another name with --as, or "
            "delete that one."
        )


class _Restoration:
    """One restoration, inside its transaction; the folder takes its place last, before the commit."""

    def __init__(self, connection: Connection, found: Unpacked, folder: GalleryFolder) -> None:
        self._connection = connection
        self._found = found
        self._folder = folder
        self._offsets = {
            table.name: offset_for(connection, table, written.least, written.greatest)
            for table in tables()
            if (written := found.contents.rows[table.name]).greatest
        }
        self._segments: dict[int, SegmentClaims] = {}
        self._manifests: dict[int, tuple[Manifest, str]] = {}

    def run(self) -> None:
        """Rename what must be, insert the rows, and put the folder in its place."""
        self._read_segments()
        self._write_manifests()
        for table in tables():
            rows = (self._row(table, row) for row in read_rows(table, self._found.rows(table.name)))
            insert_rows(self._connection, table, rows)
            if greatest := self._found.contents.rows[table.name].greatest:
                count_from(self._connection, table, greatest + self._offsets[table.name])
        self._place()

    def report(self) -> RestoreReport:
        """What came of it."""
        published = max(self._manifests)
        return RestoreReport(
            gallery=self._folder.name,
            build=published,
            builds=tuple(sorted(self._manifests)),
            images=self._manifests[published][0].images,
            files=self._found.files,
            ids_kept=not any(self._offsets.get(table, 0) for table in ("images", "contents")),
        )

    def _row(self, table: Table, row: Row) -> Row:
        raised = {
            **row,
            **{name: row[name] + by for name, by in self._raises(table) if row[name] is not None},
        }
        if table.name == "galleries":
            folders = {manifest.encoder.folder for manifest, _ in self._manifests.values()}
            kept = row["encoder_folder"] if row["encoder_folder"] in folders else None
            return {**raised, "name": self._folder.name, "encoder_folder": kept}
        if table.name == "segments":
            claims = self._segments[row["id"]]
            files = {name: each.model_dump() for name, each in claims.files.items()}
            return {**raised, "name": claims.name, "files": files}
        if table.name == "builds":
            return {**raised, "manifest_sha256": self._manifests[row["number"]][1]}
        return {**raised, **{name: self._moved(row[name]) for name in _URIS if name in row}}

    def _moved(self, uri: str | None) -> str | None:
        """Where an original of the gallery's own lies now; others are where they were."""
        before = self._found.contents.uploads
        if uri is None or before is None or not is_below(uri, before):
            return uri
        return str(self._folder.uploads) + uri[len(before) :]

    def _raises(self, table: Table) -> Iterator[tuple[str, int]]:
        """The columns that hold ids, and what is added to them."""
        for column in table.columns:
            if column.foreign_keys:
                (reference,) = column.foreign_keys
                yield column.name, self._offsets.get(reference.column.table.name, 0)
            elif column.name == "id":
                yield column.name, self._offsets.get(table.name, 0)

    def _read_segments(self) -> None:
        """What the segments are called now, and hold where ids are others."""
        (table,) = (each for each in tables() if each.name == "segments")
        for row in read_rows(table, self._found.rows("segments")):
            folder, name = self._found.folder / "segments" / row["name"], row["name"]
            files = {file: FileClaims.model_validate(claims) for file, claims in row["files"].items()}
            if by := self._offsets.get("contents", 0):
                files |= _raise_content_ids(folder, by)
            if self._offsets["segments"]:
                name = uuid.uuid4().hex
                folder.rename(folder.parent / name)
            new_id = row["id"] + self._offsets["segments"]
            self._segments[row["id"]] = SegmentClaims(id=new_id, name=name, rows=row["rows"], files=files)

    def _write_manifests(self) -> None:
        for number in self._found.contents.builds:
            path = self._found.folder / "builds" / f"{number}.json"
            old = Manifest.model_validate_json(path.read_bytes())
            segments = tuple(self._segments[each.id] for each in old.segments)
            index = claims_with(None, segments)  # the next run builds the main index again
            update = {"gallery": self._folder.name, "segments": segments, "index": index}
            new = old.model_copy(update=update)
            self._manifests[number] = new, write_manifest(path, new)

    def _place(self) -> None:
        remove(self._folder.path)  # what a deletion or a restoration that was killed left under this name
        unpacked_folder = self._found.folder
        for leftover in ("rows", "backup.json"):
            remove(unpacked_folder / leftover)
        synchronise(unpacked_folder)
        unpacked_folder.rename(self._folder.path)
        remove(self._folder.path / LOCK)  # not before: other restorations remove what nobody has locked
        synchronise(self._folder.path)
        synchronise(self._folder.path.parent)


def _raise_content_ids(folder: Path, by: int) -> dict[str, FileClaims]:
    """Raise the content ids in a segment; returns the claims of what was written."""
    ids = folder / CONTENT_IDS
    if ids.exists():
        np.save(ids, np.load(ids) + by)
        path = ids
    else:
        path = folder / OLD_INDEX
        index: Any = faiss.read_index(str(path))
        faiss.copy_array_to_vector(faiss.vector_to_array(index.id_map) + by, index.id_map)
        faiss.write_index(index, str(path))
    synchronise(path)
    return {path.name: FileClaims(bytes=path.stat().st_size, sha256=file_sha256(path))}
