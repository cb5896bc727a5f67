"""The pictures that `compare --grid` asks for: one query against many images, or many random pairs."""

import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from explain.grid import TILE, comparison_grid
from explain.judged import Judged, JudgedImage, JudgedPair
from explain.montage import pair_montage
from explain.panels import Shown
from search_api.queries.subjects import Upload
from search_api.schemas.search import CompareResponse, MatchSchema
from siamese.images import ImageLimits, decode, read
from siamese.preprocessing import Preprocessing
from whyalike.comparison_tables import how_many_right, ordered_by
from whyalike.errors import UsageError
from whyalike.sampled_pairs import PairedImage, SampledPair, SampledPairs
from whyalike.tables import stands_on

MOST_DRAWN = 100
"""Images or pairs in one picture: more make one that no viewer opens gladly."""
SUFFIXES = (".png", ".jpg", ".jpeg")
SHARPNESS = 2
"""Pixels kept of a picture for each one of its tile, so that large ones take little memory."""


def checked_picture(path: Path | None) -> Path | None:
    """The path of a picture to write; raises UsageError where its name says no format that we write."""
    if path is not None and path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--grid writes a PNG or a JPEG: {path} must end in {', '.join(SUFFIXES)}")
    return path


def write_grid(
    path: Path,
    query: Upload,
    images: Sequence[Upload],
    answers: Sequence[CompareResponse],
    *,
    preprocessing: Preprocessing,
    limits: ImageLimits,
) -> Path:
    """Writes one picture of a query and the images it was compared with; `answers` are in their order."""
    names = short_names([each.uri or "" for each in (query, *images)])

    def shown(upload: Upload, name: str) -> Shown:
        return _shown(decode(upload.data, limits=limits), name, preprocessing)

    compared = [
        JudgedImage(shown(image, name), _judged(answer))
        for image, name, answer in list(zip(images, names[1:], answers, strict=True))[:MOST_DRAWN]
    ]
    heading = f"{_first(len(compared), len(images))} images, {ordered_by(answers[0])}"
    note = stands_on(answers[0].calibration, answers[0].threshold)
    return _written(path, comparison_grid(shown(query, names[0]), compared, heading=heading, note=note))


def write_montage(
    path: Path, sampled: SampledPairs, *, preprocessing: Preprocessing, limits: ImageLimits
) -> Path:
    """Writes one picture of random pairs."""

    def shown(image: PairedImage) -> Shown:
        picture = decode(read(image.path, limits=limits), limits=limits)
        return _shown(picture, image.path.name, preprocessing, image.label)

    drawn = [
        JudgedPair(shown(pair.first), shown(pair.second), _judged(pair), pair.same)
        for pair in sampled.pairs[:MOST_DRAWN]
    ]
    notes = (
        f"{_first(len(drawn), len(sampled.pairs))} random pairs of {sampled.folder}, seed {sampled.seed}",
        f"Judged by {sampled.encoder.name}: {stands_on(sampled.calibration, sampled.threshold)}",
    )
    return _written(path, pair_montage(drawn, heading=how_many_right(sampled.counts), notes=notes))


def short_names(uris: Sequence[str]) -> list[str]:
    """The paths as they go on below the folder that all of them lie in."""
    common = os.path.commonpath([Path(uri).parent for uri in uris])
    return [os.path.relpath(uri, common) if uri else uri for uri in uris]


def _first(drawn: int, all_of_them: int) -> str:
    return str(drawn) if drawn == all_of_them else f"The first {drawn} of {all_of_them}"


def _judged(answer: MatchSchema | SampledPair) -> Judged:
    return Judged(answer.distance, answer.similarity, answer.probability, answer.verdict)


def _shown(image: Image.Image, name: str, preprocessing: Preprocessing, label: str | None = None) -> Shown:
    placement = preprocessing.placement(*image.size)
    image.thumbnail((SHARPNESS * TILE, SHARPNESS * TILE), Image.Resampling.LANCZOS)
    return Shown(image, placement, name, label)


def _written(path: Path, picture: Image.Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)
    return path
