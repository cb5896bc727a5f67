"""From what was asked with to what a scorer sees of it: decode, prepare, embed; or read what is stored."""

from __future__ import annotations

import threading
from dataclasses import replace

from PIL.Image import Image

from gallery.build import Build
from gallery.scanning import checksum
from search_api.encoders import LoadedEncoders
from search_api.pictures import Picture, uploaded_picture
from search_api.settings import SearchSettings
from search_api.stopwatch import Stopwatch
from search_api.subjects import Asked, Stored, Subject, Upload, stored_subjects
from siamese.encoder import Encoder, Prepared
from siamese.errors import UnreadableImage
from siamese.images import decode
from siamese.preprocessing import Preprocessing


class SubjectReader:
    """Reads what questions are asked with; no more pictures are decoded at once than there are slots."""

    def __init__(
        self, encoders: LoadedEncoders, decoding: threading.BoundedSemaphore, settings: SearchSettings
    ) -> None:
        self._encoders = encoders
        self._decoding = decoding
        self._settings = settings

    def subject(self, asked: Asked, build: Build, preprocessing: Preprocessing, clock: Stopwatch) -> Subject:
        """The picture as the build's encoder sees it; content that the build holds has one embedding, its.

        Raises UnreadableImage, ZeroEmbedding, ImageNotFound.
        """
        if isinstance(asked, Stored):
            return stored_subjects(build, [asked.image_id])[0]
        known = build.with_checksum(checksum(asked.data))
        if not known:
            return self.embedded(asked, self._encoders.of(build), clock)
        with clock.stage("decode"), self._decoding:
            shown = self._shown(self._decoded(asked), preprocessing)
        stored = stored_subjects(build, [known[0].image_id])[0]
        return replace(stored, uri=asked.uri, upload=shown, stored=None)

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
            upload=shown,
            detail=prepared.detail,
        )

    def _prepared(self, upload: Upload, encoder: Encoder) -> tuple[Prepared, Picture]:
        """What is embedded and what is drawn on; nothing else of an upload stays in memory."""
        image = self._decoded(upload)
        return encoder.prepare(image), self._shown(image, encoder.preprocessing)

    def _decoded(self, upload: Upload) -> Image:
        try:
            return decode(upload.data, limits=self._settings.upload_limits)
        except UnreadableImage as error:
            raise UnreadableImage(f"{upload.uri or 'the upload'}: {error.reason}") from error

    def _shown(self, image: Image, preprocessing: Preprocessing) -> Picture:
        return uploaded_picture(image, preprocessing, max_side=self._settings.overlay_max_side)
