"""Local embeddings of images whose gallery keeps none: computed again, from the pictures.

From the original while its bytes are those that were indexed, which gives what indexing threw away to the
last bit; else from the thumbnail, which is near it; and where that cannot be read either, from nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from search_api.errors import PictureUnavailable
from search_api.loaded.encoders import LoadedEncoders
from search_api.queries.pictures import ORIGINAL_LIMITS, original, thumbnail_image
from search_api.queries.subjects import Cells
from search_api.schemas.base import ComputedFrom
from search_api.scoring import Floats
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.preparing import Prepared
from siamese.scaled_image import AnyImage
from siamese.threads import in_threads


class Recomputer:
    """Computes local embeddings again; no more pictures are decoded at once than there are slots."""

    def __init__(self, encoders: LoadedEncoders, decoding: threading.BoundedSemaphore, *, slots: int) -> None:
        self._encoders = encoders
        self._decoding = decoding
        self._slots = slots

    def from_upload(self, image: AnyImage, build: Build) -> Cells:
        """Those of a picture that was sent, by the build's encoder."""
        encoder = self._encoders.of(build)
        return Cells(self._encoders.local_embeddings(encoder, [encoder.prepare(image)])[0], "upload")

    def from_pictures(self, images: Sequence[GalleryImage], build: Build, embeddings: Floats) -> list[Cells]:
        """Those of images of the build with these embeddings (n, D), by its encoder, in one batch.

        A picture that cannot be read has its embedding in every cell, so that the numbers of its pairs hold.
        """
        encoder = self._encoders.of(build)

        def read(image: GalleryImage) -> tuple[Prepared | None, ComputedFrom]:
            with self._decoding:
                return _prepared(image, build, encoder)

        pictures = list(in_threads(read, images, ahead=self._slots, threads=self._slots))
        computed = self._encoders.local_embeddings(encoder, [each for each, _ in pictures if each])
        ordered = iter(computed)
        return [
            Cells(np.broadcast_to(embedding, (*build.grid, build.dimension)), source)
            if prepared is None
            else Cells(next(ordered), source)
            for (prepared, source), embedding in zip(pictures, embeddings, strict=True)
        ]


def _prepared(image: GalleryImage, build: Build, encoder: Encoder) -> tuple[Prepared | None, ComputedFrom]:
    """The picture as the encoder takes it, and which it is; None where there is none any more."""
    data = original(image).data
    with suppress(UnreadableImage):
        if data is not None:
            seen = decode_for(data, encoder.preprocessing, limits=ORIGINAL_LIMITS)
            return encoder.prepare(seen), "original"
    with suppress(PictureUnavailable):
        return encoder.prepare(thumbnail_image(image, build)), "thumbnail"
    return None, "nothing"
