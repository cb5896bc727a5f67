"""Tables of images: CSV (with commas, semicolons or tabs) or parquet, an image a row.

The column `path` or `uri` says where the image is, `label` what it shows, `group` what it belongs to; every
other column is an attribute that searches can be filtered by, and so is the group.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any

from gallery.errors import InvalidSource, OriginalUnavailable
from gallery.filters.attributes import MAX_COLUMNS, MAX_NAME, attributes_of, is_storable, text_of
from gallery.filters.conditions import LABEL
from gallery.sources.found import ListedFile
from gallery.sources.references import referred
from gallery.sources.texts import lines, name_of
from gallery.web.urls import shown

WHERE = ("path", "uri")
_BATCH = 1000
_PARQUET = ".parquet"
_SUFFIXES = (".csv", ".tsv", _PARQUET)


def is_table(uri: str) -> bool:
    """Whether it is named like a table."""
    return name_of(uri).lower().endswith(_SUFFIXES)


def read_table(file: IO[bytes], uri: str) -> Iterator[ListedFile]:
    """The images of a table that lies at `uri`, in its order, with what it says of them.

    Raises InvalidSource, naming line (in parquet, row) and column.
    """
    is_parquet = name_of(uri).lower().endswith(_PARQUET)
    rows = _parquet_rows(file, uri) if is_parquet else _csv_rows(file, uri)
    columns = next(rows)[1]
    where = _where(columns, uri)
    for row, cells in rows:
        yield _found(dict(zip(columns, cells, strict=True)), where, uri, row)


def _found(cells: Mapping[str, Any], where: str, uri: str, row: str) -> ListedFile:
    reference = text_of(cells[where]) if isinstance(cells[where], str) else None
    if reference is None:
        raise InvalidSource(f"{shown(uri)}, {row}, column {where}: it names no image.")
    others = {name: value for name, value in cells.items() if name not in {where, LABEL}}
    try:
        return referred(
            str(cells[where]).strip(),
            base=uri,
            label=text_of(cells.get(LABEL)),
            is_labelled=LABEL in cells,
            attributes=attributes_of(others),
        )
    except (InvalidSource, OriginalUnavailable) as error:
        raise InvalidSource(f"{shown(uri)}, {row}, column {where}: {error}") from error


def _where(columns: Sequence[str], uri: str) -> str:
    """The column that says where an image is; raises InvalidSource for a header that is none."""
    named = [name for name in WHERE if name in columns]
    told = ", ".join(repr(name) for name in columns[:MAX_COLUMNS])
    if len(named) != 1:
        fault = f"both {' and '.join(WHERE)}" if named else f"no column {' or '.join(WHERE)}"
        raise InvalidSource(
            f"{shown(uri)}, line 1: the header names {fault}, of which it needs one; it is {told}."
        )
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise InvalidSource(f"{shown(uri)}, line 1: the header names the column {twice!r} twice.")
    if not all(0 < len(name) <= MAX_NAME and is_storable(name) for name in columns):
        raise InvalidSource(
            f"{shown(uri)}, line 1: a column's name has 1 to {MAX_NAME} characters, none of them NUL; the "
            f"header is {told}."
        )
    if len(columns) > MAX_COLUMNS:
        raise InvalidSource(f"{shown(uri)} has {len(columns)} columns, and {MAX_COLUMNS} are allowed.")
    return named[0]


def _csv_rows(file: IO[bytes], uri: str) -> Iterator[tuple[str, list[Any]]]:
    """The header and the rows, each with its line."""
    text = lines(file, uri)
    header = next(text, "")
    reader = csv.reader(chain([header], text), delimiter=_delimiter(header), strict=True)
    count = 0
    while True:
        line = f"line {reader.line_num + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise InvalidSource(f"{shown(uri)}, {line}: it is no CSV ({error}).") from None
        if not any(cell.strip() for cell in cells):
            continue
        count = count or len(cells)
        if len(cells) != count:
            missing = f"{len(cells)} fields where the header has {count} columns"
            raise InvalidSource(f"{shown(uri)}, {line}: it has {missing}; quote what has a comma in it.")
        yield line, [cell.strip() for cell in cells] if line == "line 1" else cells
    if not count:
        raise InvalidSource(f"{shown(uri)} is empty; its first line names the columns.")


def _delimiter(header: str) -> str:
    """The sign between columns: the one that the header has most of."""
    return max(",", ";", "\t", key=header.count)


def _parquet_rows(file: IO[bytes], uri: str) -> Iterator[tuple[str, list[Any]]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise InvalidSource(
            f"{shown(uri)} needs pyarrow to be read: install whyalike with the extra parquet."
        ) from None
    try:
        table = parquet.ParquetFile(file)
        columns = list(table.schema_arrow.names)
        yield "line 1", columns
        row = 0
        for batch in table.iter_batches(batch_size=_BATCH):
            cells = [column.to_pylist() for column in batch.columns]
            for values in zip(*cells, strict=True):
                row += 1
                yield f"row {row}", list(values)
    except (ArrowException, OSError, ValueError) as error:
        told = " ".join(str(error).split())[:200]
        raise InvalidSource(f"{shown(uri)} is no parquet that can be read ({told}).") from error
