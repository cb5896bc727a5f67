"""Segments: immutable folders that hold what an encoder made of some contents; layout.py has their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from gallery.errors import CorruptGallery
from gallery.files import file_sha256, new_folder
from gallery.local_storage import DEFAULT, LocalStorage
from gallery.manifest import FileClaims, SegmentClaims
from gallery.segments.arrays import StoredArray
from gallery.segments.damage import is_intact
from gallery.segments.embeddings import Part
from gallery.segments.layout import CONTENT_IDS, DETAIL, EMBEDDINGS, OLD_INDEX, THUMBNAIL_STARTS, THUMBNAILS
from gallery.segments.local_embeddings import StoredLocalEmbeddings, storage_of, write_local_embeddings

UNIT_LENGTH_TOLERANCE = 1e-3
"""float32 norms are exact to about 1e-6; anything beyond this was not normalised at all."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedContent:
    """A content and what the encoder made of it.

    `embedding` (D,) float32 of unit length; `local_embeddings` (h, w, D) float32, finite; `thumbnail` the
    picture as the encoder saw it, as JPEG; `width` and `height` of the upright original in pixels; `detail`
    (h, w) uint8 how much there is to see in each cell.
    """

    checksum: str
    width: int
    height: int
    embedding: NDArray[np.float32]
    local_embeddings: NDArray[np.float32]
    thumbnail: bytes
    detail: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"An image has at least one pixel, not {self.width} × {self.height}.")
        if self.local_embeddings.ndim != 3 or self.embedding.shape != self.local_embeddings.shape[2:]:
            shapes = f"{self.embedding.shape} and {self.local_embeddings.shape}"
            raise ValueError(f"An embedding (D,) belongs to local embeddings (h, w, D), not {shapes}.")
        if self.detail is not None and self.detail.shape != self.local_embeddings.shape[:2]:
            raise ValueError(f"Detail is (h, w), like the grid {self.shape[:2]}, not {self.detail.shape}.")
        length = float(np.linalg.norm(self.embedding))
        if not abs(length - 1.0) <= UNIT_LENGTH_TOLERANCE:
            raise ValueError(f"An embedding has length 1, not {length}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(h, w, D)."""
        height, width, dimension = self.local_embeddings.shape
        return height, width, dimension


def write_segment(
    folder: Path,
    contents: Sequence[EmbeddedContent],
    content_ids: Sequence[int],
    *,
    storage: LocalStorage = DEFAULT,
) -> dict[str, FileClaims]:
    """Write contents of one shape durably into a new folder, row by row; returns its files' claims."""
    if len({content.shape for content in contents}) != 1:
        raise ValueError("A segment holds at least one content, and all of them by one encoder.")
    with new_folder(folder) as unfinished:
        _write(unfinished, contents, np.array(content_ids, dtype=np.int64))
        write_local_embeddings(unfinished, [content.local_embeddings for content in contents], storage)
        return {
            path.name: FileClaims(bytes=path.stat().st_size, sha256=file_sha256(path))
            for path in sorted(unfinished.iterdir())
        }


class Segment:
    """An opened segment: it holds no file open, so that a gallery may have any number of them."""

    def __init__(self, folder: Path, claims: SegmentClaims) -> None:
        if not is_intact(folder, claims.files):
            raise CorruptGallery(f"The segment {folder} is missing or incomplete; restore it or index again.")
        self._ids = folder / (CONTENT_IDS if CONTENT_IDS in claims.files else OLD_INDEX)
        self._embeddings = StoredArray(folder / EMBEDDINGS)
        storage = storage_of(claims.files)
        self._local_embeddings = None if storage == "none" else StoredLocalEmbeddings(folder, storage)
        self._detail = StoredArray(folder / DETAIL) if DETAIL in claims.files else None
        self._thumbnails = folder / THUMBNAILS
        self._thumbnail_starts = StoredArray(folder / THUMBNAIL_STARTS)

    @cached_property
    def part(self) -> Part:
        """All embeddings under their content ids, mapped; raises CorruptGallery."""
        ids = StoredArray(self._ids).mapped() if self._ids.name == CONTENT_IDS else _ids_of_old(self._ids)
        return Part(ids, self._embeddings.mapped())

    def embeddings(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """(n, D) float32."""
        return self._embeddings.rows(rows)

    def local_embeddings(self, rows: Sequence[int]) -> NDArray[np.float32] | None:
        """(n, h, w, D) float32; None in a segment that keeps none."""
        return None if self._local_embeddings is None else self._local_embeddings.rows(rows)

    def cell_detail(self, rows: Sequence[int]) -> NDArray[np.uint8] | None:
        """(n, h, w) uint8; None in a segment that was written before it was kept."""
        return None if self._detail is None else self._detail.rows(rows)

    def thumbnail(self, row: int) -> bytes:
        """JPEG."""
        start, end = self._thumbnail_starts.rows([row, row + 1]).tolist()
        with self._thumbnails.open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)


def _write(folder: Path, contents: Sequence[EmbeddedContent], content_ids: NDArray[np.int64]) -> None:
    embeddings = np.stack([content.embedding for content in contents]).astype(np.float32, copy=False)
    np.save(folder / EMBEDDINGS, embeddings)
    np.save(folder / CONTENT_IDS, content_ids)
    details = [content.detail for content in contents if content.detail is not None]
    if len(details) == len(contents):
        np.save(folder / DETAIL, np.stack(details).astype(np.uint8, copy=False))
    thumbnails = [content.thumbnail for content in contents]
    (folder / THUMBNAILS).write_bytes(b"".join(thumbnails))
    np.save(folder / THUMBNAIL_STARTS, np.cumsum([0, *map(len, thumbnails)], dtype=np.int64))


def _ids_of_old(path: Path) -> NDArray[np.int64]:
    """Content ids by row, from the index that a segment of old has."""
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        ids: NDArray[np.int64] = faiss.vector_to_array(index.id_map)  # type: ignore[attr-defined]
    except (RuntimeError, AttributeError) as error:
        raise CorruptGallery(
            f"{path} cannot be opened as an index; restore the file or index again."
        ) from error
    return ids
