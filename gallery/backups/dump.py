"""The rows of one gallery as lines of JSON, in no database's own format, and back into any database."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, insert, select

from gallery.membership import CHUNK, chunks
from gallery.records.base import UtcDateTime
from gallery.records.builds import BuildRecord, BuildSegmentRecord
from gallery.records.metadata import metadata

PASSING = frozenset(
    {
        "leases",
        "findings",
        "successors",
        "refused_contents",
        "indexes",
        "build_indexes",
        "jobs",
        "job_errors",
        "keys",
        "sessions",
        "kept_queries",
    }
)
"""What only a run or a swap in progress knows of, main indexes (they are built again), and what is of no
gallery: jobs, keys, kept queries.
"""

Row = dict[str, Any]


class Written(NamedTuple):
    """How many rows were written, and which ids they have (0 and 0 where a table has none of its own)."""

    rows: int
    least: int
    greatest: int


def tables() -> list[Table]:
    """The tables that a backup holds, each after those that it refers to."""
    return [table for table in metadata().sorted_tables if table.name not in PASSING]


def write_rows(connection: Connection, table: Table, gallery_id: int, path: Path) -> Written:
    """Write what the kept builds of a gallery stand on of this table, a row a line."""
    count, least, greatest = 0, 0, 0
    statement = select(table).where(_owned(table, gallery_id)).order_by(*table.primary_key.columns)
    with path.open("w", encoding="utf-8") as stream:
        streamed = connection.execution_options(yield_per=CHUNK).execute(statement)
        for row in streamed.mappings():
            stream.write(json.dumps({name: _plain(value) for name, value in row.items()}) + "\n")
            count, greatest = count + 1, row.get("id", 0)
            least = least or greatest
    return Written(count, least, greatest)


def read_rows(table: Table, path: Path) -> Iterator[Row]:
    """The rows of a table, as `write_rows` wrote them."""
    times = [column.name for column in table.columns if isinstance(column.type, UtcDateTime)]
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            row: Row = json.loads(line)
            yield {**row, **{name: _time(row[name]) for name in times}}


def insert_rows(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Put rows into a table, a chunk at a time."""
    for chunk in chunks(rows):
        connection.execute(insert(table), chunk)


def _owned(table: Table, gallery_id: int) -> ColumnElement[bool]:
    """The condition that a row is of the gallery, and of a kept build where it is of a segment."""
    if table.name == "galleries":
        return table.c.id == gallery_id
    if table.name == "segments":
        return table.c.id.in_(_named_segments(gallery_id))
    if "gallery_id" in table.columns:
        return table.c.gallery_id == gallery_id
    column = next(column for column in table.columns if column.foreign_keys)
    (reference,) = column.foreign_keys
    parent = reference.column.table
    return column.in_(select(parent.c.id).where(_owned(parent, gallery_id)))


def _named_segments(gallery_id: int) -> Select[int]:
    return (
        select(BuildSegmentRecord.segment_id)
        .join(BuildRecord, BuildRecord.id == BuildSegmentRecord.build_id)
        .where(BuildRecord.gallery_id == gallery_id)
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
