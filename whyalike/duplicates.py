"""Near-duplicates of a gallery: groups of images that hold the same shot, by what the gallery has stored."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.near_duplicates import SIDE, near_duplicates
from siamese.images import decode
from siamese.progress import Progress
from siamese.threads import in_threads
from siamese.units import connected
from whyalike.gallery_groups import GroupedImage, print_groups
from whyalike.tables import UNKNOWN

READ_AHEAD = 64
"""Thumbnails made before they are asked for: enough for the threads, little enough for memory."""


CONFIRMED = (
    "Images of one group hold the same shot: the same bytes, or re-encoded, resized or recoloured. The one "
    "with the most pixels comes first, and distances are from it."
)


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Images that hold the same shot, the one with the most pixels first, and `distance` from that one.

    `labels` are all that they have: more than one means that somebody has called the same shot two things.
    Each is a near-duplicate of some other, not of every other.
    """

    images: tuple[GroupedImage, ...]
    labels: tuple[str, ...]
    contents: int

    @property
    def heading(self) -> str:
        """What people call it: its labels."""
        return ", ".join(self.labels) or UNKNOWN


@dataclass(frozen=True, slots=True)
class DuplicateReport:
    """The groups of a build, the largest first; `extra` are the images beyond the first of each group."""

    gallery: str
    build: int
    images: int
    groups: tuple[DuplicateGroup, ...]
    extra: int


def near_duplicates_of(build: Build, *, progress: Progress, across_labels: bool = False) -> DuplicateReport:
    """Images of a build that are the same bytes, or the same shot re-encoded, resized or recoloured.

    Found on the thumbnails, as `gallery.near_duplicates` says; pictures smaller than those are only found
    where their bytes are the same. With `across_labels` only groups with more than one label are given.
    """
    places: dict[str, list[GalleryImage]] = defaultdict(list)
    for image in build:
        places[image.checksum].append(image)
    firsts = [images[0] for images in places.values()]
    made = in_threads(lambda each: _small(*each), _thumbnails(build, firsts), ahead=READ_AHEAD)
    tracked = progress.track(made, description="looking for near-duplicates", total=len(firsts))
    near = [
        (image.checksum, small) for image, small in zip(firsts, tracked, strict=True) if small is not None
    ]
    links = [*_near_pairs(near), *((each, each) for each, images in places.items() if len(images) > 1)]
    tied = [[image for checksum in each for image in places[checksum]] for each in _tied(links)]
    groups = [
        _group(build, images)
        for images in sorted(tied, key=lambda images: (-len(images), images[0].image_id))
        if not across_labels or len({image.label for image in images}) > 1
    ]
    return DuplicateReport(
        gallery=build.gallery,
        build=build.number,
        images=len(build),
        groups=tuple(groups),
        extra=sum(len(group.images) - 1 for group in groups),
    )


def print_duplicates(report: DuplicateReport, csv: Path | None, page: Path | None) -> None:
    """The groups as a table."""
    summary = (
        f"{len(report.groups)} groups in {report.images} images of {report.gallery}, build {report.build}; "
        f"{report.extra} images beyond the first of their group"
    )
    print_groups([(group.heading, group.images) for group in report.groups], summary, csv, page)


def _thumbnails(build: Build, images: Sequence[GalleryImage]) -> Iterator[tuple[GalleryImage, bytes]]:
    """Each image with its thumbnail, looked up some at a time."""
    for start in range(0, len(images), READ_AHEAD):
        part = images[start : start + READ_AHEAD]
        yield from zip(part, build.thumbnails([image.image_id for image in part]), strict=True)


def _small(image: GalleryImage, thumbnail: bytes) -> NDArray[np.uint8] | None:
    if min(image.width, image.height) < SIDE:
        return None
    picture = decode(thumbnail, draft=2 * SIDE).convert("L")
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _near_pairs(near: Sequence[tuple[str, NDArray[np.uint8]]]) -> Iterator[tuple[str, str]]:
    if near:
        for first, second in near_duplicates(np.stack([small for _, small in near])):
            yield near[first][0], near[second][0]


def _tied(links: Sequence[tuple[str, str]]) -> Iterable[list[str]]:
    """The checksums that are linked, directly or through others."""
    groups: dict[int, list[str]] = defaultdict(list)
    for checksum, number in connected(links).items() if links else ():
        groups[number].append(str(checksum))
    return groups.values()


def _group(build: Build, images: Sequence[GalleryImage]) -> DuplicateGroup:
    ordered = sorted(images, key=lambda image: (-image.width * image.height, image.image_id))
    embeddings = build.embeddings([image.image_id for image in ordered])
    distances = np.linalg.norm(embeddings - embeddings[0], axis=1).tolist()
    return DuplicateGroup(
        images=tuple(GroupedImage.of(*each) for each in zip(ordered, distances, strict=True)),
        labels=tuple(sorted({image.label for image in ordered if image.label is not None})),
        contents=len({image.checksum for image in ordered}),
    )
