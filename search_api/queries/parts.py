"""Parts of pictures as a scorer sees them: cropped, masked regions left out, and always embedded anew."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from PIL import Image

from gallery.builds.build import Build
from gallery.sources.scanning import checksum
from search_api.errors import InvalidQuestion
from search_api.loaded.encoders import LoadedEncoders
from search_api.queries.pictures import drawable_picture, stored_image
from search_api.queries.subjects import Cut, Part, Stored, Subject, Upload
from search_api.regions import Edges, Size, in_pixels
from search_api.schemas.base import DrawnOn
from search_api.settings import SearchSettings
from search_api.stopwatch import Stopwatch
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.masking import Region, without
from siamese.preparing import Prepared
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import AnyImage, ScaledImage


@dataclass(frozen=True, slots=True, eq=False)
class _Original:
    """A picture as it was decoded; regions of it are told in its own size, also where it is a thumbnail."""

    image: ScaledImage
    checksum: str
    uri: str | None
    source: DrawnOn


class PartReader:
    """Reads parts of pictures; no more are decoded at once than there are slots."""

    def __init__(
        self, encoders: LoadedEncoders, decoding: threading.BoundedSemaphore, settings: SearchSettings
    ) -> None:
        self._encoders = encoders
        self._decoding = decoding
        self._settings = settings

    def subject(self, asked: Part, build: Build, clock: Stopwatch) -> Subject:
        """The part as the build's encoder sees it.

        Raises UnreadableImage, ZeroEmbedding, ImageNotFound, and InvalidQuestion where regions lie outside
        of the picture or leave nothing of it.
        """
        encoder = self._encoders.of(build)
        with clock.stage("decode"), self._decoding:
            found = self._original(asked, build, encoder.preprocessing)
            cut = _cut(asked, found.image.size)
            image = _cropped(found.image, cut.crop) if cut.crop else found.image
            prepared = _prepared(image, cut, encoder)
            shown = drawable_picture(
                image, encoder.preprocessing, max_side=self._settings.overlay_max_side, drawn_on=found.source
            )
        with clock.stage("embed"):
            embedding, local_embeddings = self._encoders.embed(encoder, prepared)
        return Subject(
            found.checksum,
            found.uri,
            encoder.fingerprint,
            embedding,
            local_embeddings,
            found.source,
            upload=shown,
            detail=prepared.detail,
            cut=cut,
        )

    def _original(self, asked: Part, build: Build, preprocessing: Preprocessing) -> _Original:
        """The picture as the encoder is given it; for a crop in full, because a part may be small."""
        if asked.crop:
            preprocessing = preprocessing.model_copy(update={"reducing_gap": 0.0})
        if isinstance(asked.of, Stored):
            stored = build.image(asked.of.image_id)
            image, source = stored_image(stored, build, preprocessing)
            return _Original(image, stored.checksum, stored.uri, source)
        assert isinstance(asked.of, Upload)  # what was linked to has been fetched
        try:
            image = decode_for(asked.of.data, preprocessing, limits=self._settings.upload_limits)
        except UnreadableImage as error:
            raise UnreadableImage(f"{asked.of.uri or 'the upload'}: {error.reason}") from error
        return _Original(image, checksum(asked.of.data), asked.of.uri, "upload")


def _cropped(image: ScaledImage, crop: Edges) -> Image.Image:
    return image.pixels.crop(in_pixels(crop, image.pixels.size))


def _cut(asked: Part, size: Size) -> Cut:
    crop = asked.crop.shares(size) if asked.crop else None
    pixels = in_pixels(crop, size) if crop else None
    return Cut(crop, pixels, tuple(each.shares(size) for each in asked.masked))


def _prepared(image: AnyImage, cut: Cut, encoder: Encoder) -> Prepared:
    prepared = encoder.prepare(image)
    if not cut.masked:
        return prepared
    regions = [_within(each, cut.crop or (0, 0, 1, 1), image.size) for each in cut.masked]
    left = without(prepared, regions, size=image.size, preprocessing=encoder.preprocessing)
    if not left.seen.any():
        raise InvalidQuestion(
            f"The {len(regions)} masked regions leave nothing of the query to be asked with: mask less of it."
        )
    return left


def _within(region: Edges, crop: Edges, size: Size) -> Region:
    """A region in shares of the whole picture, in pixels of its crop of this size."""
    left, top, right, bottom = crop
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    return (
        (region[0] - left) * across,
        (region[1] - top) * down,
        (region[2] - left) * across,
        (region[3] - top) * down,
    )
