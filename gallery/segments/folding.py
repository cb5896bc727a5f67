"""Rows of some segments copied into a new one, as they are: nothing is embedded, rounded or decoded again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from gallery.files import file_sha256, new_folder
from gallery.local_storage import LocalStorage
from gallery.manifest import FileClaims
from gallery.segments.arrays import StoredArray
from gallery.segments.layout import CONTENT_IDS, DETAIL, EMBEDDINGS, THUMBNAIL_STARTS, THUMBNAILS
from gallery.segments.local_embeddings import FILES, SCALES

COPIED_AT_ONCE = 256
"""Rows: some megabytes, whatever the size of the segments."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptRows:
    """The rows of a segment that are to be kept, and the ids of their contents, (n,) int64 each."""

    folder: Path
    rows: NDArray[np.int64]
    content_ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def chunks(self) -> Iterator[list[int]]:
        """The rows, COPIED_AT_ONCE at a time."""
        for start in range(0, len(self.rows), COPIED_AT_ONCE):
            yield self.rows[start : start + COPIED_AT_ONCE].tolist()


def fold(folder: Path, kept: Sequence[KeptRows], *, storage: LocalStorage) -> dict[str, FileClaims]:
    """Write a new segment of these rows durably, in bounded memory; returns its files' claims.

    All of them keep local embeddings in this storage. Detail is kept where all of them have it.
    """
    names = [EMBEDDINGS, *([] if storage == "none" else [FILES[storage], SCALES])]
    if all((each.folder / DETAIL).exists() for each in kept):
        names.append(DETAIL)
    with new_folder(folder) as unfinished:
        for name in names:
            _copy_array(unfinished / name, name, kept)
        np.save(unfinished / CONTENT_IDS, np.concatenate([each.content_ids for each in kept]))
        _copy_thumbnails(unfinished, kept)
        return {
            path.name: FileClaims(bytes=path.stat().st_size, sha256=file_sha256(path))
            for path in sorted(unfinished.iterdir())
        }


def _copy_array(target: Path, name: str, kept: Sequence[KeptRows]) -> None:
    first = StoredArray(kept[0].folder / name).rows(kept[0].rows[:1].tolist())
    header = {
        "descr": npy.dtype_to_descr(first.dtype),
        "fortran_order": False,
        "shape": (sum(map(len, kept)), *first.shape[1:]),
    }
    with target.open("wb") as stream:
        npy.write_array_header_1_0(stream, header)
        for each in kept:
            stored = StoredArray(each.folder / name)
            for rows in each.chunks():
                stream.write(np.ascontiguousarray(stored.rows(rows)).tobytes())


def _copy_thumbnails(target: Path, kept: Sequence[KeptRows]) -> None:
    lengths: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
    with (target / THUMBNAILS).open("wb") as stream:
        for each in kept:
            starts = StoredArray(each.folder / THUMBNAIL_STARTS)
            with (each.folder / THUMBNAILS).open("rb") as source:
                for rows in each.chunks():
                    begins, ends = starts.rows(rows), starts.rows([row + 1 for row in rows])
                    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
                        source.seek(begin)
                        stream.write(source.read(end - begin))
                    lengths.append(ends - begins)
    np.save(target / THUMBNAIL_STARTS, np.cumsum(np.concatenate(lengths), dtype=np.int64))
