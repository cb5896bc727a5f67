"""A published build: an immutable state of a gallery that can be searched and looked into."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from gallery.builds.image import GalleryImage
from gallery.builds.readers import Reading
from gallery.builds.whereabouts import Whereabouts, by_segment
from gallery.database import reading
from gallery.errors import EncoderMismatch, ImageNotFound
from gallery.fate import Fate, fate_of_image, fate_of_place
from gallery.filters.conditions import Where
from gallery.folders import GalleryFolder
from gallery.index.candidates import Candidate, Proposal, propose
from gallery.index.exact_index import ExactIndex
from gallery.index.narrowing import Narrowing, labelled
from gallery.index.opening import opened_index
from gallery.manifest import Manifest
from gallery.membership import every_member, members_with_checksum, members_with_ids, removed_among
from gallery.segments.damage import damaged
from gallery.segments.segment import Segment
from gallery.site import Site


class Build:
    """One build, read-only and safe for many threads; what it returns are copies, valid after closing.

    Methods that take image ids answer in their order and raise ImageNotFound for one that is not live in
    this build, even if it lives in another.
    """

    def __init__(
        self,
        folder: GalleryFolder,
        engine: Engine,
        gallery_id: int,
        manifest: Manifest,
        *,
        reading: Reading | None = None,
        on_gpu: bool = False,
    ) -> None:
        """`reading` keeps its files and rows where they are until it is closed."""
        self.gallery = manifest.gallery
        self.number = manifest.build
        self.encoder_name = manifest.encoder.name
        self.fingerprint = manifest.encoder.fingerprint
        self.checkpoint: Path = folder.encoder(manifest.encoder.folder)
        self.grid: tuple[int, int] = manifest.encoder.grid
        self.dimension = manifest.encoder.dimension
        self.manifest = manifest
        self._folder = folder
        self._engine = engine
        self._gallery_id = gallery_id
        self._segments = {each.id: Segment(folder.segment(each.name), each) for each in manifest.segments}
        self._index = opened_index(folder, manifest, self._segments, on_gpu=on_gpu)
        self._reading = reading
        self._closed = False
        self._whereabouts = Whereabouts(engine, gallery_id, self.number, set(self._segments))
        self.narrowing = Narrowing(engine, gallery_id, self.number, gallery=self.gallery)

    @property
    def site(self) -> Site:
        """Where its gallery is."""
        return Site(self._folder, self._engine, self._gallery_id)

    def __len__(self) -> int:
        """How many images can be found."""
        return self.manifest.images

    def __iter__(self) -> Iterator[GalleryImage]:
        """Every image, by image_id; they are read some at a time."""
        rows = every_member(self._engine, self._gallery_id, self.number)
        yield from (GalleryImage(*row) for row in rows)

    def labels(self) -> dict[str, int]:
        """How many images each label has; unlabelled images are left out."""
        return dict(self.narrowing.labels)

    def search(
        self,
        embedding: NDArray[np.float32],
        *,
        count: int,
        labels: Collection[str] | None = None,
        where: Where = (),
        fingerprint: str,
    ) -> list[Candidate]:
        """The `count` live images nearest to the embedding (D,), with one of `labels` if they are given.

        Only images that satisfy all conditions of `where` are found, whatever else shows their content.
        Sorted by (index_distance, image_id), each image once; fewer only if fewer exist. Every place of a
        content is an image of its own. Raises EncoderMismatch if `fingerprint`, which the query was embedded
        by, is not the build's, InvalidFilter for an attribute that no image has.
        """
        where = where if labels is None else (*labelled(labels), *where)
        return self.propose(embedding, count=count, where=where, fingerprint=fingerprint).candidates

    def propose(
        self,
        embedding: NDArray[np.float32],
        *,
        count: int,
        where: Where = (),
        fold: bool = False,
        fingerprint: str,
    ) -> Proposal:
        """The same, and whether it was exhaustive; with `fold` so many contents, each by its first image."""
        self._require_encoder(fingerprint)
        return propose(self._index, self.narrowing, embedding, count=count, where=where, fold=fold)

    def search_exactly(
        self, embedding: NDArray[np.float32], *, count: int, where: Where = (), fingerprint: str
    ) -> list[Candidate]:
        """The same by the exact distance of every embedding, which the index is measured against."""
        self._require_encoder(fingerprint)
        exact = ExactIndex(self.dimension, [segment.part for segment in self._segments.values()])
        return propose(exact, self.narrowing, embedding, count=count, where=where).candidates

    def fate(self, image: int | str) -> Fate:
        """What became of an image until this build; it is named by its id or its uri."""
        with self._engine.connect() as connection:
            if isinstance(image, int):
                return fate_of_image(connection, self._gallery_id, self.number, image)
            return fate_of_place(connection, self._gallery_id, self.number, image)

    def embeddings(self, image_ids: Sequence[int]) -> NDArray[np.float32]:
        """(n, D) float32, exact."""
        found = np.empty((len(image_ids), self.dimension), np.float32)
        for segment, positions, rows in self._grouped(image_ids):
            found[positions] = segment.embeddings(rows)
        return found

    def holds(self, image_ids: Sequence[int]) -> list[int]:
        """Those of the images, in their order, that the build has the embedding of."""
        held = self._whereabouts.of(image_ids)
        return [image_id for image_id in image_ids if image_id in held]

    def local_embeddings(self, image_ids: Sequence[int]) -> NDArray[np.float32] | None:
        """(n, h, w, D) float32, as rounded as they are kept; zero exactly where the encoder saw nothing.

        None where the build keeps none: they are then computed again from the pictures.
        """
        found = np.empty((len(image_ids), *self.grid, self.dimension), np.float32)
        for segment, positions, rows in self._grouped(image_ids):
            local_embeddings = segment.local_embeddings(rows)
            if local_embeddings is None:
                return None
            found[positions] = local_embeddings
        return None if self.manifest.local_embeddings == "none" else found

    def cell_detail(self, image_ids: Sequence[int]) -> list[NDArray[np.uint8] | None]:
        """How much there is to see in each cell, (h, w) uint8: the standard deviation of luminance in it.

        None for an image that was indexed before this was kept.
        """
        found: list[NDArray[np.uint8] | None] = [None] * len(image_ids)
        for segment, positions, rows in self._grouped(image_ids):
            details = segment.cell_detail(rows)
            if details is not None:
                for position, detail in zip(positions, details, strict=True):
                    found[position] = detail
        return found

    def images(self, image_ids: Sequence[int]) -> list[GalleryImage]:
        """Places, labels, sizes and attributes."""
        told = self.narrowing.attributes(image_ids)
        with reading(self._engine) as connection:
            rows = members_with_ids(connection, self._gallery_id, self.number, set(image_ids))
            found = {row.image_id: GalleryImage(*row, told.get(row.image_id, {})) for row in rows}
        self._require_found(image_ids, found)
        return [found[image_id] for image_id in image_ids]

    def image(self, image_id: int) -> GalleryImage:
        """One of the images that are `shown`."""
        return self.shown([image_id])[0]

    def shown(self, image_ids: Sequence[int]) -> list[GalleryImage]:
        """Places, labels, sizes and attributes; ImageNotFound, too, for one that a person has removed."""
        with reading(self._engine) as connection:
            for image_id in sorted(removed_among(connection, image_ids)):
                raise ImageNotFound(f"Image {image_id} was removed from the gallery {self.gallery!r}.")
        return self.images(image_ids)

    def with_checksum(self, checksum: str) -> list[GalleryImage]:
        """The images that show this content, by image_id; empty if there is none."""
        with reading(self._engine) as connection:
            rows = members_with_checksum(connection, self._gallery_id, self.number, checksum)
            return [GalleryImage(*row) for row in rows]

    def thumbnail(self, image_id: int) -> bytes:
        """The picture as the encoder saw it, as JPEG."""
        return self.thumbnails([image_id])[0]

    def thumbnails(self, image_ids: Sequence[int]) -> list[bytes]:
        """The same of several images."""
        found = [b""] * len(image_ids)
        for segment, positions, rows in self._grouped(image_ids):
            for position, row in zip(positions, rows, strict=True):
                found[position] = segment.thumbnail(row)
        return found

    def corrupt_files(self) -> list[Path]:
        """The build's files that are missing or not what was written; reads every byte of the gallery."""
        folders = [(self._folder.segment(each.name), each.files) for each in self.manifest.segments]
        if main := self.manifest.index.main:
            folders.append((self._folder.index(main.name), main.files))
        return [path for folder, files in folders for path, _ in damaged(folder, files, quick=False)]

    def close(self) -> None:
        """Let go of the mapped index once running calls are done; searching it then is a ValueError."""
        self._closed = True
        self._segments = {}
        self._index = ExactIndex(self.dimension, [])
        if self._reading is not None:
            self._reading.end()

    def _grouped(self, image_ids: Sequence[int]) -> list[tuple[Segment, list[int], list[int]]]:
        segments = self._segments
        self._require_open()
        where = self._whereabouts.of(image_ids)
        self._require_found(image_ids, where)
        return [(segments[each], positions, rows) for each, positions, rows in by_segment(where, image_ids)]

    def _require_encoder(self, fingerprint: str) -> None:
        self._require_open()
        if fingerprint != self.fingerprint:
            raise EncoderMismatch(
                f"The query was embedded by {fingerprint[:12]}, but build {self.number} of {self.gallery!r} "
                f"by {self.fingerprint[:12]} ({self.encoder_name}); embed it with the build's own checkpoint."
            )

    def _require_open(self) -> None:
        if self._closed:
            raise ValueError(f"Build {self.number} of the gallery {self.gallery!r} is closed; open it again.")

    def _require_found(self, image_ids: Iterable[int], found: Collection[int]) -> None:
        missing = next((image_id for image_id in image_ids if image_id not in found), None)
        if missing is not None:
            raise ImageNotFound(
                f"Build {self.number} of the gallery {self.gallery!r} has no image {missing}."
            )
