"""From what was asked with to what a scorer sees of it: decode, prepare, embed; or read what is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.sources.scanning import checksum
from search_api.loaded.encoders import LoadedEncoders
from search_api.queries.blending import blended
from search_api.queries.parts import PartReader
from search_api.queries.pictures import Picture, picture_sent
from search_api.queries.recomputing import Recomputer
from search_api.queries.subjects import Asked, Cells, Part, Several, Stored, Subject, Upload
from search_api.scoring import Floats
from search_api.settings import SearchSettings
from search_api.stopwatch import Stopwatch
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.preparing import Prepared
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import ScaledImage


class SubjectReader:
    """Reads what questions are asked with; no more pictures are decoded at once than there are slots."""

    def __init__(
        self, encoders: LoadedEncoders, decoding: threading.BoundedSemaphore, settings: SearchSettings
    ) -> None:
        self._encoders = encoders
        self._recomputer = Recomputer(encoders, decoding, slots=settings.decoding_slots)
        self._parts = PartReader(encoders, decoding, settings)
        self._decoding = decoding
        self._settings = settings

    def subject(self, asked: Asked, build: Build, preprocessing: Preprocessing, clock: Stopwatch) -> Subject:
        """The picture as the build's encoder sees it; content that the build holds has one embedding, its.

        Raises UnreadableImage, ZeroEmbedding, ImageNotFound, and InvalidQuestion for a part that is none and
        for several pictures that cancel each other out.
        """
        if isinstance(asked, Several):
            each = [self.subject(one.asked, build, preprocessing, clock) for one in asked.queries]
            return blended(each, [one.weight for one in asked.queries])
        if isinstance(asked, Part):
            return self._parts.subject(asked, build, clock)
        if isinstance(asked, Stored):
            return self.stored([asked.image_id], build)[0]
        assert isinstance(asked, Upload)  # what was linked to has been fetched
        known = build.with_checksum(checksum(asked.data))
        if not known:
            return self.embedded(asked, self._encoders.of(build), clock)
        with clock.stage("decode"), self._decoding:
            image = self._decoded(asked, preprocessing)
            shown = self._shown(image, asked, preprocessing)

        def recompute() -> list[Cells]:
            with clock.stage("embed"):
                return [self._recomputer.from_upload(image, build)]

        embeddings = build.embeddings([known[0].image_id])
        stored = _subjects(known[:1], embeddings, build, recompute)
        return replace(stored[0], uri=asked.uri, upload=shown, stored=None)

    def stored(self, image_ids: Sequence[int], build: Build) -> list[Subject]:
        """These images of the build, in this order; raises ImageNotFound, also for one that was removed.

        Where the build keeps no local embeddings, they are computed again from the pictures, in one batch.
        """
        return self.subjects_of(build.shown(image_ids), build.embeddings(image_ids), build)

    def subjects_of(self, images: Sequence[GalleryImage], embeddings: Floats, build: Build) -> list[Subject]:
        """The same for images that were looked up before, with their exact embeddings (n, D)."""
        return _subjects(
            images, embeddings, build, lambda: self._recomputer.from_pictures(images, build, embeddings)
        )

    def embedded(self, upload: Upload, encoder: Encoder, clock: Stopwatch) -> Subject:
        """The picture as this encoder sees it; raises UnreadableImage, ZeroEmbedding."""
        with clock.stage("decode"), self._decoding:
            prepared, shown = self._prepared(upload, encoder)
        with clock.stage("embed"):
            embedding, local_embeddings = self._encoders.embed(encoder, prepared)
        name = checksum(upload.data)
        return Subject(
            name,
            upload.uri,
            encoder.fingerprint,
            embedding,
            local_embeddings,
            "upload",
            upload=shown,
            detail=prepared.detail,
        )

    def _prepared(self, upload: Upload, encoder: Encoder) -> tuple[Prepared, Picture]:
        """What is embedded and what is drawn on; of an upload nothing that was decoded stays in memory."""
        image = self._decoded(upload, encoder.preprocessing)
        return encoder.prepare(image), self._shown(image, upload, encoder.preprocessing)

    def _decoded(self, upload: Upload, preprocessing: Preprocessing) -> ScaledImage:
        try:
            return decode_for(upload.data, preprocessing, limits=self._settings.upload_limits)
        except UnreadableImage as error:
            raise UnreadableImage(f"{upload.uri or 'the upload'}: {error.reason}") from error

    def _shown(self, image: ScaledImage, upload: Upload, preprocessing: Preprocessing) -> Picture:
        limits, side = self._settings.upload_limits, self._settings.overlay_max_side
        placement = preprocessing.placement(*image.size)
        return picture_sent(upload.data, placement, limits=limits, max_side=side)


def _subjects(
    images: Sequence[GalleryImage],
    embeddings: Floats,
    build: Build,
    recompute: Callable[[], list[Cells]],
) -> list[Subject]:
    """The images with the local embeddings that the build keeps, or those that are computed again."""
    image_ids = [image.image_id for image in images]
    kept = build.local_embeddings(image_ids)
    cells = recompute() if kept is None else [Cells(each, "stored") for each in kept]
    return [
        Subject(
            image.checksum,
            image.uri,
            build.fingerprint,
            embedding,
            each.local_embeddings,
            each.computed_from,
            stored=image,
            detail=detail,
        )
        for image, embedding, each, detail in zip(
            images, embeddings, cells, build.cell_detail(image_ids), strict=True
        )
    ]
